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
        assert_identical(one, other, 1, "alone and beside another");
    }
}
