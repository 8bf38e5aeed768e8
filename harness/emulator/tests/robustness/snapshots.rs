//! Snapshot and reset: a machine that went back is, in everything observable, one that never left.

use super::busy::{assert_identical, assert_same_future, machine};
use crate::support::rig::RAM;
use emulator::{Exit, Machine};

#[test]
fn a_reset_machine_is_a_fresh_one() {
    for harts in [1, 3] {
        let mut original = machine(harts, 500);
        assert_eq!(original.run(100_000), Exit::Budget);
        let base = original.snapshot();
        let mut used = Machine::from_snapshot(&base);
        for budget in [0, 1, 10, 1000, 50_000, 300_000, 7, 100_000] {
            used.run(budget);
            used.reset();
            assert_identical(
                &used,
                &Machine::from_snapshot(&base),
                harts,
                &format!("after {budget} instructions"),
            );
        }
        used.run(123_456);
        used.reset();
        assert_same_future(
            &mut used,
            &mut Machine::from_snapshot(&base),
            harts,
            "in the end",
        );
    }
}

#[test]
fn the_machine_that_took_the_snapshot_goes_back_to_it_too() {
    let mut original = machine(2, 500);
    original.run(77_777);
    let base = original.snapshot();
    original.run(200_000);
    original.reset();
    assert_same_future(
        &mut original,
        &mut Machine::from_snapshot(&base),
        2,
        "the original",
    );
}

/// Taking a snapshot changes nothing for the machine itself.
#[test]
fn a_snapshot_disturbs_nothing() {
    let mut plain = machine(2, 500);
    let mut interrupted = machine(2, 500);
    plain.run(90_000);
    for _ in 0..3 {
        interrupted.run(30_000);
        let _ = interrupted.snapshot();
    }
    assert_same_future(&mut plain, &mut interrupted, 2, "with snapshots on the way");
}

/// Snapshots of snapshots, and machines of different ages over one image.
#[test]
fn snapshots_nest() {
    let mut machine = machine(1, 1000);
    machine.run(50_000);
    let first = machine.snapshot();
    machine.run(50_000);
    let second = machine.snapshot();
    machine.run(50_000);
    let mut early = Machine::from_snapshot(&first);
    let mut late = Machine::from_snapshot(&second);
    early.run(50_000);
    assert_identical(&early, &late, 1, "the first, run on, and the second");
    machine.reset();
    assert_identical(
        &machine,
        &late,
        1,
        "a machine goes back to its latest snapshot",
    );
    late.run(10_000);
    late.reset();
    early.reset();
    assert_identical(&early, &Machine::from_snapshot(&first), 1, "early");
    assert_identical(&late, &Machine::from_snapshot(&second), 1, "late");
}

/// What the harness itself changes is undone as well.
#[test]
fn changes_from_outside_are_undone() {
    let mut original = machine(2, 500);
    original.run(10_000);
    let base = original.snapshot();
    let mut machine = Machine::from_snapshot(&base);
    for round in 0..4 {
        for page in 0..20 {
            machine
                .write_physical(RAM + 0x3_0000 + page * 0x2_0000 - 3, &[0xff; 9])
                .unwrap();
            machine
                .write_u64(RAM + 0x30_0000 + page * 0x1000, u64::MAX)
                .unwrap();
        }
        machine.set_x(0, 5, 99);
        machine.set_pc(1, 12);
        machine.set_csr(0, 0x340, 77).unwrap();
        machine.set_privilege(1, emulator::Privilege::User);
        machine.console_input(b"typed");
        machine.set_breakpoint(RAM);
        machine.raise_timer(0);
        if round % 2 == 1 {
            machine.run(5_000);
        }
        machine.clear_breakpoint(RAM);
        machine.reset();
        assert_same_future(
            &mut machine,
            &mut Machine::from_snapshot(&base),
            2,
            "after changes from outside",
        );
        machine.reset();
    }
}

