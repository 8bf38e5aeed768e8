//! How many low bits of their arguments system calls use.

use super::pipe::{NO_PIPE, READ_END, WRITE_END, new_pipe};
use super::prober::{FAILED, Prober, Seen};
use super::{Shown, clear};
use abi::SystemCall;
use oracle::dialect::Bits;

/// Bits in the high half of a register that holds an `int`.
const OTHER_BITS: u64 = 0x1234_5678 << 32;

pub(super) fn descriptor_bits(prober: &mut Prober) -> Shown<Bits> {
    if !new_pipe(prober) {
        return Shown::Nothing(NO_PIPE);
    }
    let copied = prober.call(SystemCall::Dup, [READ_END | OTHER_BITS, 0, 0]);
    by_success(copied)
}

pub(super) fn length_bits(prober: &mut Prober) -> Shown<Bits> {
    if !new_pipe(prober) {
        return Shown::Nothing(NO_PIPE);
    }
    let buffer = prober.layout.data.start;
    prober.call(SystemCall::Write, [WRITE_END, buffer, 2]);
    clear(
        match prober.call(SystemCall::Read, [READ_END, buffer, 1 | OTHER_BITS]) {
            Seen::Returned(1) => Some((
                Bits::ThirtyTwo,
                "with other bits in the high half of the length, a `read` of one byte reads one",
            )),
            Seen::Returned(_) => Some((
                Bits::SixtyFour,
                "with other bits in the high half of the length, a `read` of one byte reads more or fails",
            )),
            Seen::Silent { .. } | Seen::Broken => None,
        },
    )
}

pub(super) fn pid_bits(prober: &mut Prober) -> Shown<Bits> {
    prober.reset();
    let Some(pid) = prober.fork(Prober::child()).value() else {
        return clear(None);
    };
    let killed = prober.call(SystemCall::Kill, [pid | OTHER_BITS, 0, 0]);
    by_success(killed)
}

pub(super) fn ticks_bits(prober: &mut Prober) -> Shown<Bits> {
    prober.reset();
    clear(match prober.call(SystemCall::Pause, [OTHER_BITS, 0, 0]) {
        Seen::Returned(_) => Some((
            Bits::ThirtyTwo,
            "with other bits in the high half of its argument, a pause of 0 ticks ends at once",
        )),
        Seen::Silent { .. } => Some((
            Bits::SixtyFour,
            "with other bits in the high half of its argument, a pause of 0 ticks does not end at once",
        )),
        Seen::Broken => None,
    })
}

pub(super) fn mode_bits(prober: &mut Prober) -> Shown<Bits> {
    prober.reset();
    let path = prober.store_path("init", 0);
    let opened = prober.call(SystemCall::Open, [path, OTHER_BITS, 0]);
    by_success(opened)
}

/// What the success or failure of a call shows. The low half of its argument was right, and the high half was not.
fn by_success(seen: Seen) -> Shown<Bits> {
    clear(match seen {
        Seen::Returned(FAILED) => Some((
            Bits::SixtyFour,
            "with other bits in the high half of its argument, the call fails",
        )),
        Seen::Returned(_) => Some((
            Bits::ThirtyTwo,
            "with other bits in the high half of its argument, the call succeeds",
        )),
        Seen::Silent { .. } | Seen::Broken => None,
    })
}
