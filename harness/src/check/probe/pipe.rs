//! How many bytes a pipe holds, and which calls on a pipe fail.

use super::prober::{ASKED, FAILED, Prober, Seen};
use super::{Shown, answer, clear};
use abi::SystemCall;
use oracle::dialect::{EmptyRead, RefusedByte, WithoutReader};
use oracle::layout::PAGE_SIZE;

/// The largest pipe that a question looks for, in bytes.
const LARGEST_PIPE: u64 = 1 << 16;
/// At this distance beyond the break nothing is mapped.
const PAGES_BEYOND: u64 = 600;
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
    let (mut holds, mut blocks) = (1, LARGEST_PIPE);
    while blocks - holds > 1 {
        let middle = holds.midpoint(blocks);
        new_pipe(prober);
        prober.grow_and_touch(LARGEST_PIPE / PAGE_SIZE);
        let written = prober.call(SystemCall::Write, [WRITE_END, prober.layout.heap, middle]);
        if written == Seen::Returned(middle) {
            holds = middle;
        } else {
            blocks = middle;
        }
    }
    answer(
        holds as u32,
        "a process can write this many bytes although nobody reads",
    )
}

pub(super) fn write_to_bad_first_byte(prober: &mut Prober) -> Shown<i8> {
    let seen = ask_with_bad(prober, |prober, bad| {
        new_pipe(prober);
        prober.call(SystemCall::Write, [WRITE_END, bad, 8])
    });
    zero_or_failed(seen)
}

pub(super) fn read_to_bad_first_byte(prober: &mut Prober) -> Shown<i8> {
    zero_or_failed(read_to_bad(prober))
}

pub(super) fn refused_byte(prober: &mut Prober) -> Shown<RefusedByte> {
    read_to_bad(prober);
    let good = prober.layout.data.start;
    let read = prober.call(SystemCall::Read, [READ_END, good, 4]);
    clear(match read.value() {
        Some(4) => Some((RefusedByte::Kept, "the next read gets the byte")),
        Some(3) => Some((RefusedByte::Lost, "the next read does not get the byte")),
        _ => None,
    })
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

pub(super) fn write_without_reader(prober: &mut Prober) -> Shown<WithoutReader> {
    new_pipe(prober);
    prober.call(SystemCall::Close, [READ_END, 0, 0]);
    let good = prober.layout.data.start;
    let written = prober.call(SystemCall::Write, [WRITE_END, good, 4]);
    clear(match written.value() {
        Some(FAILED) => Some((
            WithoutReader::Fails,
            "a write to a pipe without a read end returns -1",
        )),
        Some(4) => Some((
            WithoutReader::FailsWhenFull,
            "a pipe without a read end takes bytes until it is full",
        )),
        _ => None,
    })
}

/// Reads four bytes from a pipe that holds four, to a bad address.
fn read_to_bad(prober: &mut Prober) -> Seen {
    let good = prober.layout.data.start;
    ask_with_bad(prober, |prober, bad| {
        new_pipe(prober);
        prober.call(SystemCall::Write, [WRITE_END, good, 4]);
        prober.call(SystemCall::Read, [READ_END, bad, 4])
    })
}

/// Asks with several bad addresses until an answer shows that the kernel did not touch the address. One
/// address is not enough, because a kernel with a bug may allow it.
fn ask_with_bad(prober: &mut Prober, ask: impl Fn(&mut Prober, u64) -> Seen) -> Seen {
    let beyond = prober.layout.heap + PAGES_BEYOND * PAGE_SIZE;
    let bad = [
        prober.layout.guard.start,
        beyond,
        prober.layout.kernel,
        u64::MAX - PAGE_SIZE,
    ];
    let mut answers = bad.into_iter().map(|bad| ask(prober, bad));
    let untouched = answers.find(|seen| matches!(seen.value(), Some(0 | FAILED)));
    untouched.unwrap_or(Seen::Broken)
}

fn zero_or_failed(seen: Seen) -> Shown<i8> {
    clear(match seen.value() {
        Some(0) => Some((0, "the call returns 0")),
        Some(FAILED) => Some((-1, "the call returns -1")),
        _ => None,
    })
}
