//! The kernel's own test programs, at its own shell: in our machine and on QEMU's `virt` board, with
//! one hart and with three. Each program ends with its verdict; in our machine the disk is checked
//! afterwards from outside.

use crate::console::Qemu;
use emulator::Config;
use faultline::console::Console;
use libtest_mimic::Trial;
use mkfs::Image;
use peers::{QEMU, own_trial, trial};
use std::time::Instant;

/// What is typed, in this order.
const LINES: [&str; 6] = [
    "usertests -q",
    "lazytests",
    "cowtests",
    "stacktests",
    "forktest",
    "grind 1500 1",
];

/// Instructions that a line may take: several times what it takes.
const BUDGET: u64 = 40_000_000_000;

/// Checks what a program printed: each of its rules passed, and it says so last.
fn check(line: &str, shown: &str) {
    let program = line.split(' ').next().unwrap_or(line);
    let verdict = format!("{program}: ALL PASSED");
    let failed = shown.lines().any(|line| line.starts_with("FAIL"));
    assert!(!failed && shown.contains(&verdict), "{line}:\n{shown}");
}

fn in_our_machine(harts: usize) {
    let config = Config {
        harts,
        ..Config::default()
    };
    let mut console = Console::boot(&config).unwrap_or_else(|error| panic!("{error}"));
    console.set_budget(BUDGET);
    for line in LINES {
        let (start, before) = (Instant::now(), console.instructions());
        let shown = console.run(line).unwrap_or_else(|error| panic!("{error}"));
        check(line, &shown);
        let (time, count) = (start.elapsed(), console.instructions() - before);
        println!("{line}: {time:.1?}, {count} instructions with {harts} harts");
    }
    let disk = Image::open(console.into_machine().disk()).unwrap();
    assert_eq!(disk.check(), []);
}

fn on_qemu(harts: usize) {
    let mut qemu = Qemu::boot(harts);
    for line in LINES {
        let start = Instant::now();
        check(line, &qemu.run(line));
        let time = start.elapsed();
        println!("{line}: {time:.1?} with {harts} harts on QEMU");
    }
}

/// The table that says where the C kernel's tests are names only rules that exist.
fn rules_are_where_they_are_said_to_be() {
    let table = include_str!("../../../kernel/user/src/bin/usertests/README.md");
    let mut console = Console::boot(&Config::default()).unwrap_or_else(|error| panic!("{error}"));
    let listed = console
        .run("usertests -l")
        .unwrap_or_else(|error| panic!("{error}"));
    let is_rule = |word: &&str| word.contains("::");
    for rule in table.split('`').filter(is_rule) {
        let found = listed
            .lines()
            .any(|line| line.split(' ').next() == Some(rule));
        assert!(found, "there is no {rule} in:\n{listed}");
    }
}

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let numbers = [("one_hart", 1), ("three_harts", 3)];
    let here = numbers.map(|(name, harts)| {
        let name = format!("usertests::our_machine_with_{name}");
        own_trial(&name, move || in_our_machine(harts))
    });
    let there = numbers.map(|(name, harts)| {
        let name = format!("usertests::qemu_with_{name}");
        trial(&name, || QEMU.command(), move |_| on_qemu(harts))
    });
    let table = own_trial(
        "usertests::rules_are_where_they_are_said_to_be",
        rules_are_where_they_are_said_to_be,
    );
    here.into_iter().chain(there).chain([table]).collect()
}
