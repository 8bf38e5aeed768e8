//! Kernels with several bugs, one behind the other: a check of a minute finds all of them.

use faultline::campaign::Budget;
use faultline::seeded_bugs::catalogue::{self, Bug};
use faultline::seeded_bugs::{self, Told};
use libtest_mimic::Arguments;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// What runs the test.
const COMMAND: &str = "cargo test -p faultline --test behind -- --ignored";

/// Guest instructions of a check: what `faultline check` does in a minute.
const WORK: u64 = 8_000_000_000;

fn main() -> ExitCode {
    let trials = vec![peers::long(
        peers::own_trial(
            "every_bug_shows_behind_others",
            every_bug_shows_behind_others,
        ),
        COMMAND,
    )];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn every_bug_shows_behind_others() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root.canonicalize().unwrap();
    let mut bugs = catalogue::read(&root.join("corpus/bugs")).unwrap();
    bugs.retain(|bug| !bug.is_one());
    let plan = seeded_bugs::Plan::to_build(root);
    fs::create_dir_all(&plan.folder).unwrap();
    let budget = Budget {
        work: Some(WORK),
        ..Budget::default()
    };
    let mut hidden = Vec::new();
    seeded_bugs::tell(&bugs, &plan, budget, |bug, told| {
        let told = told.unwrap_or_else(|error| panic!("{}: {error}", bug.patch.name));
        hidden.extend(not_told(bug, &told));
    })
    .unwrap();
    assert!(hidden.is_empty(), "{}", hidden.join("\n"));
}

/// The bugs of a patch that no row of a check is about.
fn not_told(bug: &Bug, told: &Told) -> Vec<String> {
    let rules: Vec<&str> = told.rows.iter().map(|row| row.rule.as_str()).collect();
    let is_told = |hidden: &&Vec<String>| hidden.iter().any(|rule| rules.contains(&rule.as_str()));
    let hidden = bug.hides.iter().filter(|hidden| !is_told(hidden));
    hidden
        .map(|hidden| {
            format!(
                "{}: {} is not among {rules:?}",
                bug.patch.name,
                hidden.join("/")
            )
        })
        .collect()
}
