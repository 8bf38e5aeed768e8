//! Explaining a finding: which operation did the harm, where in the kernel it went wrong, and what
//! the decisive step did to memory. The case runs a second time and is recorded at that step.

mod calls;
mod inspection;
mod lost;
mod memory;
mod origin;
mod parting;

pub use calls::CallLine;
pub(crate) use calls::is_servant;
pub use lost::LostFrame;
pub use memory::{FrameChange, Mapped, MemoryChange, PageChange};
pub use origin::Origin;

use crate::driver::{Driver, Recording};
use crate::guest::Frame;
use crate::runner::{Outcome, Runner, Watch};
use emulator::isa::cause;
use memory::Moment;
use oracle::{Case, Clause, Fate, Finding, Judge, Verdict, bucket};
use origin::Source;
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// The most functions of a call stack that are shown.
const DEEPEST: usize = 16;

/// The moment of a stack that shows what made memory wrong.
const STORED: &str = "where the kernel stored that";

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
    /// Frames that are missing when all processes are gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<LostFrame>,
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
    /// The functions that it went through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallLine>,
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
    let Source {
        origin,
        root,
        places,
        lost,
    } = origin::find(runner, case, finding);
    let harm = origin.as_ref().map_or(finding.step, |origin| origin.step);
    // What was wrong before the first operation is shown where it does harm.
    let (step, places) = match harm {
        Some(step) => (Some(step), places),
        None => (finding.step, Vec::new()),
    };
    let mut close = Close {
        at: step.unwrap_or(usize::MAX),
        places,
        before: None,
        after: None,
        recording: None,
        fate: None,
    };
    let outcome = runner.run_up_to(&bucket(finding), case, &mut close);
    if !is_same(&outcome, finding) {
        // If two runs differ, neither explains the other.
        return Explanation::default();
    }
    let driver = runner.driver_mut();
    let mut explanation = Explanation {
        origin,
        root,
        lost,
        ..Explanation::default()
    };
    let stopped = driver.stack();
    if !stopped.is_empty() {
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
        if let Some(stack) = stored {
            explanation.moment = Some(STORED);
            explanation.stack = shown(driver.frames(stack));
        }
        if explanation.stack.is_empty() {
            let says = recording.first_words.as_deref();
            let kills = finding.verdict == Verdict::WronglyKilled;
            if let Some(stack) = says.filter(|_| kills) {
                explanation.moment = Some("where the kernel reports the kill");
                explanation.stack = shown(without_printing(driver.frames(stack)));
            }
            explanation.calls = calls::tree(recording, |pc| driver.frames(&[pc]));
        }
    }
    if let (Some(before), Some(after)) = (&close.before, &close.after) {
        let layout = runner.driver().guest().first_layout();
        explanation.memory = MemoryChange::between(before, after, layout);
    }
    if explanation.stack.is_empty() {
        let first = explanation.root.as_ref().unwrap_or(finding);
        explanation.parts_in = parting::function(runner, case, finding, first, &close);
    }
    explanation
}

/// The innermost function that shows where the kernel is, or else the innermost one of the kernel.
pub fn innermost(stack: &[Frame]) -> Option<&Frame> {
    let own = || stack.iter().filter(|frame| !frame.is_library);
    let telling = own().find(|frame| !calls::is_housekeeping(frame));
    telling.or(own().next())
}

