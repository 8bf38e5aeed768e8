//! Zicsr: the six instructions, access rules, and what each register keeps of a value.

use crate::support::rig;
use crate::support::table::check;

#[test]
fn read_and_write() {
    check(
        "
        mscratch=5 a1=9   | csrrw a0, mscratch, a1   => a0=5 mscratch=9
        mscratch=5 a1=9   | csrrw zero, mscratch, a1 => mscratch=9
        mscratch=5 a0=9   | csrrw a0, mscratch, a0   => a0=5 mscratch=9
        mscratch=5 a1=10  | csrrs a0, mscratch, a1   => a0=5 mscratch=15
        mscratch=5 a1=4   | csrrc a0, mscratch, a1   => a0=5 mscratch=1
        mscratch=5        | csrrs a0, mscratch, zero => a0=5
        mscratch=5        | csrrc a0, mscratch, zero => a0=5
        mscratch=5        | csrrwi a0, mscratch, 31  => a0=5 mscratch=31
        mscratch=5        | csrrwi a0, mscratch, 0   => a0=5 mscratch=0
        mscratch=5        | csrrsi a0, mscratch, 10  => a0=5 mscratch=15
        mscratch=5        | csrrci a0, mscratch, 4   => a0=5 mscratch=1
        mscratch=5        | csrrsi a0, mscratch, 0   => a0=5
        mscratch=5 a0=2   | csrrs a0, mscratch, a0   => a0=5 mscratch=7
        mode=S sscratch=5 a1=9 | csrrw a0, sscratch, a1 => a0=5 sscratch=9
        ",
    );
}

/// II:2.1: bits 9:8 of a CSR's number are the privilege it needs, 11:10 say whether it is read
/// only; an attempt to do what is not allowed is an illegal instruction.
#[test]
fn access_rules() {
    check(
        "
        mode=M | csrr a0, mhartid            => a0=0
        mode=M | csrrsi a0, mhartid, 0       => a0=0        # no write
        mode=M | csrrsi a0, mhartid, 1       => mtrap=2,0xf140e573
        mode=M a1=0 | csrrs a0, mhartid, a1  => mtrap=2,0xf145a573  # a write, whatever the value
        mode=M | csrw mhartid, zero          => mtrap=2,0xf1401073
        mode=M | csrrwi a0, mhartid, 0       => mtrap=2,0xf1405573
        mode=S | csrr a0, mscratch           => mtrap=2,0x34002573
        mode=S | csrr a0, mstatus            => mtrap=2,0x30002573
        mode=U | csrr a0, sscratch           => mtrap=2,0x14002573
        mode=U | csrr a0, satp               => mtrap=2,0x18002573
        mode=U | csrr a0, mhartid            => mtrap=2,0xf1402573
        mode=M | .word 0x5c002573            => mtrap=2,0x5c002573  # csrr a0, 0x5c0: there is none
        mode=M | .word 0x8ff02573            => mtrap=2,0x8ff02573
        mode=M | csrr a0, fcsr               => mtrap=2,0x00302573  # no floating point
        mode=M | .word 0x34004073            => mtrap=2,0x34004073  # funct3 4 is no CSR instruction
        ",
    );
}

/// What is left of a value written to a CSR in M-mode.
fn kept(name: &str, value: u64) -> u64 {
    let mut machine = rig::bench(&rig::config(), "nop");
    rig::set_csr(&mut machine, name, value);
    rig::csr(&machine, name)
}

#[test]
fn identification_registers() {
    let machine = rig::bench(&rig::config(), "nop");
    assert_eq!(
        rig::csr(&machine, "misa"),
        2 << 62 | 0x0014_1105,
        "RV64, A, C, I, M, S and U"
    );
    assert_eq!(
        kept("misa", 0),
        2 << 62 | 0x0014_1105,
        "and it cannot be changed"
    );
    for name in ["mvendorid", "marchid", "mimpid", "mconfigptr"] {
        assert_eq!(
            machine.csr(0, crate::support::names::csr(name).unwrap()),
            Some(0),
            "{name}"
        );
    }
}

