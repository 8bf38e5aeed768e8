//! Experiments: what may have caused a finding is neutralised, and the case is run once more. If the finding does not
//! show then, that was the cause.

use crate::driver::Driver;
use crate::runner::{Runner, Watch};
use oracle::case::{Family, Kind};
use oracle::{
    Case, Clause, Event, Finding, Judge, Observation, Operation, Process, Spoiled, Step, bucket,
};
use serde::Serialize;
use std::ops::Range;

/// What an experiment has shown to be the cause of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Cause {
    /// A hart used a translation that the kernel had changed: without old translations the finding does not show.
    OldTranslation,
    /// A system call of this name failed and had to change nothing: without it the finding does not show.
    FailedCall(&'static str),
}

/// The cause of the finding that `case` shows, and the operation that did the harm, as far as experiments show them.
pub(super) fn cause(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
) -> Option<(Cause, Option<usize>)> {
    if let Some(step) = old_translation(runner, case, finding) {
        return Some((Cause::OldTranslation, step));
    }
    let (call, step) = failed_call(runner, case, finding)?;
    Some((Cause::FailedCall(call), Some(step)))
}

/// What the shortest beginning of `case` shows at its end, and its last operation, if the finding rests on that: a
/// process that waits rests on one that had to be gone, and a panic on another panic.
pub(super) fn shown_before(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
) -> Option<(usize, Finding)> {
    let is_first: fn(Clause) -> bool = match finding.clause {
        Clause::ComesBack | Clause::Blocks | Clause::EverybodyReaped => is_about_an_end,
        Clause::NoPanic => |clause| clause == Clause::NoPanic,
        _ => return None,
    };
    let all = case.operations.len();
    let last = finding.step.unwrap_or(all.saturating_sub(1));
    let mut shown = |length: usize| {
        let outcome = runner.run(&case.beginning(length));
        let mut findings = outcome.findings.into_iter();
        findings.find(|one| is_first(one.clause))
    };
    // What every case shows says nothing about this one.
    if shown(0).is_some() {
        return None;
    }
    (1..=last).find_map(|length| Some((length - 1, shown(length)?)))
}

/// Whether a rule is about the end of a process.
fn is_about_an_end(clause: Clause) -> bool {
    matches!(
        clause,
        Clause::DeadStayDead | Clause::ForbiddenAccessKills | Clause::EverybodyReaped
    )
}

/// That a page which the wrong operation brings in is not zero, if the finding rests on that: if the program stores a 0
/// there before, the model takes over what the page holds, and then the operation is right.
pub(super) fn page_brought_in(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
) -> Option<Finding> {
    let step = finding.step?;
    let operation = case.operations.get(step)?;
    let addresses = [operation.call.address(), operation.call.second_address()];
    let touches: String = addresses
        .iter()
        .flatten()
        .map(|address| format!("{}: store1 {address} 0\n", operation.process))
        .collect();
    let touches = Case::parse(&format!("faultline 1\n{touches}")).ok()?;
    let later = step + touches.operations.len();
    let mut touched = case.clone();
    touched.operations.splice(step..step, touches.operations);
    let outcome = runner.run(&touched);
    let shows = |one: &Finding| one.clause == finding.clause && one.step >= Some(later);
    if outcome.findings.iter().any(shows) {
        return None;
    }
    let is_fresh = |one: &Finding| {
        let had_to_be_zero =
            one.clause == Clause::FreshPageZero || one.spoiled() == Some(Spoiled::Zeros);
        had_to_be_zero && one.step.is_some_and(|at| (step..later).contains(&at))
    };
    outcome.findings.into_iter().find(is_fresh)
}

/// The operation that changed a translation which a hart still uses, if the finding rests on one.
fn old_translation(runner: &mut Runner, case: &Case, finding: &Finding) -> Option<Option<usize>> {
    let wanted = bucket(finding);
    let mut helps = |at: Option<usize>| {
        let outcome = runner.run_up_to(&wanted, case, &mut Fences { at });
        outcome.shown(&wanted).is_none()
    };
    if !helps(None) {
        return None;
    }
    // Before the change, a fence does not help.
    let last = finding.step.unwrap_or(case.operations.len());
    let first_that_helps = (1..=last).find(|at| helps(Some(*at)));
    Some(first_that_helps.map(|at| at - 1))
}

/// Makes all harts forget their translations before the operation with that index; `None`: before each one.
struct Fences {
    at: Option<usize>,
}

impl Watch for Fences {
    fn before(&mut self, operations: Range<usize>, driver: &mut Driver) {
        if self.at.is_none_or(|at| operations.contains(&at)) {
            driver.forget_translations();
        }
    }
}

/// The last system call that returned -1, as it had to, and without which the finding does not show. Such a call must
/// change nothing.
fn failed_call(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
) -> Option<(&'static str, usize)> {
    // A call may fill a part of its buffer before it fails.
    let is_of_bytes = matches!(
        finding.clause,
        Clause::PageContent | Clause::FreshPageZero | Clause::LoadedValue
    );
    if is_of_bytes {
        return None;
    }
    let wanted = bucket(finding);
    let mut failures = Failures::default();
    runner.run_up_to(&wanted, case, &mut failures);
    let shown_at = finding.step.unwrap_or(usize::MAX);
    let before = failures.steps.into_iter().filter(|step| *step < shown_at);
    let mut before = before.rev();
    let step = before.find(|step| {
        let shorter = case.without(*step..*step + 1);
        runner.run(&shorter).shown(&wanted).is_none()
    })?;
    Some((case.operations[step].call.kind().word(), step))
}

/// Notes the system calls that returned -1 and change nothing then.
#[derive(Default)]
struct Failures {
    /// The last operation of each process: it may have slept in it.
    begun: Vec<(Process, usize, Kind)>,
    last: Vec<usize>,
    steps: Vec<usize>,
}

impl Watch for Failures {
    fn before(&mut self, _: Range<usize>, _: &mut Driver) {
        self.last.clear();
    }

    fn step(
        &mut self,
        index: usize,
        operation: &Operation,
        _: &Step,
        _: &Judge,
        observation: &Observation,
    ) {
        let process = operation.process;
        self.begun.retain(|(known, ..)| *known != process);
        self.begun.push((process, index, operation.call.kind()));
        let failed = observation.events.iter().filter_map(|event| match event {
            Event::Returned {
                process,
                value: u64::MAX,
            } => Some(*process),
            _ => None,
        });
        for process in failed {
            let mut begun = self.begun.iter();
            if let Some((_, index, kind)) = begun.find(|(known, ..)| *known == process)
                && !may_change(*kind)
            {
                self.last.push(*index);
            }
        }
    }

    fn judged(&mut self, _: Range<usize>, _: &mut Driver, _: &Judge) {
        self.steps.append(&mut self.last);
    }
}

/// Whether an operation may have written a part, or made a file, although it fails.
fn may_change(kind: Kind) -> bool {
    matches!(kind, Kind::Write | Kind::Open) || kind.family() == Family::Access
}