/// Whether a function takes, fills, maps or gives back a frame as it is told.
fn serves_memory(frame: &Frame) -> bool {
    const NAMES: [&str; 22] = [
        "free",
        "kfree",
        "poison",
        "memset",
        "memmove",
        "memcpy",
        "kalloc",
        "allocate",
        "allocate_zeroed",
        "take",
        "zero",
        "clear",
        "write",
        "read",
        "map",
        "mappages",
        "store",
        "replace",
        "unmap",
        "walk",
        "words",
        "set",
    ];
    let name = frame.function.rsplit("::").next().unwrap_or_default();
    NAMES.contains(&name) || calls::is_housekeeping(frame)
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

impl Explanation {
    /// One line that says where it went wrong: the innermost functions with file and line, or the first
    /// function to fail with its callers.
    pub fn place(&self) -> Option<String> {
        const TOLD: usize = 3;
        if !self.stack.is_empty() {
            let words: Vec<String> = self.stack.iter().take(TOLD).map(Frame::to_string).collect();
            return Some(words.join(" < "));
        }
        let failed = self.calls.iter().position(|call| call.is_first_to_fail);
        let (last, words) = match failed {
            Some(failed) => (failed, ", the first to fail"),
            None => (self.fork_in_the_way()?, " and what it calls"),
        };
        let mut depth = usize::MAX;
        let way = self.calls[..=last].iter().rev().filter(|call| {
            let is_outer = call.depth < depth;
            depth = depth.min(call.depth);
            is_outer
        });
        let told: Vec<String> = way
            .take(TOLD)
            .map(|call| match &call.called_at {
                Some(place) => format!("{} (called at {place})", call.function),
                None => call.function.clone(),
            })
            .collect();
        Some(format!("{}{words}", told.join(" < ")))
    }

    /// The innermost function whose failure made the step fail.
    pub(in crate::triage) fn first_to_fail(&self) -> Option<&str> {
        let mut calls = self.calls.iter();
        let failed = calls.find(|call| call.is_first_to_fail)?;
        Some(&failed.function)
    }

    /// Whether the stack shows what made memory wrong.
    pub(in crate::triage) fn shows_store(&self) -> bool {
        self.moment == Some(STORED)
    }

    /// The function in which it went wrong, as far as that is known.
    pub fn function(&self) -> Option<&str> {
        // The step that shows what was wrong before the case has not done it.
        if self
            .origin
            .as_ref()
            .is_some_and(|origin| origin.step.is_none())
        {
            return None;
        }
        if self.shows_store() {
            // What moves frames and bytes does what it is told.
            let mut own = self.stack.iter().filter(|frame| !frame.is_library);
            let told = own.clone().find(|frame| !serves_memory(frame));
            return told.or(own.next()).map(|frame| frame.function.as_str());
        }
        if let Some(frame) = innermost(&self.stack) {
            return Some(&frame.function);
        }
        if let Some(function) = &self.parts_in {
            return Some(function);
        }
        self.first_to_fail()
    }

    /// The last function before the call tree branches. It shows what the step did.
    fn fork_in_the_way(&self) -> Option<usize> {
        let mut at = 0;
        loop {
            let depth = self.calls.get(at)?.depth;
            let inside = self.calls[at + 1..].iter();
            let inside = inside.take_while(|call| call.depth > depth);
            if inside.filter(|call| call.depth == depth + 1).count() != 1 {
                // A trap alone says nothing.
                return (at > 0).then_some(at);
            }
            at += 1;
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            writeln!(f, "it went wrong in {origin}")?;
        }
        if !self.lost.is_empty() {
            writeln!(f, "frames that never come back:")?;
            for frame in &self.lost {
                writeln!(f, "  {frame}")?;
            }
        }
        if let Some(moment) = self.moment {
            writeln!(f, "{moment}, innermost first:")?;
            for frame in &self.stack {
                writeln!(f, "  {frame}")?;
            }
        }
        if let Some(function) = &self.parts_in {
            writeln!(f, "it leaves the way of right steps in {function}")?;
        }
        if !self.traps.is_empty() {
            writeln!(f, "traps in this step:")?;
            for trap in &self.traps {
                writeln!(f, "  {trap}")?;
            }
        }
        if !self.calls.is_empty() {
            writeln!(f, "functions that the kernel called:")?;
            for call in &self.calls {
                writeln!(f, "  {call}")?;
            }
        }
        if !self.memory.is_empty() {
            writeln!(f, "changes to memory in this step:")?;
            for line in self.memory.to_string().lines() {
                writeln!(f, "  {line}")?;
            }
        }
        Ok(())
    }
}
