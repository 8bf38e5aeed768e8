//! Exceptions: every cause, what the trap registers hold, delegation, and the way back.

use crate::support::rig;
use crate::support::table::check;

#[test]
fn environment_calls_and_breakpoints() {
    check(
        "
        mode=M           | ecall   => mtrap=11,0
        mode=S           | ecall   => mtrap=9,0
        mode=U           | ecall   => mtrap=8,0
        mode=M           | ebreak  => mtrap=3,0
        mode=S           | ebreak  => mtrap=3,0
        mode=U           | ebreak  => mtrap=3,0
        mode=U           | c.ebreak => mtrap=3,0
        ",
    );
}

#[test]
fn illegal_instructions_report_their_bits() {
    check(
        "
        mode=M | .word 0xffffffff   => mtrap=2,0xffffffff
        mode=U | .word 0x0000007f   => mtrap=2,0x7f
        mode=U | .half 0            => mtrap=2,0
        ",
    );
}

/// Encodings that look like instructions, but are illegal on this machine.
#[test]
fn reserved_encodings_are_illegal() {
    for word in [
        0x0000_707f_u32, // major opcode 0x7f
        0x0000_0007,     // flw
        0x0000_2007,
        0x0000_3027, // fsd
        0x0000_0053, // fadd.s
        0x0000_0043, // fmadd.s
        0x0000_0057, // a vector instruction
        0x0000_7003, // load of width 7
        0x0000_4023, // store of width 4
        0x0000_2063, // branch of condition 2
        0x0000_3063,
        0x0000_1067, // jalr with funct3 1
        0x0400_1013, // slli with a bit beyond the shift amount
        0x8000_5013, // a shift right that is neither
        0x0200_101b, // slliw by 32
        0x4000_1033, // sll with sub's bit
        0x0400_0033, // funct7 2
        0x0200_103b, // M-extension word operation 1
        0x4000_703b, // a word operation 7
        0x0000_202b, // custom-1
        0x0000_000b, // custom-0
        0x0000_102f, // atomic of width 1
        0x0000_402f,
        0x2800_202f, // atomic operation 5
        0x1010_202f, // lr.w with rs2 not zero
        0x0000_200f, // miscellaneous memory operation 2
        0x0020_0073, // system: uret
        0x1020_00f3, // sret with rd
        0x3020_8073, // mret with rs1
        0x1050_00f3, // wfi with rd
        0x1200_00f3, // sfence.vma with rd
        0x0000_4073, // hypervisor loads
        0x7b20_0073, // dret
        0x0000_001f, // a 48-bit instruction
    ] {
        let mut machine = rig::bench(&rig::config(), &format!(".word {word:#x}"));
        rig::step(&mut machine);
        let seen = ["mcause", "mtval", "mepc"].map(|name| rig::csr(&machine, name));
        assert_eq!(
            (machine.pc(0), seen),
            (rig::MTVEC, [2, word.into(), rig::CODE]),
            "{word:#010x}"
        );
    }
}

#[test]
fn accesses_outside_memory_fault_with_the_address() {
    check(
        "
        a1=0                  | lb a0, 0(a1)        => mtrap=5,0
        a1=0x1000             | ld a0, 8(a1)        => mtrap=5,0x1008
        a1=0                  | sb a0, 0(a1)        => mtrap=7,0
        a1=-8                 | sd a0, 0(a1)        => mtrap=7,-8
        a1=-1                 | lbu a0, 0(a1)       => mtrap=5,-1
        a1=0x80400000         | lw a0, 0(a1)        => mtrap=5,0x80400000   # just behind RAM
        a1=0x803ffffc d[0]=0  | lw a0, 0(a1)        => a0=0
        a1=0x24000000         | lb a0, 0(a1)        => mtrap=5,0x24000000   # just beyond the flash
        mode=U a1=0           | lw a0, 4(a1)        => mtrap=5,4
        mode=S a1=0           | sw a0, 4(a1)        => mtrap=7,4
        ",
    );
}

#[test]
fn a_jump_out_of_memory_faults_at_its_target() {
    for target in [0, 0x1000, 0x80_0000_0000, u64::MAX - 1, 0x8040_0000] {
        let mut machine = rig::bench(&rig::config(), "jalr ra, a1, 0");
        rig::set_x(&mut machine, "a1", target);
        rig::step(&mut machine);
        assert_eq!(
            (machine.pc(0), rig::x(&machine, "ra")),
            (target, rig::CODE + 4),
            "the jump itself retires"
        );
        rig::step(&mut machine);
        let seen = ["mcause", "mtval", "mepc"].map(|name| rig::csr(&machine, name));
        assert_eq!((machine.pc(0), seen), (rig::MTVEC, [1, target, target]));
    }
}

