//! Where the kernel stopped: the call stack at a panic, at a hang, and on a stuck hart.
//!
//! This is needed only after a step that ended in a failure.

use super::Driver;
use crate::guest::source::{Frame, Lines, frames};
use emulator::{Exit, Privilege};

/// How many samples of the stack are taken if a kernel hangs, and the instructions between two of them. The functions
/// that are active in all samples are those that never return.
const SAMPLES: u32 = 48;
const BETWEEN_SAMPLES: u64 = 7919;

/// How many functions distinguish one failure from another.
const DISTINGUISHING: usize = 3;

/// Functions that report a problem and are not the problem: panics, traps of the kernel, prints. They
/// are left out if they are innermost.
const MESSENGERS: [&str; 12] = [
    "panic",
    "on_panic",
    "stop",
    "rust_begin_unwind",
    "kerneltrap",
    "kernelvec",
    "kernel_trap",
    "kernel_vector",
    "printf",
    "printptr",
    "printint",
    "consputc",
];

/// Whether a function only reports a problem, whatever module it is in.
pub(crate) fn is_messenger(function: &str) -> bool {
    let name = function.rsplit("::").next().unwrap_or(function);
    MESSENGERS.contains(&name)
}

impl Driver {
    /// Records the call stack of a hart on which the kernel stops.
    pub(super) fn remember_stack(&mut self, hart: usize) {
        self.stack = self.guest.unwinder().walk(&self.machine, hart);
    }

    /// Records what the sampled stacks of a hart that has used up its budget have in common. If its program takes the
    /// same trap for ever, this is nothing.
    pub(super) fn remember_loop(&mut self, hart: usize) {
        self.remember_stack(hart);
        for _ in 0..SAMPLES {
            if self.machine.privilege(hart) == Privilege::User {
                self.stack.clear();
            }
            if self.stack.is_empty() || self.machine.run_hart(hart, BETWEEN_SAMPLES) != Exit::Budget
            {
                break;
            }
            let now = self.guest.unwinder().walk(&self.machine, hart);
            let symbols = &self.guest.symbols;
            let start = |at: u64| symbols.function(at).map_or(at, |(_, offset)| at - offset);
            let outermost = self.stack.iter().rev().zip(now.iter().rev());
            let calls = outermost.clone().take_while(|(one, other)| one == other);
            let calls = calls.count();
            // The function that loops is at another address each time.
            let looping = outermost
                .skip(calls)
                .take(1)
                .filter(|(one, other)| start(**one) == start(**other));
            let common = calls + looping.count();
            self.stack.drain(..self.stack.len() - common);
        }
    }

    /// The call stack at the last failure of this case, the innermost function first; empty if
    /// there was none, or the hart was in user mode.
    pub fn stack(&mut self) -> Vec<Frame> {
        let stack = std::mem::take(&mut self.stack);
        let frames = self.frames(&stack);
        self.stack = stack;
        frames
    }

    /// The active functions at each of these addresses, inlined ones first.
    pub fn frames(&mut self, stack: &[u64]) -> Vec<Frame> {
        let lines = self
            .lines
            .get_or_insert_with(|| Box::new(Lines::read(&self.guest.file)));
        frames(lines, &self.guest.symbols, stack)
    }

    /// The innermost functions at the last failure, without those that only report it, as one word. It is the same in
    /// every build of the kernel. `None` if no stack was recorded, or it has no such function.
    pub(super) fn stopped_in(&mut self) -> Option<Box<str>> {
        if self.stack.is_empty() {
            return None;
        }
        let stack = self.stack();
        let own = stack.iter().filter(|frame| !frame.is_library);
        distinguishing(own.map(|frame| frame.function.as_str()))
    }
}

/// The word for a stack of these functions, the innermost first.
fn distinguishing<'a>(functions: impl Iterator<Item = &'a str>) -> Option<Box<str>> {
    let innermost: Vec<&str> = functions
        .skip_while(|function| is_messenger(function))
        .take_while(|function| !function.starts_with("0x"))
        .take(DISTINGUISHING)
        .collect();
    (!innermost.is_empty()).then(|| innermost.join("<").into())
}

#[cfg(test)]
mod tests {
    use super::distinguishing;

    fn word(functions: &[&str]) -> Option<String> {
        distinguishing(functions.iter().copied()).map(String::from)
    }

    #[test]
    fn a_stack_is_known_by_its_innermost_functions_that_are_not_messengers() {
        assert_eq!(
            word(&[
                "panic",
                "kerneltrap",
                "kernelvec",
                "memmove",
                "uvmcopy",
                "fork",
                "sys_fork"
            ]),
            Some("memmove<uvmcopy<fork".to_owned())
        );
        assert_eq!(
            word(&["panic::on_panic", "frames::release"]),
            Some("frames::release".to_owned())
        );
        // A messenger that is not innermost counts like any other function.
        assert_eq!(
            word(&["acquire", "printf", "usertrap"]),
            Some("acquire<printf<usertrap".to_owned())
        );
        assert_eq!(word(&["panic"]), None);
        assert_eq!(word(&["0x80001234", "main"]), None);
    }
}