/// The statistics say what the reset had to do.
#[test]
fn the_cost_follows_what_was_dirtied() {
    let mut machine = machine(1, 1000);
    machine.run(10_000);
    machine.snapshot();
    assert_eq!(machine.reset().dirty_pages, 0);
    for pages in [1, 8, 64, 512] {
        for page in 0..pages {
            machine
                .write_physical(RAM + 0x10_0000 + page * 0x1000, &[1])
                .unwrap();
            machine
                .write_physical(RAM + 0x10_0000 + page * 0x1000 + 77, &[2])
                .unwrap();
        }
        assert_eq!(machine.reset().dirty_pages as u64, pages);
        assert_eq!(machine.reset().dirty_pages, 0);
    }
}

/// Machines over one base do not see each other, on any thread.
#[test]
fn machines_share_a_base_and_nothing_else() {
    let mut original = machine(1, 1000);
    original.run(20_000);
    let base = original.snapshot();
    let run = |budget: u64| {
        let mut machine = Machine::from_snapshot(&base);
        machine.run(budget);
        machine
    };
    let expected: Vec<Machine> = [10_000, 100_000].map(run).into();
    let seen: Vec<Machine> = std::thread::scope(|scope| {
        let threads = [10_000, 100_000].map(|budget| scope.spawn(move || run(budget)));
        threads
            .map(|thread| thread.join().expect("no panic"))
            .into()
    });
    for (one, other) in expected.iter().zip(&seen) {
        assert_identical(one, other, 1, "alone and next to another");
    }
}

/// Page tables are memory: after a reset the guest sees the old mapping again, with no fence of its
/// own, whether the change had been fenced or not; and the bits that the walk sets go back as well.
#[test]
fn translations_go_back_with_the_memory() {
    use crate::support::rig::{CODE, DATA, TABLES, bench, config, read, set_csr, set_x, step, x};
    use emulator::{Config, Privilege};
    const ADDRESS: u64 = 0x4000_0000;
    const LEAF: u64 = TABLES + 0x2000;
    for (strict_tlb, fenced) in [(false, false), (false, true), (true, true)] {
        let text =
            "ld a0, 0(a1)\nsd a0, 8(a1)\nsd a2, 0(a3)\nsfence.vma\nld a0, 0(a1)\nsd a0, 8(a1)";
        let mut machine = bench(
            &Config {
                strict_tlb,
                ..config()
            },
            text,
        );
        for (at, entry) in [
            (TABLES + 8, (TABLES + 0x1000) >> 2 | 1),
            (TABLES + 16, RAM >> 2 | 0xcf),
            (TABLES + 0x1000, LEAF >> 2 | 1),
            (LEAF, DATA >> 2 | 0x7),
            (DATA, 111),
            (DATA + 0x8000, 222),
        ] {
            machine.write_u64(at, entry).expect("all in RAM");
        }
        set_csr(&mut machine, "satp", 8 << 60 | TABLES >> 12);
        machine.set_privilege(0, Privilege::Supervisor);
        for (name, value) in [
            ("a1", ADDRESS),
            ("a2", (DATA + 0x8000) >> 2 | 0x7),
            ("a3", 0x8000_0000 + LEAF - RAM),
        ] {
            set_x(&mut machine, name, value);
        }
        machine.snapshot();
        for round in 0..5 {
            step(&mut machine);
            assert_eq!(
                x(&machine, "a0"),
                111,
                "round {round}, {strict_tlb}, {fenced}"
            );
            step(&mut machine);
            assert_eq!(read(&machine, LEAF) & 0xc0, 0xc0, "accessed and dirty");
            step(&mut machine);
            if fenced {
                step(&mut machine);
                step(&mut machine);
                assert_eq!(x(&machine, "a0"), 222, "round {round}");
                step(&mut machine);
                assert_eq!(read(&machine, DATA + 0x8008), 222);
            }
            machine.reset();
            assert_eq!(
                (read(&machine, LEAF), read(&machine, DATA + 8)),
                (DATA >> 2 | 0x7, 0)
            );
            assert_eq!(machine.pc(0), CODE);
        }
    }
}
