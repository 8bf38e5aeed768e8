//! What happens on a forbidden access.

use super::prober::{ASKED, Prober, Seen};
use super::{Shown, clear};
use oracle::layout::PAGE_SIZE;

/// A page at this distance from the break is not near it.
const PAGES_BEYOND: u64 = 8;

/// Many kernels treat loads and stores differently. If only some kills are announced, silence proves
/// nothing.
pub(super) fn announced(prober: &mut Prober) -> Shown<bool> {
    let guard = prober.layout.guard.start;
    let beyond = prober.layout.heap + PAGES_BEYOND * PAGE_SIZE;
    let mut seen = Vec::new();
    for address in [guard, beyond] {
        prober.reset();
        seen.push(prober.load(address));
        prober.reset();
        seen.push(prober.store(ASKED, address));
    }
    let has_announced = |announced| seen.contains(&Seen::Silent { announced });
    clear(match (has_announced(true), has_announced(false)) {
        (false, false) => None,
        (true, false) => Some((
            true,
            "the kernel prints on the console that it kills a process for a page fault",
        )),
        (false, true) => Some((
            false,
            "the kernel does not print on the console that it kills a process for a page fault",
        )),
        (true, true) => Some((
            false,
            "the kernel does not always print on the console that it kills a process for a page fault",
        )),
    })
}
