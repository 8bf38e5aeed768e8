//! Causes of traps, as in `scause` and `mcause` (privileged specification, "Supervisor Cause
//! Register").

/// Set in the cause of an interrupt; the rest is the interrupt's number.
pub const INTERRUPT: u64 = 1 << 63;

/// A jump to an odd address.
pub const INSTRUCTION_MISALIGNED: u64 = 0;
/// A fetch that physical memory or its protection refuses.
pub const INSTRUCTION_ACCESS_FAULT: u64 = 1;
/// No such instruction, or not in this mode.
pub const ILLEGAL_INSTRUCTION: u64 = 2;
/// `ebreak`.
pub const BREAKPOINT: u64 = 3;
/// A load from an address that is not a multiple of its width.
pub const LOAD_MISALIGNED: u64 = 4;
/// A load that physical memory or its protection refuses.
pub const LOAD_ACCESS_FAULT: u64 = 5;
/// A store or an atomic operation at an address that is not a multiple of its width.
pub const STORE_MISALIGNED: u64 = 6;
/// A store that physical memory or its protection refuses.
pub const STORE_ACCESS_FAULT: u64 = 7;
/// `ecall` from U-mode; from S-mode it is one more, from M-mode three more.
pub const USER_CALL: u64 = 8;
/// A fetch that the page table refuses.
pub const INSTRUCTION_PAGE_FAULT: u64 = 12;
/// A load that the page table refuses.
pub const LOAD_PAGE_FAULT: u64 = 13;
/// A store that the page table refuses.
pub const STORE_PAGE_FAULT: u64 = 15;

/// A cause in the words of the specification.
pub fn describe(cause: u64) -> &'static str {
    match cause {
        INSTRUCTION_MISALIGNED => "instruction address misaligned",
        INSTRUCTION_ACCESS_FAULT => "instruction access fault",
        ILLEGAL_INSTRUCTION => "illegal instruction",
        BREAKPOINT => "breakpoint",
        LOAD_MISALIGNED => "load address misaligned",
        LOAD_ACCESS_FAULT => "load access fault",
        STORE_MISALIGNED => "store address misaligned",
        STORE_ACCESS_FAULT => "store access fault",
        USER_CALL => "system call",
        INSTRUCTION_PAGE_FAULT => "instruction page fault",
        LOAD_PAGE_FAULT => "load page fault",
        STORE_PAGE_FAULT => "store page fault",
        _ if cause & INTERRUPT != 0 => "interrupt",
        _ => "unknown cause",
    }
}

/// Whether the value that comes with this cause is the address of an access that was refused.
pub fn is_refused_access(cause: u64) -> bool {
    matches!(
        cause,
        LOAD_ACCESS_FAULT
            | STORE_ACCESS_FAULT
            | INSTRUCTION_PAGE_FAULT
            | LOAD_PAGE_FAULT
            | STORE_PAGE_FAULT
    )
}
