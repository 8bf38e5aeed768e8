//! How long our kernel takes: to the shell's prompt, and through its own tests; here and on QEMU.
//!
//! `cargo bench -p faultline --bench kernel` runs each once on both, one after the other, with one
//! hart: compare the ratios between hosts, not the seconds. Our machine counts coverage, as when it
//! fuzzes.

#[path = "../tests/qemu/console.rs"]
mod console;

use console::Qemu;
use emulator::{Config, Coverage};
use faultline::console::Console;
use peers::QEMU;
use std::time::Instant;

/// What is typed, and what has to be shown for success.
const PROGRAMS: [(&str, &str); 4] = [
    ("lazytests", "lazytests: ALL PASSED"),
    ("forktest", "forktest: ALL PASSED"),
    ("usertests -q", "usertests: ALL PASSED"),
    ("usertests", "usertests: ALL PASSED"),
];

/// Enough for the slowest of them.
const BUDGET: u64 = 100_000_000_000;

fn main() {
    let config = Config {
        coverage: Coverage::Supervisor,
        ..Config::default()
    };
    let (console, here) = timed(|| Console::boot(&config).unwrap_or_else(|e| panic!("{e}")));
    let mut console = console;
    console.set_budget(BUDGET);
    let on_qemu = QEMU.command().ok().map(|_| timed(|| Qemu::boot(1)));
    println!(
        "{:<24} {:>16} {:>10} {:>10} {:>8}",
        "", "instructions", "here", "QEMU", "ratio"
    );
    let (mut qemu, boot_there) = match on_qemu {
        Some((qemu, seconds)) => (Some(qemu), Some(seconds)),
        None => (None, None),
    };
    print(
        "boot to the prompt",
        console.instructions(),
        here,
        boot_there,
    );
    for (line, passed) in PROGRAMS {
        let before = console.instructions();
        let (shown, here) = timed(|| console.run(line).unwrap_or_else(|error| panic!("{error}")));
        assert!(shown.contains(passed), "{shown}");
        let there = qemu.as_mut().map(|qemu| {
            let (shown, seconds) = timed(|| qemu.run(line));
            assert!(shown.contains(passed), "{shown}");
            seconds
        });
        print(line, console.instructions() - before, here, there);
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed().as_secs_f64())
}

fn print(what: &str, instructions: u64, here: f64, there: Option<f64>) {
    let (qemu, ratio) = match there {
        Some(there) => (format!("{there:.2} s"), format!("{:.2}", here / there)),
        None => ("-".to_owned(), "-".to_owned()),
    };
    let here = format!("{here:.2} s");
    println!("{what:<24} {instructions:>16} {here:>10} {qemu:>10} {ratio:>8}");
}
