//! Processes that make and remove the same names at once, on several harts, never wait for each
//! other for ever.

use emulator::Config;
use faultline::console::Console;

/// Far more instructions than the rounds below take.
const BUDGET: u64 = 20_000_000_000;

/// Runs random system calls for that many rounds from `seed` on.
fn grind(harts: usize, rounds: u32, seed: u32) {
    let config = Config {
        harts,
        ..Config::default()
    };
    let mut console = Console::boot(&config).unwrap_or_else(|error| panic!("{error}"));
    console.set_budget(BUDGET);
    let shown = console.run(&format!("grind {rounds} {seed}"));
    let shown = shown.unwrap_or_else(|error| panic!("{error}"));
    assert!(shown.ends_with("grind: ALL PASSED\n"), "{shown}");
}

/// With this seed, two processes that removed names in a directory and in its parent once waited
/// for each other's directory.
#[test]
fn removing_in_a_directory_and_in_its_parent() {
    grind(3, 6000, 2);
}

#[test]
fn eight_harts_at_once() {
    grind(8, 1500, 4);
}
