//! The page of code that is mapped at one address in every page table, so that it can switch from
//! one to another: from user mode into the kernel and back.
//!
//! The switch needs no fence where user translations carry their process's address-space identifier: the kernel's carry
//! zero and never change. If a hart has too few identifiers, a process has zero as well, and each switch is a fence.

use core::arch::global_asm;

use abi::layout::{TRAMPOLINE, TRAPFRAME};

/// Where traps from user mode enter: the first instruction of the page.
pub const ENTER: u64 = TRAMPOLINE;
/// Where the kernel leaves for user mode, with the process's `satp` in `a0`.
pub const LEAVE: u64 = TRAMPOLINE + LEAVE_OFFSET;
const LEAVE_OFFSET: u64 = 256;

global_asm!(
    r#"
    .macro each_register op
    \op ra, 40(a0)
    \op sp, 48(a0)
    \op gp, 56(a0)
    \op tp, 64(a0)
    \op t0, 72(a0)
    \op t1, 80(a0)
    \op t2, 88(a0)
    \op s0, 96(a0)
    \op s1, 104(a0)
    \op a1, 120(a0)
    \op a2, 128(a0)
    \op a3, 136(a0)
    \op a4, 144(a0)
    \op a5, 152(a0)
    \op a6, 160(a0)
    \op a7, 168(a0)
    \op s2, 176(a0)
    \op s3, 184(a0)
    \op s4, 192(a0)
    \op s5, 200(a0)
    \op s6, 208(a0)
    \op s7, 216(a0)
    \op s8, 224(a0)
    \op s9, 232(a0)
    \op s10, 240(a0)
    \op s11, 248(a0)
    \op t3, 256(a0)
    \op t4, 264(a0)
    \op t5, 272(a0)
    \op t6, 280(a0)
    .endm

    # Forgets all translations if the satp of a process, in a register that is lost, has no identifier.
    .macro fence_without_identifier register
    slli \register, \register, 4
    srli \register, \register, 48
    bnez \register, 9f
    sfence.vma zero, zero
9:
    .endm

    .section .trampoline, "ax"

    # A trap from user mode: save the registers, go on in the kernel.
    csrw sscratch, a0
    li a0, {trapframe}
    each_register sd
    csrr t0, sscratch
    sd t0, 112(a0)
    ld t1, 0(a0)
    ld sp, 8(a0)
    ld t0, 16(a0)
    ld tp, 32(a0)
    csrrw t1, satp, t1
    fence_without_identifier t1
    jr t0

    # With satp in a0: restore the registers, go on in user mode.
    .org {leave}
    csrw satp, a0
    fence_without_identifier a0
    li a0, {trapframe}
    each_register ld
    ld a0, 112(a0)
    sret
"#,
    leave = const LEAVE_OFFSET,
    trapframe = const TRAPFRAME,
);