#[test]
fn every_hart_knows_its_number() {
    let config = emulator::Config {
        harts: 8,
        ..rig::config()
    };
    let machine = rig::bench(&config, "nop");
    for hart in 0..8 {
        assert_eq!(machine.csr(hart, 0xf14), Some(hart as u64));
    }
}

#[test]
fn full_registers_keep_everything() {
    for name in [
        "mscratch", "sscratch", "mcause", "scause", "mtval", "stval", "stimecmp",
    ] {
        for value in [u64::MAX, 0, 0x1234_5678_9abc_def0] {
            assert_eq!(kept(name, value), value, "{name}");
        }
    }
}

#[test]
fn registers_keep_what_is_legal() {
    const MPP: u64 = 3 << 11;
    for (name, value, expected) in [
        // II:3.1.14: instructions are aligned to two bytes with the C extension.
        ("mepc", u64::MAX, u64::MAX - 1),
        ("sepc", u64::MAX, u64::MAX - 1),
        // II:3.1.8: what cannot happen below M-mode, or does not exist, cannot be delegated.
        ("medeleg", 1 << 11, 0),
        ("medeleg", 1 << 10, 0),
        ("medeleg", 1 << 14, 0),
        ("medeleg", 0xb1fe, 0xb1fe),
        ("mideleg", u64::MAX, 0x222),
        ("mie", u64::MAX, 0xaaa),
        ("mip", u64::MAX, 0x222),
        // II:3.1.6: the modes' register widths are fixed at 64 bits.
        ("mstatus", 0, 0xa_0000_0000),
        ("mstatus", 0x0000_000f_0000_0000, 0xa_0000_0000),
        ("mstatus", 1 << 17 | 1 << 18 | 1 << 19, 0xa_000e_0000),
        ("mstatus", 1 << 20 | 1 << 21 | 1 << 22, 0xa_0070_0000),
        ("mstatus", 0x1aa | MPP, 0xa_0000_19aa),
        // No floating point, no vectors, no custom state: their fields are zero, and so is SD.
        (
            "mstatus",
            1 << 63 | 3 << 15 | 3 << 13 | 3 << 9,
            0xa_0000_0000,
        ),
        ("mstatus", 1 << 36 | 1 << 37, 0xa_0000_0000),
        // II:4.1.11: mode bare, or Sv39 with any ASID and 44 bits of page number.
        (
            "satp",
            8 << 60 | 0xffff << 44 | 0xfff_ffff_ffff,
            8 << 60 | 0xffff << 44 | 0xfff_ffff_ffff,
        ),
        ("mcounteren", 7, 7),
        ("scounteren", 7, 7),
    ] {
        assert_eq!(kept(name, value), expected, "{name} = {value:#x}");
    }
    // The previous privilege mode is never the reserved one.
    assert_ne!(kept("mstatus", 2 << 11) & MPP, 2 << 11);
}

/// II:4.1.11: a write with an unsupported mode has no effect at all.
#[test]
fn satp_ignores_modes_it_does_not_have() {
    for mode in [1, 2, 7, 9, 10, 11, 14, 15] {
        let mut machine = rig::bench(&rig::config(), "nop");
        let before = 8 << 60 | 0x80100;
        rig::set_csr(&mut machine, "satp", before);
        rig::set_csr(&mut machine, "satp", mode << 60 | 0x80200);
        assert_eq!(rig::csr(&machine, "satp"), before, "mode {mode}");
    }
}

