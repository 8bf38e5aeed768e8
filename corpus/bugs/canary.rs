//! Canaries: how a kernel with a seeded bug tells that the bug was reached, and that it had an effect.
//! `faultline bugs` adds this file to the kernels that it builds; no other kernel has it.

use core::hint::black_box;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::memory::Frame;

/// Called where the changed code runs; `triggered` says whether its wrong is done now.
#[inline]
pub fn reached(triggered: bool) {
    canary_reached();
    if triggered {
        canary_triggered();
    }
}

/// The place of a breakpoint. (The two differ, so that no linker makes one of them.)
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn canary_reached() {
    black_box(1);
}

/// The place of a breakpoint.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn canary_triggered() {
    black_box(2);
}

/// Whether a frame holds anything but zeros.
#[allow(dead_code, reason = "not every bug asks")]
pub fn is_dirty(frame: Frame) -> bool {
    let mut words = frame.words().iter();
    words.any(|word| word.load(Ordering::Relaxed) != 0)
}

/// Whether it is not the first time that this is asked about `number`, which is below 128.
#[allow(dead_code, reason = "not every bug asks")]
pub fn is_second(number: u16) -> bool {
    static SEEN: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
    let bit = 1 << (number % 64);
    SEEN[usize::from(number / 64) % 2].fetch_or(bit, Ordering::Relaxed) & bit != 0
}
