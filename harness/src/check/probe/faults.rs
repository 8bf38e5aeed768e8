//! What happens on a forbidden access.

use super::prober::{ASKED, Prober, Seen};
use super::{Shown, clear};
use oracle::layout::PAGE_SIZE;

/// So far beyond the break a page is not near it.
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
    let is_told = |told| seen.contains(&Seen::Silent { announced: told });
    clear(match (is_told(true), is_told(false)) {
        (false, false) => None,
        (true, false) => Some((
            true,
            "the kernel says on the console that it kills for a fault",
        )),
        (false, true) => Some((
            false,
            "the kernel does not say on the console that it kills for a fault",
        )),
        (true, true) => Some((
            false,
            "the kernel does not always say on the console that it kills for a fault",
        )),
    })
}
