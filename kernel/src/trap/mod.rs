//! Traps: from user mode through the trampoline, and from the kernel itself.

mod interrupt;
pub mod kernel;
pub mod user;

/// `scause` of the traps that the kernel knows by name.
pub mod cause {
    /// The bit that distinguishes interrupts from exceptions.
    pub const INTERRUPT: u64 = 1 << 63;
    /// The timer.
    pub const TIMER: u64 = INTERRUPT | 5;
    /// A device.
    pub const EXTERNAL: u64 = INTERRUPT | 9;
    /// `ecall` in user mode.
    pub const SYSTEM_CALL: u64 = 8;
    /// A fetch that the page table does not allow.
    pub const FETCH_PAGE_FAULT: u64 = 12;
    /// A load that the page table does not allow.
    pub const LOAD_PAGE_FAULT: u64 = 13;
    /// A store that the page table does not allow.
    pub const STORE_PAGE_FAULT: u64 = 15;
}
