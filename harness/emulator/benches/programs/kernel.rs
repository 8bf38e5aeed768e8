//! The kernel under the measured programs: boot, the way in and out, three system calls, and the
//! first touch of a page.

/// Entered in M-mode at the start of RAM; then in S-mode, through the trampoline.
pub(super) const TEXT: &str = "
    la t0, machine_trap
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0xb15f               # access faults stay with M-mode
    csrw medeleg, t0
    la t0, supervisor
    csrw mepc, t0
    li t0, 0x800
    csrw mstatus, t0
    mret

    supervisor:
    li t0, kernel_satp
    sfence.vma
    csrw satp, t0
    sfence.vma
    li s0, free_frames          # a list of 256 free frames
    li s1, 256
    li s2, 0
    link:
    sd s2, 0(s0)
    mv s2, s0
    li t0, 4096
    add s0, s0, t0
    addi s1, s1, -1
    bnez s1, link
    la t0, free_list
    sd s2, 0(t0)
    li s0, trapframe
    li t0, text_virtual
    sd t0, 24(s0)               # where the user starts
    li t0, kernel_satp
    sd t0, 0(s0)
    la t0, stack_top
    sd t0, 8(s0)
    la t0, trapped
    sd t0, 16(s0)
    j return_to_user

    trapped:                    # from the trampoline, on the kernel's page table
    addi sp, sp, -32
    sd ra, 24(sp)
    la t0, kernel_vector
    csrw stvec, t0
    li s0, trapframe
    csrr t0, sepc
    sd t0, 24(s0)
    csrr s1, scause
    li t0, 8
    beq s1, t0, system_call
    li t0, 15
    beq s1, t0, page_fault
    li t0, 13
    beq s1, t0, page_fault
    j failed

    system_call:
    ld t0, 24(s0)
    addi t0, t0, 4
    sd t0, 24(s0)
    csrsi sstatus, 2            # interrupts on while the call is served
    ld a7, 168(s0)
    li t0, 3
    bgeu a7, t0, failed
    la t1, table
    slli t0, a7, 3
    add t1, t1, t0
    ld t1, 0(t1)
    jalr ra, t1, 0
    sd a0, 112(s0)
    j handled

    page_fault:
    csrr s1, stval
    li t0, lazy_start
    bltu s1, t0, failed
    jal ra, take_frame
    mv s2, a0
    mv a0, s2                   # zero it byte by byte
    li a1, 0
    li a2, 4096
    jal ra, fill
    li t0, lazy_start
    sub t0, s1, t0
    srli t0, t0, 12
    slli t0, t0, 3
    li t1, lazy_table
    add t1, t1, t0
    srli t2, s2, 2
    ori t2, t2, 0xd7
    sd t2, 0(t1)

    handled:
    ld ra, 24(sp)
    addi sp, sp, 32
    return_to_user:
    csrci sstatus, 2
    li t0, trampoline_virtual
    csrw stvec, t0
    li s0, trapframe
    ld t0, 24(s0)
    csrw sepc, t0
    li t0, 0x100
    csrc sstatus, t0
    li t0, 0x20
    csrs sstatus, t0
    li a0, user_satp
    li t0, trampoline_virtual
    addi t0, t0, 256
    jr t0

    call_getpid:
    addi sp, sp, -16
    sd ra, 8(sp)
    jal ra, acquire
    la t0, process
    ld a0, 0(t0)
    addi sp, sp, -16
    sd a0, 0(sp)
    jal ra, release
    ld a0, 0(sp)
    addi sp, sp, 16
    ld ra, 8(sp)
    addi sp, sp, 16
    ret

    call_unmap:                 # gives every lazy page back
    addi sp, sp, -16
    sd ra, 8(sp)
    li s1, lazy_table
    li s2, 256
    unmap:
    ld t0, 0(s1)
    andi t1, t0, 1
    beqz t1, unmapped
    sd zero, 0(s1)
    srli a0, t0, 10
    slli a0, a0, 12
    jal ra, give_frame
    unmapped:
    addi s1, s1, 8
    addi s2, s2, -1
    bnez s2, unmap
    li a0, 0
    ld ra, 8(sp)
    addi sp, sp, 16
    ret

    call_exit:
    la t0, ended
    sd t0, 0(t0)
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
    halt: j halt

    machine_trap:               # a machine without the finisher gets here in the end
    la t0, ended
    ld t0, 0(t0)
    bnez t0, halt
    failed:
    li t0, 0x100000
    li t1, 0x13333
    sw t1, 0(t0)
    j failed

    .align 4
    kernel_vector:
    j failed

    take_frame:
    addi sp, sp, -16
    sd ra, 8(sp)
    jal ra, acquire
    la t0, free_list
    ld t1, 0(t0)
    beqz t1, failed
    ld t2, 0(t1)
    sd t2, 0(t0)
    sd t1, 0(sp)
    jal ra, release
    ld a0, 0(sp)
    ld ra, 8(sp)
    addi sp, sp, 16
    ret

    give_frame:
    addi sp, sp, -16
    sd ra, 8(sp)
    sd a0, 0(sp)
    jal ra, acquire
    ld a0, 0(sp)
    la t0, free_list
    ld t1, 0(t0)
    sd t1, 0(a0)
    sd a0, 0(t0)
    jal ra, release
    ld ra, 8(sp)
    addi sp, sp, 16
    ret

    acquire:
    csrrci t2, sstatus, 2
    la t0, lock
    taken:
    li t1, 1
    amoswap.w.aq t1, t1, (t0)
    bnez t1, taken
    fence
    sd t2, 8(t0)
    ret

    release:
    la t0, lock
    ld t2, 8(t0)
    fence
    amoswap.w.rl zero, zero, (t0)
    andi t2, t2, 2
    csrs sstatus, t2
    ret

    fill:                       # a0 with a1, a2 bytes, as a C compiler writes it
    add a2, a2, a0
    filling:
    sb a1, 0(a0)
    addi a0, a0, 1
    bne a0, a2, filling
    ret

    .align 16
    table: .dword call_getpid, call_unmap, call_exit
    lock: .dword 0, 0
    process: .dword 7
    free_list: .dword 0
    ended: .dword 0
    .align 16
    stack: .zero 4096
    stack_top: .dword 0
