//! How a wrong answer differs from the right one.

use super::Evidence;
use crate::triage::operations::Service;
use oracle::case::Kind;
use oracle::{Clause, Fate, Mismatch};

/// How the wrong answer of a system call differs from the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::triage) enum Answer {
    /// It failed although it had to succeed, or stopped although it had to continue.
    Refused,
    /// It succeeded although it had to fail.
    Granted,
    /// It had to fail, and says that it has moved no byte.
    Nothing,
    /// Something else is wrong.
    Other,
}

impl Answer {
    pub(super) fn of(evidence: &Evidence<'_>) -> Answer {
        let finding = evidence.finding;
        let situation = evidence.situation;
        let fails = situation.is_some_and(|situation| situation.fate == Fate::Fails);
        let moves_bytes =
            situation.is_some_and(|situation| Service::of(situation.kind).moves_bytes);
        let is_nothing = fails && moves_bytes && finding.seen.ends_with("returns 0");
        match (finding.clause, finding.mismatch()) {
            (Clause::ReturnedValue, _) if is_nothing => Answer::Nothing,
            (Clause::ReturnedValue, Some(Mismatch::Granted | Mismatch::More)) => Answer::Granted,
            (Clause::ReturnedValue, None) if fails => Answer::Granted,
            (Clause::ReturnedValue, Some(Mismatch::Refused)) => Answer::Refused,
            // A call that stops at a page has refused it, whether it returns how far it got or -1.
            (Clause::ReturnedValue, Some(Mismatch::Less)) if moves_bytes => Answer::Refused,
            (Clause::Blocks, _) if moves_bytes => Answer::Refused,
            _ if is_refused_exec(evidence) => Answer::Refused,
            _ => Answer::Other,
        }
    }
}

/// Whether `exec` returns -1 although it had to start a program.
pub(super) fn is_refused_exec(evidence: &Evidence<'_>) -> bool {
    let is_exec = evidence
        .situation
        .is_some_and(|situation| situation.kind == Kind::Exec);
    let finding = evidence.finding;
    let has_to_start = matches!(
        finding.clause,
        Clause::ProgramStarts | Clause::ForbiddenAccessKills
    );
    is_exec && has_to_start && finding.seen.ends_with("returns -1")
}
