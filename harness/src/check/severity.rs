//! How bad a finding is, for somebody who has to decide what to mend first.

use super::kin::{Answer, Kin};
use crate::campaign::Found;
use oracle::case::{Call, Kind};
use oracle::{Case, Clause, PageState, Spoiled};
use serde::{Serialize, Serializer};
use std::fmt;

/// How bad a finding is; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A program brings the whole machine down, or to a standstill.
    BreaksTheMachine,
    /// A program sees or changes what is not its own, or lives on where it had to be stopped.
    BreaksIsolation,
    /// Memory that nobody uses does not come back, or room on the disk.
    LosesMemory,
    /// A program gets a wrong answer, or dies without having done wrong.
    WrongResult,
    /// Memory is taken before it is needed.
    NotLazy,
    /// Real kernels differ here, and a reasonable author may disagree.
    Questionable,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Severity; 6] = [
        Severity::BreaksTheMachine,
        Severity::BreaksIsolation,
        Severity::LosesMemory,
        Severity::WrongResult,
        Severity::NotLazy,
        Severity::Questionable,
    ];
}

impl Severity {
    /// A word for the head of a column.
    pub fn short(self) -> &'static str {
        match self {
            Severity::BreaksTheMachine => "machine",
            Severity::BreaksIsolation => "isolation",
            Severity::LosesMemory => "memory",
            Severity::WrongResult => "result",
            Severity::NotLazy => "not lazy",
            Severity::Questionable => "doubtful",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::BreaksTheMachine => "breaks the machine",
            Severity::BreaksIsolation => "breaks isolation",
            Severity::LosesMemory => "loses memory",
            Severity::WrongResult => "wrong result",
            Severity::NotLazy => "not lazy",
            Severity::Questionable => "questionable",
        })
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

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
    let severity = match kin.gets_through() {
        true => Severity::BreaksIsolation,
        false => by_clause(found.finding.clause),
    };
    (severity, None)
}

fn by_clause(clause: Clause) -> Severity {
    match clause {
        Clause::NoPanic
        | Clause::NotStuck
        | Clause::StaysOn
        | Clause::ComesBack
        | Clause::EndsInTime => Severity::BreaksTheMachine,
        Clause::ForbiddenAccessKills
        | Clause::RegistersSurvive
        | Clause::FramesNotInvented
        | Clause::MappedNotFree
        | Clause::WritableAlone
        | Clause::KernelHidden
        | Clause::MappedInside
        | Clause::PermissionBits
        | Clause::FreshPageZero
        | Clause::PageContent => Severity::BreaksIsolation,
        Clause::FramesComeBack
        | Clause::PromisesEnd
        | Clause::SlotsComeBack
        | Clause::HoldersCounted
        | Clause::ShrinkGivesBack
        | Clause::BlocksComeBack => Severity::LosesMemory,
        Clause::ReturnedValue
        | Clause::LoadedValue
        | Clause::Blocks
        | Clause::ChildRuns
        | Clause::ProgramStarts
        | Clause::DeadStayDead
        | Clause::InnocentLive
        | Clause::KillAnnounced
        | Clause::ExitStatus
        | Clause::DiskContent
        | Clause::EverybodyReaped => Severity::WrongResult,
        Clause::GrowthTakesNothing
        | Clause::ForkShares
        | Clause::TouchTakesOne
        | Clause::ExecTakesLittle => Severity::NotLazy,
    }
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
