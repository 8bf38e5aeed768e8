//! Experiments: what may have caused a finding is neutralised, and the case is run once more. If the finding does not
//! show then, that was the cause.

use crate::driver::Driver;
use crate::runner::{Runner, Watch};
use oracle::case::{Family, Kind};
use oracle::{
    Case, Clause, Event, Finding, Judge, Observation, Operation, Process, ProcessState, Spoiled,
    Step, bucket,
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
    /// A program passed an `int` with something in the high half of its register: without that the finding does not show.
    HighHalf,
    /// A process was killed while it slept: if it does not sleep, the finding does not show.
    KilledSleeper,
    /// A system call of this name succeeded although it was refused a frame: if none is refused, the finding does not
    /// show.
    RefusedFrame(&'static str),
}

impl Cause {
    /// The system call that goes wrong, if it is known.
    pub(super) fn call(self) -> Option<&'static str> {
        match self {
            Cause::OldTranslation | Cause::HighHalf => None,
            Cause::FailedCall(call) | Cause::RefusedFrame(call) => Some(call),
            Cause::KilledSleeper => Some(Kind::Kill.word()),
        }
    }
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
    if let Some(step) = killed_sleeper(runner, case, finding) {
        return Some((Cause::KilledSleeper, step));
    }
    // A call may fill a part of its buffer before it fails.
    let is_of_bytes = matches!(
        finding.clause,
        Clause::PageContent | Clause::FreshPageZero | Clause::LoadedValue
    );
    if is_of_bytes {
        return None;
    }
    let (call, step) = failed_call(runner, case, finding, finding.step)?;
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

/// What the case itself does to the kernel, and the operation, if the finding rests on that: something in the high halves
/// of registers, or frames that it refuses.
pub(super) fn cause_in_the_case(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
) -> Option<(Cause, Option<usize>)> {
    if let Some(step) = high_half(runner, case, finding) {
        return Some((Cause::HighHalf, Some(step)));
    }
    let call = refused_frame(runner, case, finding)?;
    Some((Cause::RefusedFrame(call), finding.step))
}

/// The first operation that puts something in the high halves of registers, if the finding rests on that.
fn high_half(runner: &mut Runner, case: &Case, finding: &Finding) -> Option<usize> {
    let is_it = |operation: &Operation| operation.call.kind() == Kind::HighHalf;
    let first = case.operations.iter().position(is_it)?;
    // What is wrong before or at once does not come from it.
    if finding.step.is_some_and(|step| step <= first) {
        return None;
    }
    let mut plain = case.clone();
    plain.operations.retain(|operation| !is_it(operation));
    let wanted = bucket(finding);
    let rests_on_it = runner.run(&plain).shown(&wanted).is_none();
    rests_on_it.then_some(first)
}

/// The operation that killed a process which slept, if the finding rests on that: such a process has to end. `None`
/// instead of the operation: the end of the case killed it.
fn killed_sleeper(runner: &mut Runner, case: &Case, finding: &Finding) -> Option<Option<usize>> {
    if !matches!(
        finding.clause,
        Clause::ComesBack | Clause::EverybodyReaped | Clause::DeadStayDead
    ) {
        return None;
    }
    let wanted = bucket(finding);
    let mut sleepers = Sleepers::of(case);
    runner.run_up_to(&wanted, case, &mut sleepers);
    let mut killed = sleepers.killed;
    if finding.step.is_none() {
        let at_the_end = sleepers.asleep.into_iter();
        killed.extend(at_the_end.map(|(_, slept)| (slept, None)));
    }
    let rests_on_it = |(slept, _): &(usize, Option<usize>)| {
        let awake = case.without(*slept..*slept + 1);
        runner.run(&awake).shown(&wanted).is_none()
    };
    let (_, step) = killed.into_iter().rev().find(rests_on_it)?;
    Some(step)
}

/// Notes which processes sleep, and which of them were killed.
struct Sleepers<'a> {
    case: &'a Case,
    /// Those that sleep now, each with the operation in which it sleeps.
    asleep: Vec<(Process, usize)>,
    /// The operations in which processes slept when they were killed, and those that killed them.
    killed: Vec<(usize, Option<usize>)>,
}

