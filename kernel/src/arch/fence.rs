//! Fences: what must be ordered, or forgotten by the hart, before it continues.

use core::arch::asm;

/// Makes this hart forget every translation of one address space.
#[inline(always)]
pub fn translations_of(address_space: u16) {
    // SAFETY: a fence only discards cached translations; the hart reads the tables again.
    unsafe { asm!("sfence.vma zero, {}", in(reg) u64::from(address_space), options(nostack)) }
}

/// Makes this hart forget every translation.
pub fn all_translations() {
    // SAFETY: as above.
    unsafe { asm!("sfence.vma zero, zero", options(nostack)) }
}

/// Makes this hart fetch instructions from memory as it is now.
pub fn instructions() {
    // SAFETY: a fence changes no memory.
    unsafe { asm!("fence.i", options(nostack)) }
}

/// Orders memory and device accesses before against those after.
#[inline(always)]
pub fn devices() {
    // SAFETY: a fence changes no memory.
    unsafe { asm!("fence iorw, iorw", options(nostack)) }
}
