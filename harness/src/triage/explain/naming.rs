//! Which function of the kernel an explanation names, and the line that says where it went wrong.

use super::{Cause, Explanation, LostFrame, STORED, STORED_AGAIN, calls};
use crate::guest::Frame;

/// The innermost function that shows where the kernel is, or else the innermost one of the kernel.
pub fn innermost(stack: &[Frame]) -> Option<&Frame> {
    let own = || stack.iter().filter(|frame| !frame.is_library);
    let working = own().find(|frame| !calls::is_housekeeping(frame));
    working.or(own().next())
}

/// Whether a function takes, fills, maps or gives back a frame for its caller.
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

impl Explanation {
    /// One line that says where it went wrong: the innermost functions with file and line, or the first
    /// function to fail with its callers.
    pub fn place(&self) -> Option<String> {
        const SHOWN: usize = 3;
        if !self.stack.is_empty() {
            let words: Vec<String> = self
                .stack
                .iter()
                .take(SHOWN)
                .map(Frame::to_string)
                .collect();
            return Some(words.join(" < "));
        }
        let failed = self.calls.iter().position(|call| call.is_first_to_fail);
        let (last, words) = match failed {
            Some(failed) => (failed, ", the first to fail"),
            None => (self.last_before_branches()?, " and what it calls"),
        };
        let mut depth = usize::MAX;
        let path = self.calls[..=last].iter().rev().filter(|call| {
            let is_outer = call.depth < depth;
            depth = depth.min(call.depth);
            is_outer
        });
        let functions: Vec<String> = path
            .take(SHOWN)
            .map(|call| match &call.called_at {
                Some(place) => format!("{} (called at {place})", call.function),
                None => call.function.clone(),
            })
            .collect();
        Some(format!("{}{words}", functions.join(" < ")))
    }

    /// The innermost function whose failure made the step fail.
    pub(in crate::triage) fn first_to_fail(&self) -> Option<&str> {
        let mut calls = self.calls.iter();
        let failed = calls.find(|call| call.is_first_to_fail)?;
        Some(&failed.function)
    }

    /// Whether the stack shows what made memory wrong.
    pub(in crate::triage) fn shows_store(&self) -> bool {
        matches!(self.moment, Some(STORED | STORED_AGAIN))
    }

    /// The function in which it went wrong, as far as that is known.
    pub fn function(&self) -> Option<&str> {
        // The step that shows what was wrong before the case has not done it.
        if self.is_older() && !self.shows_store() {
            return None;
        }
        if self.cause.and_then(Cause::call).is_some() {
            return self.performer.as_deref();
        }
        if self.shows_store() {
            return self.storer();
        }
        if let Some(function) = &self.parts_in {
            return Some(function);
        }
        if let Some(frame) = innermost(&self.stack) {
            return Some(&frame.function);
        }
        self.first_to_fail()
    }

    /// The function that stored what was wrong, or took a frame that was lost, if the stack shows that. A function that
    /// moves frames or bytes does what its caller says.
    pub(in crate::triage) fn storer(&self) -> Option<&str> {
        let stack = Some(&self.stack).filter(|_| self.shows_store())?;
        let mut own = stack.iter().filter(|frame| !frame.is_library);
        let caller = own.clone().find(|frame| !serves_memory(frame));
        caller.or(own.next()).map(|frame| frame.function.as_str())
    }

    /// Whether all frames that were lost belonged to processes before.
    pub(in crate::triage) fn loses_what_was_owned(&self) -> bool {
        !self.lost.is_empty() && self.lost.iter().all(LostFrame::had_owner)
    }

    /// The system call that leaves wrong bytes in memory, or that has an effect although it fails.
    pub(in crate::triage) fn wrong_call(&self) -> Option<&'static str> {
        match self.cause {
            Some(Cause::FailedCall(call) | Cause::RefusedFrame(call)) => Some(call),
            Some(Cause::OldTranslation | Cause::HighHalf | Cause::KilledSleeper) | None => {
                self.left_by
            }
        }
    }

    /// Whether a call went wrong because of what it was given, whatever shows it.
    pub(in crate::triage) fn shows_wrong_argument(&self) -> bool {
        matches!(self.cause, Some(Cause::HighHalf | Cause::RefusedFrame(_)))
    }

    /// The function that the finding points to.
    pub fn named(&self) -> Option<&str> {
        let function = match self.left_by {
            // If only one call goes wrong, the function with which all of them copy is probably right.
            Some(_) => self.stored_for().or(self.function()),
            None => self.function(),
        };
        // If nothing else is known, the function that performs the call is the best guess.
        function.or(self.performer.as_deref())
    }

    /// Whether it went wrong before the case began.
    pub(in crate::triage) fn is_older(&self) -> bool {
        let origin = self.origin.as_ref();
        origin.is_some_and(|origin| origin.step.is_none())
    }

    /// The function that performed a system call for the function that copies to user memory, if the stack shows what
    /// made memory wrong.
    fn stored_for(&self) -> Option<&str> {
        const COPIERS: [&str; 3] = ["copyout", "either_copyout", "copy_out"];
        let copies = |frame: &Frame| {
            let name = frame.function.rsplit("::").next().unwrap_or_default();
            COPIERS.contains(&name)
        };
        let mut own = self.stack.iter().filter(|frame| !frame.is_library);
        let caller = own.find(|frame| !serves_memory(frame) && !copies(frame))?;
        Some(&caller.function)
    }

    /// The last function before the call tree branches. It shows what the step did.
    fn last_before_branches(&self) -> Option<usize> {
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
