//! Traps from the kernel itself: only interrupts.

use core::arch::global_asm;

use super::{cause, interrupt};
use crate::arch::csr::{self, SSTATUS_SPP};
use crate::scheduling::scheduler;

// Saves the registers that a function call may change. `tp` is not saved, because the interrupted
// thread may continue on another hart.
global_asm!(
    r#"
    .macro each_caller_saved op
    \op ra, 0(sp)
    \op t0, 8(sp)
    \op t1, 16(sp)
    \op t2, 24(sp)
    \op a0, 32(sp)
    \op a1, 40(sp)
    \op a2, 48(sp)
    \op a3, 56(sp)
    \op a4, 64(sp)
    \op a5, 72(sp)
    \op a6, 80(sp)
    \op a7, 88(sp)
    \op t3, 96(sp)
    \op t4, 104(sp)
    \op t5, 112(sp)
    \op t6, 120(sp)
    \op gp, 128(sp)
    .endm

    .section .text
    .globl kernel_vector
    .align 2
kernel_vector:
    addi sp, sp, -144
    each_caller_saved sd
    call kernel_trap
    each_caller_saved ld
    addi sp, sp, 144
    sret
"#
);

unsafe extern "C" {
    safe static kernel_vector: u8;
}

/// What `stvec` holds while the kernel runs.
pub fn vector() -> u64 {
    core::ptr::from_ref(&kernel_vector).addr() as u64
}

/// Makes traps on this hart come here, and lets the devices interrupt.
pub fn initialise() {
    // SAFETY: the vector handles every trap from the kernel; interrupts are still off.
    unsafe {
        csr::stvec::write(vector());
        csr::sie::set(csr::SIE_EXTERNAL | csr::SIE_TIMER);
    }
}

#[unsafe(no_mangle)]
extern "C" fn kernel_trap() {
    let scause = csr::scause::read();
    let sepc = csr::sepc::read();
    let sstatus = csr::sstatus::read();
    match scause {
        cause::TIMER => {
            interrupt::timer();
            // Interrupts are off here, so this is the thread that was interrupted.
            if let Some(thread) = scheduler::current() {
                scheduler::yield_now(thread);
            }
        }
        cause::EXTERNAL => interrupt::external(),
        _ => panic!(
            "kerneltrap: scause={scause:#x} sepc={sepc:#x} stval={:#x} from supervisor mode: {}",
            csr::stval::read(),
            sstatus & SSTATUS_SPP != 0,
        ),
    }
    // SAFETY: other traps may have come while this thread had yielded; this restores what `sret`
    // needs to go on with the interrupted code.
    unsafe {
        csr::sepc::write(sepc);
        csr::sstatus::write(sstatus);
    }
}
