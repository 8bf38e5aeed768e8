//! The way from the kernel to user mode.

use core::arch::asm;

use super::{Task, trampoline};
use crate::arch::csr::{self, SSTATUS_SPIE, SSTATUS_SPP};
use crate::arch::{hart, interrupt};

/// Leaves the kernel for the process's user program. The next trap begins with an empty stack.
pub fn enter(task: Task<'_>) -> ! {
    // From here on a trap would be taken for one from user mode.
    interrupt::disable();
    let hart = hart::id();
    task.trapframe.kernel_hart = hart as u64;
    task.space.settle(hart);
    // SAFETY: the trampoline and the trapframe are mapped in the process's page table at the
    // addresses that the code there uses; the trapframe says how to come back. Interrupts stay off
    // until `sret` has switched to user mode.
    unsafe {
        csr::stvec::write(trampoline::ENTER);
        csr::sepc::write(task.trapframe.program_counter);
        csr::sstatus::clear(SSTATUS_SPP);
        csr::sstatus::set(SSTATUS_SPIE);
        asm!(
            "jr {leave}",
            leave = in(reg) trampoline::LEAVE,
            in("a0") task.space.satp(),
            options(noreturn)
        );
    }
}
