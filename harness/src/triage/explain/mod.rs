//! Explaining a finding: which operation did the harm, where in the kernel it went wrong, and what
//! the decisive step did to memory. The case runs a second time and is recorded at that step.

mod again;
mod callers;
mod calls;
mod experiments;
mod inspection;
mod lost;
mod memory;
mod naming;
mod neighbours;
mod origin;
mod parting;
mod repair;
mod source;
mod suspects;
mod words;

pub use calls::CallLine;
pub(crate) use calls::is_servant;
pub use experiments::Cause;
pub(crate) use inspection::run_mended;
pub use lost::LostFrame;
pub use memory::{FrameChange, Mapped, MemoryChange, PageChange};
pub use naming::innermost;
pub use repair::{Controls, Repair, Repairs};
pub use source::Origin;

use crate::driver::{Driver, Recording};
use crate::guest::Frame;
use crate::runner::{Outcome, Runner, Watch};
use callers::Callers;
use emulator::isa::cause;
use inspection::Places;
use memory::Moment;
use oracle::case::{Family, Kind};
use oracle::{Case, Clause, Fate, Finding, Judge, Spoiled, Verdict, bucket};
use serde::Serialize;
use source::Source;
use std::collections::HashMap;
use std::ops::Range;

/// The most functions of a call stack that are shown.
const DEEPEST: usize = 16;

/// The moment of a stack that shows what made memory wrong.
const STORED: &str = "where the kernel stored that";
/// The same for a mistake that was made before the case began.
const STORED_AGAIN: &str = "where the kernel does the same in another case";

/// What can be said about a finding in addition to the finding itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The operation that did the harm, if it is not the one that shows it. Then the rest is about this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What was wrong first, if every check is made after each operation, and if that is something else than
    /// the finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Finding>,
    /// What an experiment has shown to be the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Frames that are missing when all processes are gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<LostFrame>,
    /// The system call that left wrong bytes in a page of its process, which was mapped before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_by: Option<&'static str>,
    /// Which moment the call stack shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moment: Option<&'static str>,
    /// The kernel's call stack then, the innermost function first; what was inlined is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<Frame>,
    /// The traps that the kernel took in the decisive step, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traps: Vec<String>,
    /// The function in which it left the way of right steps of the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts_in: Option<String>,
    /// Changes of one instruction after which nothing is wrong any more, if they were looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repairs: Option<Repairs>,
    /// The system call of that step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<&'static str>,
    /// The kernel's function for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performer: Option<String>,
    /// The functions that it went through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallLine>,
    /// The same without an order, each with its caller.
    #[serde(skip)]
    pub callers: Callers,
    /// What it did to memory.
    #[serde(skip_serializing_if = "MemoryChange::is_empty")]
    pub memory: MemoryChange,
}

/// Watches one operation of a case closely.
struct Close {
    at: usize,
    /// Physical addresses that the kernel stores to.
    places: Vec<Range<u64>>,
    before: Option<Moment>,
    after: Option<Moment>,
    recording: Option<Recording>,
    /// How the operation ended, if it was right.
    fate: Option<Fate>,
}

impl Close {
    /// Watches the operation with index `step`, if there is one.
    fn new(step: Option<usize>, places: &Places) -> Self {
        Self {
            at: step.unwrap_or(usize::MAX),
            places: places.ranges(),
            before: None,
            after: None,
            recording: None,
            fate: None,
        }
    }
}

impl Watch for Close {
    fn before(&mut self, operations: Range<usize>, driver: &mut Driver) {
        if operations.contains(&self.at) {
            self.before = Some(Moment::of(driver));
            driver.record_next(std::mem::take(&mut self.places));
        }
    }

    fn after(&mut self, operations: Range<usize>, driver: &mut Driver) {
        if operations.contains(&self.at) {
            self.after = Some(Moment::of(driver));
            self.recording = driver.take_recording();
        }
    }

    fn judged(&mut self, operations: Range<usize>, _: &mut Driver, judge: &Judge) {
        if operations.contains(&self.at) {
            self.fate = judge.last_situation().map(|situation| situation.fate);
        }
    }
}

/// Runs `case`, which shows `finding`, once more and says where it went wrong.
pub fn explain(runner: &mut Runner, case: &Case, finding: &Finding) -> Explanation {
    if finding.verdict == Verdict::Hang {
        runner.where_a_hang_is_known(|runner| explained(runner, case, finding))
    } else {
        explained(runner, case, finding)
    }
}

