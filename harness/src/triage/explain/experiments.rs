//! Experiments: what may have caused a finding is neutralised, and the case is run once more. If the finding does not
//! show then, that was the cause.

use crate::driver::Driver;
use crate::runner::{Runner, Watch};
use oracle::case::{Family, Kind};
use oracle::{Case, Clause, Event, Finding, Judge, Observation, Operation, Step, bucket};
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
        let mut shorter = case.clone();
        shorter.operations.remove(*step);
        runner.run(&shorter).shown(&wanted).is_none()
    })?;
    Some((case.operations[step].call.kind().word(), step))
}

/// Notes the system calls that returned -1 and change nothing then.
#[derive(Default)]
struct Failures {
    last: Option<usize>,
    steps: Vec<usize>,
}

impl Watch for Failures {
    fn before(&mut self, _: Range<usize>, _: &mut Driver) {
        self.last = None;
    }

    fn step(
        &mut self,
        index: usize,
        operation: &Operation,
        _: &Step,
        _: &Judge,
        observation: &Observation,
    ) {
        let kind = operation.call.kind();
        // These may have written a part, or made a file.
        let may_change =
            matches!(kind, Kind::Write | Kind::Open) || kind.family() == Family::Access;
        let failed = Event::Returned {
            process: operation.process,
            value: u64::MAX,
        };
        if !may_change && observation.events.contains(&failed) {
            self.last = Some(index);
        }
    }

    fn judged(&mut self, _: Range<usize>, _: &mut Driver, _: &Judge) {
        self.steps.extend(self.last.take());
    }
}
