//! Kernels with several bugs that hide each other: a check of a minute finds all of them.

use faultline::campaign::Budget;
use faultline::seeded_bugs::catalogue::{self, Bug};
use faultline::seeded_bugs::{self, BugRows};
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
    let mut hidden = Vec::new();
    seeded_bugs::check_each(&bugs, &plan, budget, |bug, found| {
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", bug.patch.name));
        hidden.extend(unreported(bug, &found));
    })
    .unwrap();
    assert!(hidden.is_empty(), "{}", hidden.join("\n"));
}

/// The bugs of a patch that no row of a check reports.
fn unreported(bug: &Bug, found: &BugRows) -> Vec<String> {
    let rules: Vec<&str> = found.rows.iter().map(|row| row.rule.as_str()).collect();
    let is_found = |hidden: &&Vec<String>| hidden.iter().any(|rule| rules.contains(&rule.as_str()));
    let hidden = bug.hides.iter().filter(|hidden| !is_found(hidden));
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
