//! What `faultline check` says about kernels with one bug: how many rows, and how the sentence of the worst begins.

mod support {
    pub(crate) mod bugs;
}

use faultline::seeded_bugs::catalogue::Bug;
use libtest_mimic::Arguments;
use std::process::ExitCode;
use support::bugs::check_bugs;

/// What runs the test.
const COMMAND: &str = "cargo test -p faultline --test rows -- --ignored";

/// Guest instructions of a check: enough for the built-in seeds and a little more.
const WORK: u64 = 300_000_000;

/// Bugs that were several rows or a misleading one, how many rows each is now, and how the sentence of the worst begins.
const SENTENCES: [(&str, usize, &str); 10] = [
    (
        "10-growth-that-wraps",
        1,
        "questionable: `sbrk` uses only the low 32 bits of its amount",
    ),
    (
        "35-kill-leaves-sleepers",
        1,
        "wrong result: a process that is killed while it sleeps does not end",
    ),
    (
        "41-wait-hides-a-bad-pointer",
        1,
        "breaks isolation: a system call reads or writes memory that the program may not access",
    ),
    (
        "43-pipe-keeps-its-descriptors",
        1,
        "breaks the machine: a failed pipe has an effect",
    ),
    (
        "93-offset-moves-on-a-failed-read",
        1,
        "breaks isolation: a failed read has an effect",
    ),
    (
        "118-empty-pipe-does-not-wait",
        1,
        "wrong result: a process continues although it has to sleep",
    ),
    (
        "151-t3-not-saved",
        1,
        "breaks isolation: a trap changes a register of the program",
    ),
    (
        "153-fault-answers-zero",
        1,
        "breaks isolation: a trap changes a register of the program",
    ),
    (
        "170-int-is-the-whole-register",
        1,
        "wrong result: a system call looks at the high half of a register that holds an `int`",
    ),
    (
        "190-one-byte-read-stands-still",
        2,
        "breaks isolation: read leaves wrong bytes in memory",
    ),
];

fn main() -> ExitCode {
    let trials = vec![peers::long(
        peers::own_trial("a_row_says_what_is_so", a_row_says_what_is_so),
        COMMAND,
    )];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn a_row_says_what_is_so() {
    let is_named = |bug: &Bug| SENTENCES.iter().any(|(name, ..)| *name == bug.patch.name);
    let checked = check_bugs(is_named, WORK, |bug, found| {
        let name = &bug.patch.name;
        let wanted = SENTENCES.iter().find(|(known, ..)| known == name);
        let (_, rows, begins) = wanted.expect(name);
        let sentences: Vec<&str> = found.rows.iter().map(|row| row.sentence.as_str()).collect();
        assert_eq!(sentences.len(), *rows, "{name}: {sentences:?}");
        assert!(sentences[0].starts_with(begins), "{name}: {sentences:?}");
    });
    assert_eq!(checked, SENTENCES.len());
}
