//! Why a reasonable author may say that a finding is not a bug: points in which real kernels differ.

use super::Report;
use super::identity::{Answer, is_forbidden};
use super::operations::Service;
use oracle::case::{Bytes, Call, Kind};
use oracle::{Clause, PageState, Spoiled};

/// A point in which real kernels differ.
struct Doubt {
    /// The reason that an author may give.
    why: &'static str,
    /// Whether a finding is about this point.
    covers: fn(&Report) -> bool,
}

/// The points. If several cover a finding, the first counts.
const DOUBTS: [Doubt; 6] = [
    Doubt {
        why: "the kernel kills the process, which is right; only the message on the console is missing",
        covers: |report| report.finding.clause == Clause::KillAnnounced,
    },
    Doubt {
        why: "the bytes are beyond the program break but in the page of the break; some kernels allow \
              an access to them and some do not",
        covers: is_in_tail,
    },
    Doubt {
        why: "kernels differ in how many bytes they copy before a bad address, and in what they \
              return then",
        covers: |report| {
            report.finding.clause == Clause::ReturnedValue
                && meets_the_end(report)
                && !report.identity.bug().gets_through()
        },
    },
    Doubt {
        why: "a kernel may check the buffer before it sleeps, or find out after it wakes up that the \
              buffer is bad",
        covers: |report| report.finding.clause == Clause::Blocks && meets_the_end(report),
    },
    Doubt {
        why: "xv6 before 2024 compares ticks as unsigned numbers, so a sleep of a negative number of \
              ticks lasts for years",
        covers: sleeps_below_zero,
    },
    Doubt {
        why: "older versions of xv6 create a file in a removed directory if it is still the current \
              directory of a process; no path leads to the file, and its inode is lost",
        covers: makes_file_in_removed_directory,
    },
];

/// Why a reasonable author may say that a finding is not a bug.
pub(super) fn doubt(report: &Report) -> Option<&'static str> {
    let mut doubts = DOUBTS.iter();
    let doubt = doubts.find(|doubt| (doubt.covers)(report));
    doubt.map(|doubt| doubt.why)
}

/// The operation that a finding is about.
fn operation(report: &Report) -> Option<Call> {
    let at = report.finding.step?;
    report.case().operations.get(at).map(|one| one.call)
}

/// Whether a process made a file in a directory that was removed.
pub(super) fn makes_file_in_removed_directory(report: &Report) -> bool {
    is_granted(report) && may_make_file(report) && removes_directory(report)
}

/// Whether an operation of that kind went wrong.
pub(super) fn is_at(report: &Report, kind: Kind) -> bool {
    let situation = report.identity.situation();
    situation.is_some_and(|situation| situation.kind == kind)
}

/// Whether a system call succeeded although it had to fail.
pub(super) fn is_granted(report: &Report) -> bool {
    report.finding.clause == Clause::ReturnedValue
        && report.identity.bug().answer == Answer::Granted
}

/// Whether the operation may create a file, or a name for one.
fn may_make_file(report: &Report) -> bool {
    operation(report).is_some_and(|call| call.reaches().any(|reach| reach.bytes == Bytes::NewPath))
}

/// Whether a finding is about bytes beyond the program break in the page of the break.
fn is_in_tail(report: &Report) -> bool {
    let Some(situation) = report.identity.situation() else {
        return false;
    };
    let is_about_bytes = matches!(
        report.finding.clause,
        Clause::ReturnedValue
            | Clause::LoadedValue
            | Clause::ForbiddenAccessKills
            | Clause::InnocentLive
            | Clause::ComesBack
    );
    report.finding.spoiled() == Some(Spoiled::Tail)
        || (is_about_bytes && situation.page == Some(PageState::Tail))
}

/// Whether the operation had to copy bytes to or from a page without memory.
fn meets_the_end(report: &Report) -> bool {
    report.identity.situation().is_some_and(|situation| {
        Service::of(situation.kind).moves_bytes && situation.page.is_some_and(is_forbidden)
    })
}

/// Whether a process does not come back from a sleep of a negative number of ticks.
fn sleeps_below_zero(report: &Report) -> bool {
    report.finding.clause == Clause::ComesBack
        && matches!(operation(report), Some(Call::Pause { ticks }) if ticks < 0)
}

/// Whether a case changes the current directory and removes a name.
fn removes_directory(report: &Report) -> bool {
    let operations = &report.case().operations;
    let has = |kind| operations.iter().any(|one| one.call.kind() == kind);
    has(Kind::Chdir) && has(Kind::Unlink)
}

#[cfg(test)]
mod tests {
    use super::doubt;
    use crate::triage::ending::Ending;
    use crate::triage::specimens::{Does, found, found_with};

    #[test]
    fn what_is_granted_wrongly_is_wrong() {
        for text in ["a: kill pid 0", "a: chdir guard[0]"] {
            assert_eq!(doubt(&found(text, Does::Returns(0)).report), None, "{text}");
        }
    }

    #[test]
    fn only_a_sleep_of_negative_ticks_may_last_for_years() {
        let sleep = |text: &str| found_with(text, Does::FallsSilent, Ending::Never).report;
        let why = doubt(&sleep("a: pause -1"));
        assert!(why.is_some_and(|why| why.contains("unsigned")));
        assert_eq!(doubt(&sleep("a: getpid")), None);
    }

    #[test]
    fn reading_memory_that_the_program_may_not_read_is_always_wrong() {
        let report = found("a: write 1 guard[0] 5", Does::Returns(5)).report;
        assert!(report.identity.bug().gets_through());
        assert_eq!(doubt(&report), None);
    }
}