fn explained(runner: &mut Runner, case: &Case, finding: &Finding) -> Explanation {
    let source = origin::find(runner, case, finding);
    let explanation = explained_from(runner, case, finding, source);
    // What a call stores is its answer. A failed call before it may have changed that.
    let first = explanation.root.as_ref().unwrap_or(finding);
    let is_not_stored = call_of(first).is_some() && first.spoiled() == Some(Spoiled::Own);
    if (explanation.left_by.is_some() || is_not_stored)
        && explanation.cause.is_none()
        && let Some((call, failed)) = failed_call_before(runner, case, finding, &explanation)
    {
        let source = Source::of_cause(case, runner, finding, Cause::FailedCall(call), Some(failed));
        return explained_from(runner, case, finding, source);
    }
    explanation
}

/// The failed call without which a finding about what another call has stored does not show.
fn failed_call_before(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
    explanation: &Explanation,
) -> Option<(&'static str, usize)> {
    let origin = explanation.origin.as_ref();
    let stored_at = origin.map_or(finding.step, |origin| origin.step)?;
    experiments::failed_call(runner, case, finding, Some(stored_at))
}

/// Explains a finding that comes from `source`.
fn explained_from(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
    source: Source,
) -> Explanation {
    let Source {
        origin,
        root,
        cause,
        places,
        lost,
    } = source;
    let harm = origin.as_ref().map_or(finding.step, |origin| origin.step);
    // What was wrong before the first operation is shown where it does harm.
    let (step, places) = match harm {
        Some(step) => (Some(step), places),
        None => (finding.step, Places::default()),
    };
    let mut close = Close::new(step, &places);
    let outcome = runner.run_up_to(&bucket(finding), case, &mut close);
    if !is_same(&outcome, finding) {
        // If two runs differ, neither explains the other.
        return Explanation::default();
    }
    let driver = runner.driver_mut();
    let mut explanation = Explanation {
        call: step.and_then(|step| system_call(case, step)),
        origin,
        root,
        cause,
        lost,
        ..Explanation::default()
    };
    let stopped = driver.stack();
    let has_stopped = !stopped.is_empty();
    if has_stopped {
        explanation.moment = Some(match finding.verdict {
            Verdict::Hang => "where the kernel spent its time",
            _ => "where the kernel stopped",
        });
        explanation.stack = shown(stopped);
    }
    if let Some(recording) = &close.recording {
        explanation.traps = recording.traps.iter().map(trap_words).collect();
        explanation.traps.dedup();
        explanation.traps.truncate(DEEPEST);
        // What takes a frame fills it. What stores to it later only uses it.
        let stored = if finding.clause == Clause::FramesComeBack {
            &recording.first_store
        } else {
            &recording.last_store
        };
        if let Some(stored) = stored {
            explanation.moment = Some(STORED);
            explanation.stack = shown(driver.frames(&stored.stack));
            let first = explanation.root.as_ref().unwrap_or(finding);
            explanation.left_by = call_of(first).filter(|_| places.is_byte(stored.place));
        }
        // The call that goes wrong is performed in the step that did the harm.
        let call = cause.and_then(Cause::call).or(explanation.call);
        explanation.follow(recording, call, driver);
        if explanation.stack.is_empty() {
            let says = recording.first_words.as_deref();
            let kills = finding.verdict == Verdict::WronglyKilled;
            if let Some(stack) = says.filter(|_| kills) {
                explanation.moment = Some("where the kernel reports the kill");
                explanation.stack = shown(without_printing(driver.frames(stack)));
            }
        }
    }
    if let (Some(before), Some(after)) = (&close.before, &close.after) {
        let layout = runner.driver().guest().first_layout();
        explanation.memory = MemoryChange::between(before, after, layout);
    }
    let first = explanation.root.as_ref().unwrap_or(finding);
    if explanation.is_older() {
        explanation.look_again(runner);
    } else if cause.is_none() && (explanation.stack.is_empty() || comes_too_late(finding)) {
        explanation.parts_in = parting::function(runner, case, finding, first, &close);
    }
    explanation
}

