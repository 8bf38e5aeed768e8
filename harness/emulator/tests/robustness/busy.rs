//! A guest that keeps everything busy, and the comparison of two machines in everything observable.

use crate::support::rig::{RAM, RAM_BYTES, boot_with_disk};
use emulator::{Clock, Config, DiskFlavour, Machine};

/// Every hart takes timer interrupts, rewrites its own code, counts under a lock, and scribbles over
/// its memory; hart 0 also prints and writes disk sectors.
const PROGRAM: &str = "
    csrr s0, mhartid
    la t0, handler
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li s1, 0x2004000        # this hart's comparator
    slli t0, s0, 3
    add s1, s1, t0
    li s2, 0x200bff8        # the time
    ld t0, 0(s2)
    addi t0, t0, 300
    sd t0, 0(s1)
    li t0, 0x80
    csrw mie, t0
    csrsi mstatus, 8
    la s3, lock
    la s4, counter
    li s5, 0x9e3779b97f4a7c15
    addi s6, s0, 1          # pseudo-random state
    la s9, area
    slli t0, s0, 16
    add s9, s9, t0          # 64 KiB of memory a hart
    la s10, routine
    slli t0, s0, 12
    add s10, s10, t0        # a page of code a hart
    li t0, 0x00150513       # addi a0, a0, 1
    sw t0, 0(s10)
    li t0, 0x00008067       # ret
    sw t0, 4(s10)
    fence.i
    bnez s0, work
    li t1, 0x10001000       # the disk
    li t0, 11
    sw t0, 0x70(t1)
    li t0, 8
    sw t0, 0x38(t1)
    la t0, descriptors
    sw t0, 0x80(t1)
    la t0, available
    sw t0, 0x90(t1)
    la t0, used
    sw t0, 0xa0(t1)
    li t0, 1
    sw t0, 0x44(t1)
    li t0, 15
    sw t0, 0x70(t1)
    la t0, descriptors
    la t1, header
    sd t1, 0(t0)
    sd s9, 16(t0)
    la t1, status
    sd t1, 32(t0)

    work:
    mul s6, s6, s5
    addi s6, s6, 7
    srli t0, s6, 50
    slli t0, t0, 2
    add t0, s9, t0
    sw s6, 0(t0)
    acquire:
    li t1, 1
    amoswap.w.aq t1, t1, (s3)
    bnez t1, acquire
    ld t1, 0(s4)
    addi t1, t1, 1
    sd t1, 0(s4)
    amoswap.w.rl zero, zero, (s3)
    jal ra, again
    srli t0, s6, 58
    bnez t0, work
    lw t0, 0(s10)           # one of 64 rounds: the routine adds one more
    li t1, 0x00100000
    add t0, t0, t1
    sw t0, 0(s10)
    fence.i
    bnez s0, work
    li t0, 0x10000000
    srli t1, s6, 40
    andi t1, t1, 15
    addi t1, t1, 65
    sb t1, 0(t0)
    la t0, header           # write one of sixteen sectors
    sw t1, 8(t0)
    la t0, available
    lhu t1, 2(t0)
    addi t1, t1, 1
    sh t1, 2(t0)
    li t0, 0x10001000
    sw zero, 0x50(t0)
    lw t1, 0x60(t0)
    sw t1, 0x64(t0)
    j work

    again:
    jalr zero, s10, 0

    .align 4
    handler:
    csrrw t0, mscratch, t0
    ld t0, 0(s2)
    addi t0, t0, 300
    sd t0, 0(s1)
    addi s8, s8, 1
    csrrw t0, mscratch, t0
    mret

    .align 8
    lock: .dword 0
    counter: .dword 0
    .align 16
    descriptors:
    .dword 0
    .word 16
    .half 1, 1
    .dword 0
    .word 512
    .half 1, 2
    .dword 0
    .word 1
    .half 2, 0
    .align 16
    available: .zero 32
    used: .zero 128
    header:
    .word 1, 0
    .dword 0
    status: .byte 0
    .align 4096
    routine: .zero 32768
    area:
";

/// A machine running the busy guest.
pub(crate) fn machine(harts: usize, quantum: u32) -> Machine {
    let config = Config {
        ram_bytes: RAM_BYTES,
        harts,
        quantum,
        clock: Clock::Running {
            instructions_per_tick: 3,
        },
        disk: DiskFlavour::Modern,
        coverage: emulator::Coverage::All,
        ..Config::default()
    };
    boot_with_disk(&config, PROGRAM, vec![0x5a; 128 * 512])
}

/// Panics at the first thing in which two machines differ.
pub(crate) fn assert_identical(one: &Machine, other: &Machine, harts: usize, what: &str) {
    assert_eq!(
        one.retired(),
        other.retired(),
        "{what}: instructions retired"
    );
    for hart in 0..harts {
        assert_eq!(one.pc(hart), other.pc(hart), "{what}: pc of hart {hart}");
        assert_eq!(
            one.privilege(hart),
            other.privilege(hart),
            "{what}: mode of hart {hart}"
        );
        assert_eq!(
            one.last_user_trap(hart),
            other.last_user_trap(hart),
            "{what}: last trap of hart {hart}"
        );
        for register in 0..32 {
            let (ours, theirs) = (one.x(hart, register), other.x(hart, register));
            assert_eq!(ours, theirs, "{what}: x{register} of hart {hart}");
        }
        for number in 0..4096 {
            let (ours, theirs) = (one.csr(hart, number), other.csr(hart, number));
            assert_eq!(ours, theirs, "{what}: CSR {number:#x} of hart {hart}");
        }
    }
    let [mut ours, mut theirs] = [vec![0; RAM_BYTES as usize], vec![0; RAM_BYTES as usize]];
    one.read_physical(RAM, &mut ours)
        .expect("all of RAM can be read");
    other
        .read_physical(RAM, &mut theirs)
        .expect("all of RAM can be read");
    let difference = ours
        .iter()
        .zip(&theirs)
        .position(|(ours, theirs)| ours != theirs);
    assert_eq!(difference, None, "{what}: offset in RAM");
    assert!(one.disk() == other.disk(), "{what}: the disks");
}

/// As [`assert_identical`], and the machines go on identically for a while, devices included.
pub(crate) fn assert_same_future(one: &mut Machine, other: &mut Machine, harts: usize, what: &str) {
    assert_identical(one, other, harts, what);
    assert_eq!(
        one.console_output(),
        other.console_output(),
        "{what}: the console"
    );
    assert_eq!(
        one.run(20_000),
        other.run(20_000),
        "{what}, afterwards: exit"
    );
    assert_identical(one, other, harts, &format!("{what}, afterwards"));
    assert_eq!(
        one.console_output(),
        other.console_output(),
        "{what}, afterwards: the console"
    );
}

#[test]
fn the_busy_guest_is_busy() {
    let mut machine = machine(2, 100);
    let before = machine.disk();
    assert_eq!(machine.run(400_000), emulator::Exit::Budget);
    assert!(machine.console_output().len() > 10, "it prints");
    assert!(machine.disk() != before, "it writes the disk");
    for hart in 0..2 {
        assert!(
            machine.x(hart, 24) > 50,
            "hart {hart} takes timer interrupts"
        );
        assert!(
            machine.x(hart, 10) > 1000,
            "hart {hart} runs the code that it writes"
        );
    }
    assert!(
        machine.edges().iter().filter(|count| **count > 0).count() > 5,
        "edges are counted"
    );
}
