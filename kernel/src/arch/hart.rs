//! What each hart keeps for itself.

use core::arch::asm;
use core::cell::Cell;

use abi::limits::HARTS;

/// The state of one hart. Only that hart touches it, with interrupts off where an interrupt
/// handler could see a change half done. (Aligned to a cache line of its own.)
#[repr(align(64))]
pub struct Hart {
    /// How many times interrupts were turned off and not yet on again.
    pub(super) interrupts_off_depth: Cell<u32>,
    /// Whether they were on before the first time.
    pub(super) interrupts_were_on: Cell<bool>,
}

// SAFETY: `this` hands a hart's state to that hart alone, so no two harts share one.
unsafe impl Sync for Hart {}

static STATE: [Hart; HARTS] = [const {
    Hart {
        interrupts_off_depth: Cell::new(0),
        interrupts_were_on: Cell::new(false),
    }
}; HARTS];

impl Hart {
    /// Whether interrupts were on before this hart first turned them off; the scheduler saves it
    /// with a thread that gives up the hart.
    pub fn interrupts_were_on(&self) -> bool {
        self.interrupts_were_on.get()
    }

    /// Restores what [`Hart::interrupts_were_on`] gave.
    pub fn set_interrupts_were_on(&self, on: bool) {
        self.interrupts_were_on.set(on);
    }

    /// How many times interrupts were turned off on this hart and not yet on again.
    pub fn interrupts_off_depth(&self) -> u32 {
        self.interrupts_off_depth.get()
    }
}

/// This hart's number: boot put it into `tp`, and the trampoline puts it back on every trap.
#[inline(always)]
pub fn id() -> usize {
    let id: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mv {}, tp", out(reg) id, options(nomem, nostack)) };
    id
}

/// This hart's state. With interrupts on, the caller may find itself on another hart any time:
/// only code with interrupts off may keep the reference.
#[inline(always)]
pub fn this() -> &'static Hart {
    // Boot parks harts beyond the table, so the mask changes nothing; it saves a bounds check.
    &STATE[id() & (HARTS - 1)]
}

/// Waits for an interrupt to become pending, even while interrupts are off.
pub fn wait_for_interrupt() {
    // SAFETY: changes nothing.
    unsafe { asm!("wfi", options(nomem, nostack)) };
}