";

/// The page that both address spaces share, at its virtual address: in at its start, out at 256.
pub(super) const TRAMPOLINE: &str = "
    csrw sscratch, a0
    li a0, trapframe_virtual
    sd ra, 40(a0)
    sd sp, 48(a0)
    sd gp, 56(a0)
    sd tp, 64(a0)
    sd t0, 72(a0)
    sd t1, 80(a0)
    sd t2, 88(a0)
    sd s0, 96(a0)
    sd s1, 104(a0)
    sd a1, 120(a0)
    sd a2, 128(a0)
    sd a3, 136(a0)
    sd a4, 144(a0)
    sd a5, 152(a0)
    sd a6, 160(a0)
    sd a7, 168(a0)
    sd s2, 176(a0)
    sd s3, 184(a0)
    sd s4, 192(a0)
    sd s5, 200(a0)
    sd s6, 208(a0)
    sd s7, 216(a0)
    sd s8, 224(a0)
    sd s9, 232(a0)
    sd s10, 240(a0)
    sd s11, 248(a0)
    sd t3, 256(a0)
    sd t4, 264(a0)
    sd t5, 272(a0)
    sd t6, 280(a0)
    csrr t0, sscratch
    sd t0, 112(a0)
    ld sp, 8(a0)
    ld t0, 16(a0)
    ld t1, 0(a0)
    sfence.vma
    csrw satp, t1
    sfence.vma
    jr t0

    .align 256
    sfence.vma
    csrw satp, a0
    sfence.vma
    li a0, trapframe_virtual
    ld ra, 40(a0)
    ld sp, 48(a0)
    ld gp, 56(a0)
    ld tp, 64(a0)
    ld t0, 72(a0)
    ld t1, 80(a0)
    ld t2, 88(a0)
    ld s0, 96(a0)
    ld s1, 104(a0)
    ld a1, 120(a0)
    ld a2, 128(a0)
    ld a3, 136(a0)
    ld a4, 144(a0)
    ld a5, 152(a0)
    ld a6, 160(a0)
    ld a7, 168(a0)
    ld s2, 176(a0)
    ld s3, 184(a0)
    ld s4, 192(a0)
    ld s5, 200(a0)
    ld s6, 208(a0)
    ld s7, 216(a0)
    ld s8, 224(a0)
    ld s9, 232(a0)
    ld s10, 240(a0)
    ld s11, 248(a0)
    ld t3, 256(a0)
    ld t4, 264(a0)
    ld t5, 272(a0)
    ld t6, 280(a0)
    ld a0, 112(a0)
    sret
";
