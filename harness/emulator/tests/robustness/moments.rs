//! A machine that comes back to a state is recognised, and one that differs in anything is not.

use crate::support::rig::{CODE, DATA, bench, config, set_x};
use emulator::{Clock, Config, Exit, Machine};

/// A machine in a loop that stores `a0` to `DATA`, with a breakpoint at the loop's start, where it stands.
fn looping(body: &str) -> Machine {
    let config = Config {
        clock: Clock::Held,
        ..config()
    };
    let mut machine = bench(&config, &format!("again: {body}\nsd a0, 0(a2)\nj again"));
    set_x(&mut machine, "a2", DATA);
    machine.set_breakpoint(CODE);
    for _ in 0..2 {
        assert!(matches!(machine.run(100), Exit::Breakpoint { .. }));
    }
    machine
}

/// Whether the state comes back after one time round the loop.
fn comes_back(machine: &mut Machine) -> bool {
    let moment = machine.moment();
    assert!(machine.is_as_at(&moment));
    assert!(matches!(machine.run(100), Exit::Breakpoint { .. }));
    machine.is_as_at(&moment)
}

#[test]
fn a_loop_that_changes_nothing_comes_back() {
    assert!(comes_back(&mut looping("addi a1, zero, 1")));
}

#[test]
fn a_loop_that_counts_in_a_register_does_not() {
    assert!(!comes_back(&mut looping("addi a1, a1, 1")));
}

#[test]
fn a_loop_that_counts_in_memory_does_not() {
    let count = "ld a1, 8(a2)\naddi a1, a1, 1\nsd a1, 8(a2)\nli a1, 0";
    assert!(!comes_back(&mut looping(count)));
}

#[test]
fn a_loop_that_counts_in_a_control_register_does_not() {
    let count = "csrr a1, sscratch\naddi a1, a1, 1\ncsrw sscratch, a1\nli a1, 0";
    assert!(!comes_back(&mut looping(count)));
}

#[test]
fn a_loop_that_prints_does_not() {
    let print = "li a1, 0x10000000\nsb a0, 0(a1)";
    assert!(!comes_back(&mut looping(print)));
}

#[test]
fn a_state_comes_back_after_a_reset() {
    let mut machine = looping("addi a1, a1, 1");
    machine.snapshot();
    let moment = machine.moment();
    assert!(matches!(machine.run(100), Exit::Breakpoint { .. }));
    assert!(!machine.is_as_at(&moment));
    machine.reset();
    assert!(machine.is_as_at(&moment));
}
