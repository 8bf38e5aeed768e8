//! Turning interrupts off and on again, nested.
//!
//! Interrupts are off on a hart while it holds any spin lock: an interrupt handler that wants a
//! lock its own hart holds would wait for ever.

use super::csr::{self, SSTATUS_SIE};
use super::hart;

/// Turns interrupts on, whether they were on before or not. Only for code that holds no lock.
#[inline(always)]
pub fn enable() {
    // SAFETY: the trap vector is installed before any hart comes here, and handlers take only
    // locks that are never held with interrupts on.
    unsafe { csr::sstatus::set(SSTATUS_SIE) };
}

/// Turns interrupts off; not nested.
#[inline(always)]
pub fn disable() {
    // SAFETY: turning interrupts off cannot break memory safety.
    unsafe { csr::sstatus::clear(SSTATUS_SIE) };
}

/// Turns interrupts off until the matching [`pop_off`].
#[inline]
pub fn push_off() {
    // SAFETY: turning interrupts off cannot break memory safety.
    let before = unsafe { csr::sstatus::clear(SSTATUS_SIE) };
    let hart = hart::this();
    let depth = hart.interrupts_off_depth.get();
    if depth == 0 {
        hart.interrupts_were_on.set(before & SSTATUS_SIE != 0);
    }
    hart.interrupts_off_depth.set(depth.wrapping_add(1));
}

/// Undoes one [`push_off`]: the last one turns interrupts on if they were on before the first.
#[inline]
pub fn pop_off() {
    let hart = hart::this();
    let depth = hart.interrupts_off_depth.get().wrapping_sub(1);
    hart.interrupts_off_depth.set(depth);
    if depth == 0 && hart.interrupts_were_on.get() {
        enable();
    }
}

/// Asks for a timer interrupt on this hart when the clock reaches `deadline`. This replaces the
/// request before, and clears a timer interrupt that is pending.
#[inline]
pub fn set_timer(deadline: u64) {
    // SAFETY: sets an alarm; it interrupts only where interrupts are on.
    unsafe { csr::stimecmp::write(deadline) };
}
