//! What `faultline check` says about kernels with one bug: the first sentence of the worst row.

use faultline::campaign::Budget;
use faultline::seeded_bugs::{self, catalogue};
use libtest_mimic::Arguments;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root.canonicalize().unwrap();
    let mut bugs = catalogue::read(&root.join("corpus/bugs")).unwrap();
    bugs.retain(|bug| SENTENCES.iter().any(|(name, _)| *name == bug.patch.name));
    assert_eq!(bugs.len(), SENTENCES.len());
    let plan = seeded_bugs::Plan {
        // Results are kept for the program that made them.
        faultline: std::env::current_exe().unwrap(),
        ..seeded_bugs::Plan::to_build(root)
    };
    fs::create_dir_all(&plan.folder).unwrap();
    let budget = Budget {
        work: Some(WORK),
        ..Budget::default()
    };
    seeded_bugs::check_each(&bugs, &plan, budget, |bug, found| {
        let name = &bug.patch.name;
        let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
        let wanted = SENTENCES.iter().find(|(known, _)| known == name);
        let sentence = &found.rows.first().expect(name).sentence;
        assert!(
            sentence.starts_with(wanted.expect(name).1),
            "{name}: {sentence}"
        );
    })
    .unwrap();
}
