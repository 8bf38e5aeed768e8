//! How bad a finding is, for somebody who has to decide what to mend first.

use oracle::case::Kind;
use oracle::{Clause, Finding, PageState, Situation};
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

/// How bad `finding` is; for a questionable one, why an author may disagree.
pub fn severity(finding: &Finding) -> (Severity, Option<&'static str>) {
    match doubt(finding) {
        Some(why) => (Severity::Questionable, Some(why)),
        None => (by_clause(finding.clause), None),
    }
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
fn doubt(finding: &Finding) -> Option<&'static str> {
    if finding.clause == Clause::KillAnnounced {
        return Some("the process dies as it must; only the message on the console is missing");
    }
    let Situation { kind, page } = finding.situation()?;
    match (finding.clause, kind, page) {
        (_, _, Some(PageState::Tail)) => Some(
            "it is about bytes behind the program break in the break's own page, which some kernels \
             give and some do not",
        ),
        (Clause::ReturnedValue, Kind::Read | Kind::Write, _) => Some(
            "how much is moved before an address that must not be touched, and what is then \
             returned, differs between kernels",
        ),
        _ => None,
    }
}