impl Explanation {
    /// Looks for repairs of `finding`, which `case` shows and which this explains. This takes as long as hundreds of
    /// cases.
    pub fn look_for_repairs(
        &mut self,
        runner: &mut Runner,
        case: &Case,
        finding: &Finding,
        controls: &Controls,
    ) {
        // No other instruction stands in for one that is missing.
        if self.cause != Some(Cause::OldTranslation) {
            let panics = innermost(&self.stack).filter(|_| finding.verdict == Verdict::Panic);
            let panics = panics.map(|frame| frame.function.as_str());
            let repairs = repair::find(runner, case, finding, panics, controls);
            self.repairs = Some(repairs);
        }
    }

    /// Looks for the place of a mistake that was made before the case began: in a short case that makes it again.
    fn look_again(&mut self, runner: &mut Runner) {
        let again = again::step(runner).unwrap_or_default();
        let driver = runner.driver_mut();
        if let Some(store) = &again.recording.last_store {
            self.moment = Some(STORED_AGAIN);
            self.stack = shown(driver.frames(&store.stack));
        }
        self.follow(&again.recording, again.call, driver);
    }

    /// Notes which way the kernel took in the decisive step, in which it performed `call`. A stack that is known by now
    /// shows where the way ended.
    fn follow(&mut self, recording: &Recording, call: Option<&str>, driver: &mut Driver) {
        // The lines of the source are looked up once for each address.
        let mut known: HashMap<u64, Vec<Frame>> = HashMap::new();
        let mut frames = |pc| {
            let known = known.entry(pc);
            known.or_insert_with(|| driver.frames(&[pc])).clone()
        };
        self.performer = call.and_then(|call| calls::performer(recording, call, &mut frames));
        self.callers = Callers::of(recording, &mut frames);
        if self.stack.is_empty() || self.cause.is_some() {
            self.calls = calls::tree(recording, &mut frames);
        }
    }
}

/// The system call of a step of a case. None if it is an access.
fn system_call(case: &Case, step: usize) -> Option<&'static str> {
    let kind = case.operations.get(step)?.call.kind();
    (kind.family() != Family::Access).then(|| kind.word())
}

/// The system call that a finding about its own process's memory is about.
fn call_of(finding: &Finding) -> Option<&'static str> {
    let kind = finding.situation().map(|situation| situation.kind);
    let is_fresh = finding.clause == Clause::FreshPageZero
        && kind.is_some_and(|kind| kind.family() == Family::CopyOut);
    let is_own = is_fresh || matches!(finding.spoiled(), Some(Spoiled::Zeros | Spoiled::Own));
    let call = kind.filter(|kind| is_own && kind.family() != Family::Access);
    call.map(Kind::word)
}

/// Whether the stack of a finding shows only what follows from a wrong decision: that a process is killed, or that an
/// access traps again and again.
fn comes_too_late(finding: &Finding) -> bool {
    let kind = finding.situation().map(|situation| situation.kind);
    let is_access = kind.is_some_and(|kind| kind.family() == Family::Access);
    match finding.verdict {
        Verdict::WronglyKilled => true,
        Verdict::Hang => is_access,
        _ => false,
    }
}

fn is_same(outcome: &Outcome, finding: &Finding) -> bool {
    outcome.findings.contains(finding)
}

/// The stack to show: without libraries, and without the functions that only report.
fn shown(stack: Vec<Frame>) -> Vec<Frame> {
    let own = stack.into_iter().filter(|frame| !frame.is_library);
    own.skip_while(|frame| crate::driver::is_messenger(&frame.function))
        .take(DEEPEST)
        .collect()
}

/// A stack without the functions that print. Its first function is the one that called them.
fn without_printing(mut stack: Vec<Frame>) -> Vec<Frame> {
    const PRINTERS: [&str; 3] = ["print", "console", "uart"];
    let prints = |frame: &Frame| {
        let file = frame.file.as_deref().unwrap_or_default();
        let in_printer = |word: &&str| file.contains(*word) || frame.function.contains(*word);
        PRINTERS.iter().any(in_printer)
    };
    if let Some(last) = stack.iter().rposition(prints) {
        stack.drain(..=last);
    }
    stack
}

/// A trap in the words of the privileged specification.
fn trap_words(trap: &crate::driver::TrapTaken) -> String {
    let cause = cause::describe(trap.cause);
    let whence = if trap.from_user {
        "from the program"
    } else {
        "from the kernel itself"
    };
    if cause::is_refused_access(trap.cause) {
        format!("{cause} at {:#x}, {whence} (pc {:#x})", trap.value, trap.pc)
    } else {
        format!("{cause}, {whence} (pc {:#x})", trap.pc)
    }
}
