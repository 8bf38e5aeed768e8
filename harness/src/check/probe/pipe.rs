//! How many bytes a pipe holds, and what a read of no bytes does.

use super::prober::{ASKED, Prober, Seen};
use super::{Shown, UNCLEAR, answer, clear};
use abi::SystemCall;
use oracle::dialect::EmptyRead;
use oracle::layout::PAGE_SIZE;

/// The largest pipe that a question looks for, in bytes.
const LARGEST_PIPE: u64 = 1 << 16;
/// Why a field has the default if the kernel makes no pipe.
pub(super) const NO_PIPE: &str = "the default, because `pipe` fails";
/// Descriptors of the first pipe of a case.
pub(super) const READ_END: u64 = 0;
pub(super) const WRITE_END: u64 = 1;

/// Makes a pipe as the first thing in a case, so that its ends are descriptors 0 and 1. Returns whether
/// `pipe` succeeded.
pub(super) fn new_pipe(prober: &mut Prober) -> bool {
    prober.reset();
    let ends = prober.layout.data.start;
    prober.make_private(ASKED, ends);
    prober.call(SystemCall::Pipe, [ends, 0, 0]).value() == Some(0)
}

pub(super) fn bytes(prober: &mut Prober) -> Shown<u32> {
    if !new_pipe(prober) {
        return Shown::Nothing(NO_PIPE);
    }
    let (mut fits, mut waits) = (1, LARGEST_PIPE);
    while waits - fits > 1 {
        let middle = fits.midpoint(waits);
        new_pipe(prober);
        prober.grow_and_touch(LARGEST_PIPE / PAGE_SIZE);
        let written = prober.call(SystemCall::Write, [WRITE_END, prober.layout.heap, middle]);
        match written {
            Seen::Returned(some) if some == middle => fits = middle,
            Seen::Silent { announced: false } => waits = middle,
            Seen::Returned(some) if some < middle => waits = middle,
            // It was killed, or answered something else: that says nothing about the pipe.
            Seen::Returned(_) | Seen::Silent { announced: true } | Seen::Broken => {
                return Shown::Nothing(UNCLEAR);
            }
        }
    }
    if waits == 2 {
        // No write has come back.
        return Shown::Nothing(UNCLEAR);
    }
    answer(
        fits as u32,
        "a process can write this many bytes although no process reads",
    )
}

pub(super) fn empty_read_of_nothing(prober: &mut Prober) -> Shown<EmptyRead> {
    new_pipe(prober);
    let good = prober.layout.data.start;
    clear(match prober.call(SystemCall::Read, [READ_END, good, 0]) {
        Seen::Returned(0) => Some((EmptyRead::Returns, "a read of no bytes returns at once")),
        Seen::Silent { .. } => Some((EmptyRead::Waits, "a read of no bytes waits for a byte")),
        Seen::Returned(_) | Seen::Broken => None,
    })
}
