//! From reset to supervisor mode: every hart enters at the start of RAM in machine mode.

use core::arch::{asm, global_asm};

use abi::limits::HARTS;

use crate::arch::csr;
use crate::devices::clock;
use crate::scheduling::stack::HART_STACK_BYTES;

global_asm!(
    r#"
    .section .text.entry, "ax"
    .globl _entry
_entry:
    csrr t0, mhartid
    li t1, {harts}
    bgeu t0, t1, 1f
    # The stack of hart n ends n+1 stacks above the first one's start.
    la sp, HART_STACKS
    li t1, {stack}
    addi t2, t0, 1
2:  add sp, sp, t1
    addi t2, t2, -1
    bnez t2, 2b
    mv tp, t0
    call machine_start
1:  # A hart too many.
    wfi
    j 1b
"#,
    harts = const HARTS,
    stack = const HART_STACK_BYTES,
);

// Tells a checker how this kernel may differ from others. The section is not loaded.
global_asm!(
    r#"
    .section .faultline.dialect, "", @progbits
    .ascii "faultline"
    .text
"#
);

/// Sets up what only machine mode can, and continues in supervisor mode in `main`. The machine's
/// firmware, or its reset code, names the device tree.
#[unsafe(no_mangle)]
extern "C" fn machine_start(_hart: u64, device_tree: u64) -> ! {
    // SAFETY: this is the first code that runs on this hart. Supervisor mode gets all of memory,
    // all traps, the clock and the timer; translation is off, so addresses stay what they are.
    unsafe {
        csr::mstatus::clear(csr::MSTATUS_MPP);
        csr::mstatus::set(csr::MSTATUS_MPP_SUPERVISOR);
        csr::mepc::write(crate::main as *const () as u64);
        csr::satp::write(0);
        csr::medeleg::write(0xffff);
        csr::mideleg::write(0xffff);
        csr::pmpaddr0::write(u64::MAX >> 10);
        csr::pmpcfg0::write(csr::PMP_TOP_OF_RANGE_RWX);
        csr::menvcfg::set(csr::MENVCFG_STCE);
        csr::mcounteren::set(csr::MCOUNTEREN_TIME);
        clock::arm();
        asm!("mret", in("a0") device_tree, options(noreturn));
    }
}
