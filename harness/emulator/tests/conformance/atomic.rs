//! The A extension: read-modify-write operations, reservations, alignment.

use super::integer::EDGES;
use crate::support::rig;
use crate::support::table::check;

/// Executes `name a0, a2, (a1)` in both widths for every pair of edge operands.
fn check_amo(name: &str, wide: fn(u64, u64) -> u64, narrow: fn(u32, u32) -> u32) {
    let text =
        format!("{name}.d a0, a2, (a1)\n {name}.w.aqrl a0, a2, (a1)\n {name}.d a2, a2, (a1)");
    let base = rig::bench(&rig::config(), &text).snapshot();
    let mut machine = emulator::Machine::from_snapshot(&base);
    for old in EDGES {
        for operand in EDGES {
            let what = format!("{name}: memory {old:#x}, register {operand:#x}");
            machine.set_pc(0, rig::CODE);
            rig::set_x(&mut machine, "a1", rig::DATA);
            rig::set_x(&mut machine, "a2", operand);
            rig::write(&mut machine, rig::DATA, old);
            rig::step(&mut machine);
            assert_eq!(rig::x(&machine, "a0"), old, "{what}");
            assert_eq!(rig::read(&machine, rig::DATA), wide(old, operand), "{what}");

            rig::write(&mut machine, rig::DATA, old);
            rig::step(&mut machine);
            assert_eq!(rig::x(&machine, "a0"), old as i32 as u64, "{what}, word");
            let expected = old & !0xffff_ffff | u64::from(narrow(old as u32, operand as u32));
            assert_eq!(rig::read(&machine, rig::DATA), expected, "{what}, word");

            rig::write(&mut machine, rig::DATA, old);
            rig::step(&mut machine);
            assert_eq!(
                rig::x(&machine, "a2"),
                old,
                "{what}, the register is operand and destination"
            );
            assert_eq!(rig::read(&machine, rig::DATA), wide(old, operand), "{what}");
        }
    }
}

#[test]
fn read_modify_write() {
    check_amo("amoswap", |_, b| b, |_, b| b);
    check_amo("amoadd", u64::wrapping_add, u32::wrapping_add);
    check_amo("amoxor", |a, b| a ^ b, |a, b| a ^ b);
    check_amo("amoand", |a, b| a & b, |a, b| a & b);
    check_amo("amoor", |a, b| a | b, |a, b| a | b);
    check_amo(
        "amomin",
        |a, b| (a as i64).min(b as i64) as u64,
        |a, b| (a as i32).min(b as i32) as u32,
    );
    check_amo(
        "amomax",
        |a, b| (a as i64).max(b as i64) as u64,
        |a, b| (a as i32).max(b as i32) as u32,
    );
    check_amo("amominu", u64::min, u32::min);
    check_amo("amomaxu", u64::max, u32::max);
}

/// I:"Zalrsc" and II:3.6.4: atomics must be aligned; a load-reserved faults as a load, all else as a
/// store. Misaligned ones raise an address-misaligned exception with the address.
#[test]
fn misaligned_atomics_trap() {
    check(
        "
        a1=data+1   | lr.w a0, (a1)           => mtrap=4,data+1
        a1=data+4   | lr.d a0, (a1)           => mtrap=4,data+4
        a1=data+2   | sc.w a0, a2, (a1)       => mtrap=6,data+2
        a1=data+4   | sc.d a0, a2, (a1)       => mtrap=6,data+4
        a1=data+2   | amoadd.w a0, a2, (a1)   => mtrap=6,data+2
        a1=data+4   | amoadd.d a0, a2, (a1)   => mtrap=6,data+4
        a1=data+1   | amoswap.w a0, a2, (a1)  => mtrap=6,data+1
        a1=data+8 a2=1 d[8]=2 | amoadd.d a0, a2, (a1) => a0=2 d[8]=3
        a1=data+4 a2=1 w[4]=2 | amoadd.w a0, a2, (a1) => a0=2 w[4]=3
        ",
    );
}

#[test]
fn atomics_where_there_is_no_memory_fault_as_their_kind() {
    check(
        "
        a1=0        | lr.w a0, (a1)           => mtrap=5,0
        a1=0        | sc.w a0, a2, (a1)       => mtrap=7,0
        a1=0        | amoadd.d a0, a2, (a1)   => mtrap=7,0
        ",
    );
}