/// II:4.1.1, 4.1.3: the supervisor's registers are windows into the machine's.
#[test]
fn supervisor_registers_are_restricted_views() {
    let mut machine = rig::bench(&rig::config(), "nop");
    rig::set_csr(&mut machine, "mstatus", 0x7f_f9aa);
    assert_eq!(rig::csr(&machine, "sstatus"), 0x2_000c_0122);
    rig::set_csr(&mut machine, "sstatus", 0);
    assert_eq!(
        rig::csr(&machine, "mstatus"),
        0xa_0072_1888,
        "what the supervisor does not see stays"
    );
    rig::set_csr(&mut machine, "sstatus", u64::MAX);
    assert_eq!(rig::csr(&machine, "mstatus"), 0xa_007e_19aa);

    for (delegated, expected) in [(0, 0), (0x222, 0x222), (0x20, 0x20)] {
        rig::set_csr(&mut machine, "mideleg", delegated);
        rig::set_csr(&mut machine, "mie", 0xaaa);
        rig::set_csr(&mut machine, "mip", 0x222);
        assert_eq!(rig::csr(&machine, "sie"), expected);
        assert_eq!(rig::csr(&machine, "sip"), expected);
        rig::set_csr(&mut machine, "sie", 0);
        assert_eq!(
            rig::csr(&machine, "mie"),
            0xaaa & !expected,
            "only what is delegated is seen"
        );
        rig::set_csr(&mut machine, "sip", 0);
        assert_eq!(
            rig::csr(&machine, "mip"),
            0x222 & !(expected & 2),
            "of sip, only SSIP is writable"
        );
        rig::set_csr(&mut machine, "mip", 0);
    }
}

/// II:3.1.7: direct and vectored mode, a base aligned to four bytes.
#[test]
fn trap_vectors_keep_base_and_mode() {
    for name in ["mtvec", "stvec"] {
        assert_eq!(kept(name, 0x8000_1000), 0x8000_1000);
        assert_eq!(kept(name, 0x8000_1001), 0x8000_1001, "vectored");
        assert!(
            kept(name, 0x8000_1003) & 3 < 2,
            "modes 2 and 3 are reserved"
        );
        assert_eq!(kept(name, 0x8000_1004), 0x8000_1004);
    }
}

/// II:3.1.10, 3.1.11: counters can be read and written; those without an event are zero.
#[test]
fn counters_count_retired_instructions() {
    check(
        "
        minstret=100 | csrr a0, minstret   => a0=100 minstret=101
        minstret=100 | nop                 => minstret=101
        minstret=100 | ecall               => minstret=100 mtrap=11,0
        minstret=100 a1=7 | csrw minstret, a1 => minstret=7
        mcycle=100   | csrr a0, mcycle     => a0=100 mcycle=101
        mhpmcounter3=5 | csrr a0, mhpmcounter3 => a0=0
                     | csrr a0, hpmcounter31 => a0=0
        ",
    );
}

/// II:3.1.11, 4.1.5: each mode lets the next one read the counters or not.
#[test]
fn counter_enables_gate_the_modes_below() {
    for (name, bit, number) in [
        ("cycle", 0, 0xc00_u32),
        ("time", 1, 0xc01),
        ("instret", 2, 0xc02),
        ("hpmcounter3", 3, 0xc03),
    ] {
        let word = number << 20 | 2 << 12 | 10 << 7 | 0x73;
        for (mode, machine_enable, supervisor_enable, allowed) in [
            ("M", 0, 0, true),
            ("S", 0, 1, false),
            ("S", 1, 0, true),
            ("U", 0, 1, false),
            ("U", 1, 0, false),
            ("U", 1, 1, true),
        ] {
            let mut machine = rig::bench(&rig::config(), &format!("csrr a0, {name}"));
            rig::set_csr(&mut machine, "mcounteren", machine_enable << bit);
            rig::set_csr(&mut machine, "scounteren", supervisor_enable << bit);
            machine.set_privilege(0, super::privilege::mode(mode));
            rig::step(&mut machine);
            let trapped = machine.pc(0) == rig::MTVEC;
            assert_eq!(
                trapped, !allowed,
                "{name} in {mode}, {machine_enable}, {supervisor_enable}"
            );
            if trapped {
                assert_eq!(
                    (rig::csr(&machine, "mcause"), rig::csr(&machine, "mtval")),
                    (2, word.into())
                );
            }
        }
    }
}