impl<'a> Sleepers<'a> {
    fn of(case: &'a Case) -> Self {
        Self {
            case,
            asleep: Vec::new(),
            killed: Vec::new(),
        }
    }
}

impl Watch for Sleepers<'_> {
    fn judged(&mut self, operations: Range<usize>, _: &mut Driver, judge: &Judge) {
        let kill = operations
            .clone()
            .find(|at| self.case.operations[*at].call.kind() == Kind::Kill);
        for (process, slept) in &self.asleep {
            let has_ended = matches!(
                judge.state_of(*process),
                ProcessState::Zombie | ProcessState::Gone
            );
            if let Some(kill) = kill.filter(|_| has_ended) {
                self.killed.push((*slept, Some(kill)));
            }
        }
        self.asleep
            .retain(|(process, _)| judge.state_of(*process) == ProcessState::Blocked);
        for at in operations {
            let process = self.case.operations[at].process;
            let is_known = self.asleep.iter().any(|(known, _)| *known == process);
            if judge.state_of(process) == ProcessState::Blocked && !is_known {
                self.asleep.push((process, at));
            }
        }
    }
}

/// The system call that succeeded although it was refused a frame for what it had to store, if the finding rests on that.
fn refused_frame(runner: &mut Runner, case: &Case, finding: &Finding) -> Option<&'static str> {
    let is_about_what_is_stored = matches!(
        finding.clause,
        Clause::PageContent | Clause::FreshPageZero | Clause::ExitStatus
    );
    let kind = finding.situation()?.kind;
    let is_of_a_call = is_about_what_is_stored && kind.family() == Family::CopyOut;
    let step = finding.step.filter(|_| is_of_a_call)?;
    let mut generous = case.clone();
    generous.operations.retain(|operation| {
        let kind = operation.call.kind();
        !matches!(kind, Kind::Frames | Kind::FailFrame)
    });
    if generous.operations.len() == case.operations.len() {
        return None;
    }
    let wanted = bucket(finding);
    let mut refusal = Refusal {
        at: step,
        is_seen: false,
    };
    runner.run_up_to(&wanted, case, &mut refusal);
    let rests_on_it = refusal.is_seen && runner.run(&generous).shown(&wanted).is_none();
    rests_on_it.then(|| kind.word())
}

/// Notes whether the operation with that index was refused a frame.
struct Refusal {
    at: usize,
    is_seen: bool,
}

impl Watch for Refusal {
    fn step(
        &mut self,
        index: usize,
        _: &Operation,
        _: &Step,
        _: &Judge,
        observation: &Observation,
    ) {
        self.is_seen |= index == self.at && observation.out_of_frames;
    }
}

/// The last system call before `shown_at` that returned -1, as it had to, and without which the finding does not show.
/// Such a call must change nothing. `shown_at` is `None` for the end of the case.
pub(super) fn failed_call(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
    shown_at: Option<usize>,
) -> Option<(&'static str, usize)> {
    let wanted = bucket(finding);
    let shown_at = shown_at.unwrap_or(usize::MAX);
    let failures = Failures::in_case(runner, case, finding).into_iter();
    let before = failures.filter(|step| *step < shown_at);
    let mut before = before.rev();
    let step = before.find(|step| {
        let shorter = case.without(*step..*step + 1);
        runner.run(&shorter).shown(&wanted).is_none()
    })?;
    Some((case.operations[step].call.kind().word(), step))
}

/// The system call of the operation `step`, if it returned -1, as it had to, and must change nothing then.
pub(super) fn call_that_failed(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
    step: usize,
) -> Option<&'static str> {
    let has_failed = Failures::in_case(runner, case, finding).contains(&step);
    has_failed.then(|| case.operations[step].call.kind().word())
}

/// Notes the system calls that returned -1 and change nothing then.
#[derive(Default)]
struct Failures {
    /// The last operation of each process: it may have slept in it.
    begun: Vec<(Process, usize, Kind)>,
    last: Vec<usize>,
    steps: Vec<usize>,
}

impl Failures {
    /// The operations of `case` that fail so, up to its finding.
    fn in_case(runner: &mut Runner, case: &Case, finding: &Finding) -> Vec<usize> {
        let mut failures = Self::default();
        runner.run_up_to(&bucket(finding), case, &mut failures);
        failures.steps
    }
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
