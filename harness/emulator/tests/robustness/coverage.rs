//! Edges of the guest's control flow: where they are counted, how often, and under which number.

use crate::support::rig::{CODE, bench, boot, config, set_x};
use emulator::{Config, Coverage, Exit, Machine, Privilege};

fn counting(coverage: Coverage) -> Config {
    Config {
        coverage,
        ..config()
    }
}

/// The counters that are not zero.
fn counted(machine: &Machine) -> Vec<(usize, u8)> {
    machine
        .edges()
        .iter()
        .copied()
        .enumerate()
        .skip(1)
        .filter(|(_, count)| *count > 0)
        .collect()
}

const LOOP: &str = "
    again:
    andi a1, a0, 3
    beqz a1, rare
    back:
    addi a0, a0, -1
    bnez a0, again
    wfi
    rare:
    j back
";

/// A loop of 100 rounds: each branch's two ways and the jump, as often as they were gone.
#[test]
fn each_edge_is_counted_as_often_as_it_is_taken() {
    let mut machine = bench(&counting(Coverage::All), LOOP);
    set_x(&mut machine, "a0", 100);
    assert_eq!(machine.run(1000), Exit::Idle);
    let mut counts: Vec<u8> = counted(&machine).iter().map(|(_, count)| *count).collect();
    counts.sort_unstable();
    // To `rare` and back 25 times, past it 75 times, round again 99 times, out once. The way to
    // `wfi` and which sequential edges are counted in addition is the machine's business.
    for expected in [25, 75, 99] {
        assert!(counts.contains(&expected), "{expected} among {counts:?}");
    }
}

#[test]
fn counters_stop_at_their_largest_value() {
    let mut machine = bench(&counting(Coverage::All), LOOP);
    set_x(&mut machine, "a0", 100_000);
    assert_eq!(machine.run(1_000_000), Exit::Idle);
    assert!(counted(&machine).iter().any(|(_, count)| *count == 255));
    machine.edges_mut().fill(0);
    assert!(counted(&machine).is_empty());
}

/// Only the chosen modes are counted.
#[test]
fn modes_are_chosen() {
    let modes = [Privilege::User, Privilege::Supervisor, Privilege::Machine];
    for (coverage, expected) in [
        (Coverage::Off, [false, false, false]),
        (Coverage::User, [true, false, false]),
        (Coverage::Supervisor, [false, true, false]),
        (Coverage::Kernel, [false, true, true]),
        (Coverage::All, [true, true, true]),
    ] {
        for (mode, expected) in modes.into_iter().zip(expected) {
            let mut machine = bench(&counting(coverage), LOOP);
            set_x(&mut machine, "a0", 100);
            machine.set_privilege(0, mode);
            machine.run(300);
            assert_eq!(
                !counted(&machine).is_empty(),
                expected,
                "{coverage:?}, {mode:?}"
            );
        }
    }
}

/// The number of an edge depends on its two ends and on nothing else: not on what was decoded
/// before, not on the place in physical memory, not on the process.
#[test]
fn edges_keep_their_numbers() {
    let prepare = || {
        let mut machine = bench(&counting(Coverage::All), LOOP);
        set_x(&mut machine, "a0", 100);
        machine
    };
    let mut whole = prepare();
    whole.run(1000);
    let expected = counted(&whole);

    let mut pieces = prepare();
    for _ in 0..1000 {
        pieces.run(1);
    }
    assert_eq!(counted(&pieces), expected, "one instruction at a time");

    let mut other = prepare();
    other.set_pc(0, CODE + 8);
    other.run(100);
    other.set_pc(0, CODE);
    set_x(&mut other, "a0", 100);
    other.edges_mut().fill(0);
    other.run(1000);
    assert_eq!(counted(&other), expected, "decoded from elsewhere first");

    let mut reset = prepare();
    reset.snapshot();
    reset.run(777);
    reset.reset();
    reset.edges_mut().fill(0);
    reset.run(1000);
    assert_eq!(counted(&reset), expected, "after a reset");
}

/// A counter belongs to an address in the code.
#[test]
fn edges_have_a_place() {
    let mut machine = bench(&counting(Coverage::All), LOOP);
    set_x(&mut machine, "a0", 100);
    machine.run(1000);
    for (index, _) in counted(&machine) {
        let place = machine
            .edge_location(index)
            .expect("what was counted has a place");
        assert!((CODE..CODE + 0x100).contains(&place), "{place:#x}");
    }
    assert_eq!(machine.edge_location(usize::MAX), None);
}

/// Different control flow, different counters: a guest with 200 branches shows nearly all of them.
#[test]
fn edges_seldom_collide() {
    let body: String = (0..200)
        .map(|label| format!("beq zero, zero, l{label}\nnop\nl{label}:\n"))
        .collect();
    let mut machine = boot(&counting(Coverage::All), &format!("{body}\nwfi"));
    assert_eq!(machine.run(10_000), Exit::Idle);
    let seen = counted(&machine).len();
    assert!(seen >= 198, "{seen} counters for 200 edges");
}