#[test]
fn a_store_conditional_without_a_reservation_fails() {
    check(
        "
        a1=data a2=9 | sc.w a0, a2, (a1)     => a0=1
        a1=data a2=9 | sc.d a0, a2, (a1)     => a0=1
        a1=data a2=9 | sc.d.aqrl zero, a2, (a1) =>
        ",
    );
}

/// Executes the instructions of `text` one by one and returns a0, the result of its last `sc`.
fn outcome(text: &str) -> u64 {
    let mut machine = rig::bench(&rig::config(), text);
    rig::set_x(&mut machine, "a1", rig::DATA);
    rig::set_x(&mut machine, "a3", rig::DATA + 64);
    rig::set_x(&mut machine, "a2", 77);
    for _ in 0..text.split('\n').count() {
        rig::step(&mut machine);
    }
    rig::x(&machine, "a0")
}

/// I:"Zalrsc": success is 0, failure 1 as in every known machine; a store conditional consumes the
/// reservation whether or not it succeeds, and needs one that covers its bytes.
#[test]
fn reservations() {
    assert_eq!(outcome("lr.d a0, (a1)\nsc.d a0, a2, (a1)"), 0);
    assert_eq!(outcome("lr.w a0, (a1)\nsc.w a0, a2, (a1)"), 0);
    assert_eq!(
        outcome("lr.d a0, (a1)\nsc.d a0, a2, (a1)\nsc.d a0, a2, (a1)"),
        1,
        "used up by success"
    );
    assert_eq!(
        outcome("lr.d a0, (a1)\nsc.d a0, a2, (a3)\nsc.d a0, a2, (a1)"),
        1,
        "used up by failure"
    );
    assert_eq!(
        outcome("lr.d a0, (a1)\nsc.d a0, a2, (a3)"),
        1,
        "another address"
    );
    assert_eq!(
        outcome("lr.d a0, (a1)\nlr.d a0, (a3)\nsc.d a0, a2, (a1)"),
        1,
        "one reservation a hart"
    );
    assert_eq!(
        outcome("lr.d a0, (a1)\nadd a4, a4, a4\nsc.d a0, a2, (a1)"),
        0
    );
}

#[test]
fn a_store_conditional_stores_only_if_it_succeeds() {
    let mut machine = rig::bench(
        &rig::config(),
        "lr.w a0, (a1)\nsc.w a0, a2, (a1)\nsc.w a0, a3, (a1)",
    );
    rig::write(&mut machine, rig::DATA, 0x1111_1111_8222_2222);
    for (name, value) in [("a1", rig::DATA), ("a2", 0x3333_3333_4444_4444), ("a3", 5)] {
        rig::set_x(&mut machine, name, value);
    }
    rig::step(&mut machine);
    assert_eq!(
        rig::x(&machine, "a0"),
        0xffff_ffff_8222_2222,
        "lr.w extends the sign"
    );
    rig::step(&mut machine);
    assert_eq!(
        (rig::x(&machine, "a0"), rig::read(&machine, rig::DATA)),
        (0, 0x1111_1111_4444_4444)
    );
    rig::step(&mut machine);
    assert_eq!(
        (rig::x(&machine, "a0"), rig::read(&machine, rig::DATA)),
        (1, 0x1111_1111_4444_4444)
    );
}

/// I:"Zalrsc": a store by another hart to the reserved bytes must make the store conditional fail.
#[test]
fn a_store_by_another_hart_breaks_the_reservation() {
    let text = "
        csrr t0, mhartid
        bnez t0, other
        lr.d a0, (a1)
        sc.d a0, a2, (a1)
        j 0
        other:
        sd a2, 0(a1)
        j 0
    ";
    for (interferes, expected) in [(true, 1), (false, 0)] {
        let mut machine = rig::bench(
            &emulator::Config {
                harts: 2,
                ..rig::config()
            },
            text,
        );
        for hart in 0..2 {
            machine.set_pc(hart, rig::CODE);
            machine.set_x(hart, 11, rig::DATA);
        }
        assert_eq!(machine.run_hart(0, 3), emulator::Exit::Budget);
        if interferes {
            assert_eq!(machine.run_hart(1, 3), emulator::Exit::Budget);
        }
        assert_eq!(machine.run_hart(0, 1), emulator::Exit::Budget);
        assert_eq!(rig::x(&machine, "a0"), expected);
    }
}
