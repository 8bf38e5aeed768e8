//! How bad a finding is: as bad as its clause says, unless more is known of it.

use super::identity::bug::{Answer, Kin};
use crate::triage::Found;
use oracle::case::{Call, Kind};
use oracle::{Case, Clause, PageState, Severity, Spoiled};

/// How bad a finding is; for a questionable one, why an author may disagree.
pub fn severity(found: &Found) -> (Severity, Option<&'static str>) {
    let kin = Kin::of(found);
    if found.slow.is_some() {
        return (Severity::NotLazy, None);
    }
    if let Some(why) = doubt(found, &kin) {
        return (Severity::Questionable, Some(why));
    }
    if found.has_died {
        return (Severity::WrongResult, None);
    }
    if kin.gets_through() {
        return (Severity::BreaksIsolation, None);
    }
    (found.finding.clause.severity(), None)
}

/// Why a reasonable author may say that this is no bug.
fn doubt(found: &Found, kin: &Kin) -> Option<&'static str> {
    let clause = found.finding.clause;
    if clause == Clause::KillAnnounced {
        return Some("the process dies as it must; only the message on the console is missing");
    }
    let situation = found.situation()?;
    let is_about_bytes = matches!(
        clause,
        Clause::ReturnedValue
            | Clause::LoadedValue
            | Clause::ForbiddenAccessKills
            | Clause::InnocentLive
            | Clause::ComesBack
    );
    let in_tail = found.finding.spoiled() == Some(Spoiled::Tail)
        || (is_about_bytes && situation.page == Some(PageState::Tail));
    if in_tail {
        return Some(
            "it is about bytes behind the program break in the break's own page, which some kernels \
             give and some do not",
        );
    }
    let meets_the_end = situation.page.is_some_and(is_forbidden);
    let let_through = clause == Clause::ReturnedValue && kin.answer == Answer::Given;
    match situation.kind {
        Kind::Read | Kind::Write
            if clause == Clause::ReturnedValue && meets_the_end && !kin.gets_through() =>
        {
            Some(
                "how much is moved before an address that must not be touched, and what is then \
             returned, differs between kernels",
            )
        }
        Kind::Read | Kind::Write if clause == Clause::Blocks && meets_the_end => Some(
            "a kernel may look at the buffer before it waits, or find out afterwards that it must not be \
             touched",
        ),
        Kind::Kill if let_through => Some(
            "xv6's table of processes has identifier 0 in every free slot, so that `kill 0` finds \
             one and harms nobody",
        ),
        Kind::Pause if clause == Clause::ComesBack && sleeps_below_zero(found) => Some(
            "xv6 before 2024 compares ticks without signs, so that a sleep of less than none lasts \
             for years",
        ),
        Kind::Open | Kind::Mkdir | Kind::Mknod | Kind::Link
            if let_through && removes_directory(&found.case) =>
        {
            Some(
                "xv6 of old lets a file be made in a directory that was removed while a process is \
                 in it; nobody can reach the file afterwards, and its inode is lost",
            )
        }
        _ => None,
    }
}

/// Whether there is no memory in a page of that state.
fn is_forbidden(page: PageState) -> bool {
    matches!(
        page,
        PageState::Guard
            | PageState::Gap
            | PageState::Tail
            | PageState::Beyond
            | PageState::Top
            | PageState::Outside
    )
}

/// Whether a finding is about a sleep of a negative number of ticks.
fn sleeps_below_zero(found: &Found) -> bool {
    let operations = &found.case.operations;
    let operation = found.finding.step.and_then(|at| operations.get(at));
    operation.is_some_and(|one| matches!(one.call, Call::Pause { ticks } if ticks < 0))
}

/// Whether a case goes into a directory and removes one.
fn removes_directory(case: &Case) -> bool {
    let has = |kind| case.operations.iter().any(|one| one.call.kind() == kind);
    has(Kind::Chdir) && has(Kind::Unlink)
}
