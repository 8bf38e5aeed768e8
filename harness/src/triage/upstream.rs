//! Known bugs of the public xv6 for RISC-V. They separate the bugs that an author has probably inherited from the
//! author's own.

use super::Report;
use super::doubts::{is_at, is_granted, makes_file_in_removed_directory};
use super::identity::Answer;
use crate::guest::symbols::Symbols;
use oracle::case::Kind;
use oracle::{Clause, PageState};
use serde::Serialize;

/// A bug that public versions of xv6 have.
#[derive(Debug, Serialize)]
pub struct Upstream {
    /// Its name.
    pub name: &'static str,
    /// The versions that have it.
    pub versions: &'static str,
    /// What is wrong, and where.
    pub sentence: &'static str,
    /// Whether a finding shows it, on a kernel with these symbols.
    #[serde(skip)]
    covers: fn(&Report, &Symbols) -> bool,
}

/// A function of the versions whose heap is lazy: those since 2025.
const LAZY_SINCE: &str = "vmfault";

/// The known bugs. If several cover a finding, the first counts.
static BUGS: [Upstream; 6] = [
    Upstream {
        name: "fstat-padding",
        versions: "2019 to 2025",
        sentence: "`struct stat` has four bytes of padding; `filestat` never sets them, so bytes of the \
                   kernel's stack get into the program",
        // Padding belongs to no page: other findings of `fstat` name one.
        covers: |report, _| {
            report.finding.clause == Clause::PageContent
                && is_at(report, Kind::Fstat)
                && names_no_page(report)
        },
    },
    Upstream {
        name: "kill-0",
        versions: "2019 to 2025",
        sentence: "`kill` compares identifiers and does not check whether the slot is free; free slots have \
                   the identifier 0, so `kill(0)` returns 0, and the next new process dies",
        covers: |report, _| is_granted(report) && is_at(report, Kind::Kill),
    },
    Upstream {
        name: "copyout-to-text",
        versions: "2022",
        sentence: "`copyout` does not check whether a page may be stored to, so a system call overwrites the \
                   program's code",
        covers: |report, symbols| {
            symbols.address(LAZY_SINCE).is_none()
                && report.identity.bug().gets_through()
                && report.identity.bug().page == Some(PageState::Text)
        },
    },
    Upstream {
        name: "create-in-removed-directory",
        versions: "2022",
        sentence: "`create` does not check whether the directory was removed, so a process that is still in \
                   it creates files that no path leads to",
        covers: |report, symbols| {
            symbols.address(LAZY_SINCE).is_none() && makes_file_in_removed_directory(report)
        },
    },
    Upstream {
        name: "copyinstr-lazy",
        versions: "2025",
        sentence: "`copyinstr` does not call `vmfault`, so a path on a page that was never touched is refused",
        covers: |report, symbols| {
            symbols.address(LAZY_SINCE).is_some()
                && report.identity.bug().answer == Answer::Refused
                && report.identity.bug().page == Some(PageState::Lazy)
                && is_in(report, &["copyinstr"])
        },
    },
    Upstream {
        name: "walks-holes",
        versions: "2025",
        sentence: "`uvmunmap` and `uvmcopy` look at each page of a lazy heap, even where a whole page table \
                   is missing",
        covers: |report, symbols| {
            symbols.address(LAZY_SINCE).is_some()
                && report.ending.slow().is_some()
                && is_in(report, &["uvmunmap", "uvmcopy"])
        },
    },
];

impl Upstream {
    /// The known bug that a finding on a kernel with these symbols shows, if it shows one.
    pub(super) fn shown_by(report: &Report, symbols: &Symbols) -> Option<&'static Upstream> {
        BUGS.iter().find(|bug| (bug.covers)(report, symbols))
    }
}

/// Whether a finding is about no page.
fn names_no_page(report: &Report) -> bool {
    let situation = report.identity.situation();
    situation.is_some_and(|situation| situation.page.is_none())
}

/// Whether one of these functions is on the kernel's stack where it went wrong.
fn is_in(report: &Report, functions: &[&str]) -> bool {
    let mut stack = report.explanation.stack.iter();
    stack.any(|frame| functions.contains(&frame.function.as_str()))
}

#[cfg(test)]
mod tests {
    use super::Upstream;
    use crate::guest::symbols::Symbols;
    use crate::triage::specimens::{Does, found};

    #[test]
    fn a_known_bug_is_known_by_what_it_shows() {
        let symbols = Symbols::default();
        let name = |text: &str, value| {
            let report = found(text, Does::Returns(value)).report;
            Upstream::shown_by(&report, &symbols).map(|bug| bug.name)
        };
        assert_eq!(name("a: kill pid 0", 0), Some("kill-0"));
        assert_eq!(name("a: pipe text[0]", 0), Some("copyout-to-text"));
        assert_eq!(name("a: pipe guard[0]", 0), None);
        assert_eq!(name("a: getpid", 0), None);
    }
}
