//! What tests of seeded bugs share: `faultline check` on kernels with bugs.

use faultline::campaign::Budget;
use faultline::seeded_bugs::catalogue::{self, Bug};
use faultline::seeded_bugs::{self, BugRows};
use std::fs;
use std::path::Path;

/// Checks the kernels of the seeded bugs that are `wanted`, each with so many guest instructions, and shows what is found
/// to `visit`. Returns how many kernels there were.
pub(crate) fn check_bugs(
    wanted: impl Fn(&Bug) -> bool,
    work: u64,
    mut visit: impl FnMut(&Bug, BugRows),
) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root.canonicalize().unwrap();
    let mut bugs = catalogue::read(&root.join("corpus/bugs")).unwrap();
    bugs.retain(wanted);
    let plan = seeded_bugs::Plan {
        // Results are kept for the program that made them.
        faultline: std::env::current_exe().unwrap(),
        ..seeded_bugs::Plan::to_build(root)
    };
    fs::create_dir_all(&plan.folder).unwrap();
    let budget = Budget {
        work: Some(work),
        ..Budget::default()
    };
    seeded_bugs::check_each(&bugs, &plan, budget, |bug, found| {
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", bug.patch.name));
        visit(bug, found);
    })
    .unwrap();
    bugs.len()
}
