//! What `faultline check` says about kernels with one bug: the first sentence of the worst row.

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

/// Bugs, and how the sentence about each begins.
const SENTENCES: [(&str, &str); 1] = [(
    "190-one-byte-read-stands-still",
    "breaks isolation: read leaves wrong bytes in memory",
)];

fn main() -> ExitCode {
    let trials = vec![peers::long(
        peers::own_trial("a_row_says_what_is_so", a_row_says_what_is_so),
        COMMAND,
    )];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn a_row_says_what_is_so() {
    let is_named = |bug: &Bug| SENTENCES.iter().any(|(name, _)| *name == bug.patch.name);
    let checked = check_bugs(is_named, WORK, |bug, found| {
        let name = &bug.patch.name;
        let wanted = SENTENCES.iter().find(|(known, _)| known == name);
        let sentence = &found.rows.first().expect(name).sentence;
        assert!(
            sentence.starts_with(wanted.expect(name).1),
            "{name}: {sentence}"
        );
    });
    assert_eq!(checked, SENTENCES.len());
}
