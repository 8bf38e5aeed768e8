//! The same kernel and image boot in our machine and on QEMU's `virt` board, to a shell in which
//! rules of lazy memory hold; with one hart, with three, and with as many as there can be.

mod qemu;

use emulator::Config;
use faultline::console::Console;
use qemu::Qemu;

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

fn session_on_qemu(harts: usize) {
    if Qemu::is_installed() {
        check(&Qemu::boot(harts).run(LINE));
    }
}

#[test]
fn our_machine_with_one_hart() {
    session_in_our_machine(1);
}

#[test]
fn our_machine_with_three_harts() {
    session_in_our_machine(3);
}

#[test]
fn our_machine_with_eight_harts() {
    session_in_our_machine(8);
}

#[test]
fn qemu_with_one_hart() {
    session_on_qemu(1);
}

#[test]
fn qemu_with_three_harts() {
    session_on_qemu(3);
}

#[test]
fn qemu_with_eight_harts() {
    session_on_qemu(8);
}
