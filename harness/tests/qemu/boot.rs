//! The same kernel and image boot in our machine and on QEMU's `virt` board, to a shell in which
//! rules of lazy memory hold; with one hart, with three, and with as many as there can be.

use crate::console::Qemu;
use emulator::Config;
use faultline::console::Console;
use libtest_mimic::Trial;
use peers::{QEMU, own_trial, trial};

const LINE: &str = "lazytests growth bounds";
const PASSED: &str = "lazytests: ALL PASSED";

fn check(shown: &str) {
    assert!(shown.contains(PASSED) && !shown.contains("FAIL"), "{shown}");
}

fn session_in_our_machine(harts: usize) {
    let config = Config {
        harts,
        ..Config::default()
    };
    let mut console = Console::boot(&config).unwrap_or_else(|error| panic!("{error}"));
    let shown = console.run(LINE);
    check(&shown.unwrap_or_else(|error| panic!("{error}")));
}

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let numbers = [("one_hart", 1), ("three_harts", 3), ("eight_harts", 8)];
    let here = numbers.map(|(name, harts)| {
        own_trial(&format!("boot::our_machine_with_{name}"), move || {
            session_in_our_machine(harts);
        })
    });
    let there = numbers.map(|(name, harts)| {
        let test = move |_| check(&Qemu::boot(harts).run(LINE));
        trial(&format!("boot::qemu_with_{name}"), || QEMU.command(), test)
    });
    here.into_iter().chain(there).collect()
}