/// II:3.1.8: a delegated exception goes to S-mode from S and U, never from M.
#[test]
fn delegation() {
    check(
        "
        medeleg=0x100 mode=U          | ecall   => strap=8,0
        medeleg=0x200 mode=S          | ecall   => strap=9,0
        medeleg=0x200 mode=U          | ecall   => mtrap=8,0
        medeleg=0xb3ff mode=M         | ecall   => mtrap=11,0
        medeleg=0xb3ff mode=M         | ebreak  => mtrap=3,0
        medeleg=8 mode=U              | ebreak  => strap=3,0
        medeleg=8 mode=S              | ebreak  => strap=3,0
        medeleg=4 mode=U              | .word 0xffffffff => strap=2,0xffffffff
        medeleg=4 mode=S              | csrr a0, mscratch => strap=2,0x34002573
        medeleg=0x20 mode=U a1=0      | lb a0, 0(a1) => strap=5,0
        medeleg=0x80 mode=U a1=0      | sb a0, 0(a1) => strap=7,0
        medeleg=0x10 mode=U a1=data+1 | lr.w a0, (a1) => strap=4,data+1
        medeleg=0x40 mode=U a1=data+1 | amoadd.w a0, a0, (a1) => strap=6,data+1
        ",
    );
}

/// II:3.1.6.1: what a trap saves of the interrupt enables and the mode.
#[test]
fn traps_stack_mode_and_interrupt_enable() {
    check(
        "
        mode=M mstatus=0x8                   | ecall => mtrap=11,0 mstatus=0xa00001880
        mode=M mstatus=0x80                  | ecall => mtrap=11,0 mstatus=0xa00001800
        mode=U mstatus=0x1888                | ecall => mtrap=8,0  mstatus=0xa00000080
        mode=S mstatus=0x8                   | ecall => mtrap=9,0  mstatus=0xa00000880
        mode=U mstatus=0x122 medeleg=0x100   | ecall => strap=8,0  mstatus=0xa00000020
        mode=S mstatus=0x2 medeleg=0x200     | ecall => strap=9,0  mstatus=0xa00000120
        mode=S mstatus=0x20 medeleg=0x200    | ecall => strap=9,0  mstatus=0xa00000100
        mode=U mstatus=0x60000 medeleg=0x100 | ecall => strap=8,0  mstatus=0xa00060000
        ",
    );
}

/// II:3.3.2: mode and interrupt enable come back; xPIE becomes 1, xPP the least mode, and MPRV is
/// cleared when leaving M-mode.
#[test]
fn returns() {
    check(
        "
        mode=M mepc=code+64 mstatus=0x1880    | mret => mode=M pc=code+64 mstatus=0xa00000088
        mode=M mepc=code+64 mstatus=0x1800    | mret => mode=M pc=code+64 mstatus=0xa00000080
        mode=M mepc=code+64 mstatus=0x0880    | mret => mode=S pc=code+64 mstatus=0xa00000088
        mode=M mepc=code+64 mstatus=0x0008    | mret => mode=U pc=code+64 mstatus=0xa00000080
        mode=M mepc=code+64 mstatus=0x20800   | mret => mode=S pc=code+64 mstatus=0xa00000080
        mode=M mepc=code+64 mstatus=0x21800   | mret => mode=M pc=code+64 mstatus=0xa00020080
        mode=M mepc=data+2  mstatus=0         | mret => mode=U pc=data+2 mstatus=0xa00000080
        mode=S sepc=code+64 mstatus=0x120     | sret => mode=S pc=code+64 mstatus=0xa00000022
        mode=S sepc=code+64 mstatus=0x020     | sret => mode=U pc=code+64 mstatus=0xa00000022
        mode=S sepc=code+64 mstatus=0x102     | sret => mode=S pc=code+64 mstatus=0xa00000020
        mode=M sepc=code+64 mstatus=0x20020   | sret => mode=U pc=code+64 mstatus=0xa00000022
        mode=U                                | mret => mtrap=2,0x30200073
        mode=S                                | mret => mtrap=2,0x30200073
        mode=U                                | sret => mtrap=2,0x10200073
        ",
    );
}

/// II:3.1.7: exceptions go to the base even in vectored mode.
#[test]
fn exceptions_are_not_vectored() {
    check(
        "
        mtvec=mtvec_base+1                        | ecall => mtrap=11,0
        stvec=stvec_base+1 medeleg=0x100 mode=U   | ecall => strap=8,0
        ",
    );
}

/// A trap into S-mode leaves M-mode's registers alone, and the reverse; the last trap from U-mode
/// is remembered for the harness.
#[test]
fn the_last_user_trap_is_remembered() {
    let mut machine = rig::bench(&rig::config(), "lb a0, 0(a1)");
    machine.set_privilege(0, emulator::Privilege::User);
    rig::set_x(&mut machine, "a1", 0x123);
    assert_eq!(machine.last_user_trap(0), None);
    rig::step(&mut machine);
    let trap = emulator::Trap {
        cause: 5,
        value: 0x123,
        pc: rig::CODE,
        is_interrupt: false,
        satp: 0,
    };
    assert_eq!(machine.last_user_trap(0), Some(trap));
    rig::step(&mut machine);
    assert_eq!(
        machine.last_user_trap(0),
        Some(trap),
        "M-mode code does not change it"
    );
    machine.clear_last_user_trap(0);
    assert_eq!(machine.last_user_trap(0), None);
}
