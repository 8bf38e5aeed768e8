//! Kernels with a known defect: `check` reports it as one row, its case replays, and nothing else is said.

use faultline::campaign::Budget;
use faultline::case_file;
use faultline::check::{Checked, Plan, boot, check};
use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use faultline::seeded_bugs;
use faultline::seeded_bugs::catalogue::{self, Bug};
use libtest_mimic::Arguments;
use oracle::Dialect;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What runs the test that builds kernels.
const COMMAND: &str = "cargo test -p faultline --test defects -- --ignored";

fn main() -> ExitCode {
    let trials = vec![
        peers::own_trial("our_own_kernel_has_no_defect", our_own_kernel_has_no_defect),
        peers::long(
            peers::own_trial(
                "each_seeded_defect_is_one_row",
                each_seeded_defect_is_one_row,
            ),
            COMMAND,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap()
}

/// What the probes say of a kernel; it is not fuzzed.
fn probed(files: &GuestFiles, findings: &Path) -> Checked {
    let plan = Plan {
        dialect: None,
        seeds: Vec::new(),
        budget: Budget {
            duration: Some(Duration::ZERO),
            ..Budget::default()
        },
        jobs: 1,
        seed: 1,
        findings: findings.to_owned(),
        stop: Arc::new(AtomicBool::new(false)),
    };
    check(files, &plan, |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

fn our_own_kernel_has_no_defect() {
    let files = GuestFiles::find(None, None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let checked = probed(&files, folder.path());
    let rows: Vec<&str> = checked.rows.iter().map(|row| &*row.wrong).collect();
    assert!(rows.is_empty(), "{rows:?}");
}

fn each_seeded_defect_is_one_row() {
    let root = root();
    let mut bugs = catalogue::read(&root.join("corpus/bugs")).unwrap();
    bugs.retain(|bug| bug.defect.is_some());
    let plan = seeded_bugs::Plan::to_build(root);
    fs::create_dir_all(&plan.folder).unwrap();
    let folder = plan.folder.clone();
    seeded_bugs::build(&bugs, &plan, |bug, built| {
        built.unwrap_or_else(|error| panic!("{}: {error}", bug.patch.name));
        is_one_row(bug, &folder.join(&bug.patch.name));
    })
    .unwrap();
}

fn is_one_row(bug: &Bug, built: &Path) {
    let name = &bug.patch.name;
    let kernel = |file: &str| Some(built.join(file));
    let files = GuestFiles::find(kernel("kernel.elf").as_deref(), kernel("fs.img").as_deref());
    let files = files.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let checked = probed(&files, folder.path());
    let wrong: Vec<&str> = checked.rows.iter().map(|row| &*row.wrong).collect();
    assert_eq!(wrong.len(), 1, "{name}: {wrong:?}");
    let row = &checked.rows[0];
    let field = row.defect.as_ref().map(|defect| defect.field);
    assert_eq!(field, bug.defect.as_deref(), "{name}");
    assert!(
        bug.breaks(row.clause.name()),
        "{name}: {} is not among its rules",
        row.clause
    );

    // The case says which kernel it was found on, and that no defect is excused there.
    let path = &row.shortest.path;
    let case = case_file::read_document(path).unwrap().case();
    let origin = case_file::origin(path).unwrap().unwrap();
    let judged = boot(&files, Some(origin.dialect), None).unwrap();
    let replayed = Runner::new(&judged).run(&case);
    assert_eq!(
        replayed.first(),
        Some(&row.shortest.report.finding),
        "{name}"
    );

    // A dialect with the defect is accepted, and what it says of other defects does not matter.
    let given = boot(&files, Some(Dialect::xv6_2025()), None).unwrap();
    assert!(
        given
            .dialect
            .defects()
            .iter()
            .all(|one| Some(one.field) == field),
        "{name}"
    );
    let followed = boot(&files, Some(checked.dialect), None).unwrap();
    let mut runner = Runner::new(&followed);
    assert!(
        runner.run(&case).findings.is_empty(),
        "{name} is not followed"
    );
    for seed in case_file::read_all(&[root().join("corpus/seeds")]).unwrap() {
        let outcome = runner.run(&seed);
        if let Some(finding) = outcome.first() {
            panic!("{name}: {finding}\n{seed}");
        }
    }
}
