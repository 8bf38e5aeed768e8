//! Kernels with several bugs that hide each other: a check of a minute finds all of them.

mod support {
    pub(crate) mod bugs;
}

use faultline::seeded_bugs::BugRows;
use faultline::seeded_bugs::catalogue::Bug;
use libtest_mimic::Arguments;
use std::process::ExitCode;
use support::bugs::check_bugs;

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
    let mut hidden = Vec::new();
    check_bugs(
        |bug| !bug.is_one(),
        WORK,
        |bug, found| hidden.extend(unreported(bug, &found)),
    );
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
