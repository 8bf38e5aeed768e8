//! Replays the corpus on machines that differ from QEMU's in what the specification leaves open: our kernel is right on
//! each of them.

use faultline::case_file;
use faultline::guest::Guest;
use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use oracle::{Call, Case, Dialect, Operation, Process, Variation};
use std::path::Path;
use std::sync::Arc;

/// All seeds and regressions, with their names.
fn corpus() -> Vec<(String, Case)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let folders = ["seeds", "regressions"].map(|folder| root.join(folder));
    let paths = folders
        .iter()
        .flat_map(|folder| case_file::list(folder).unwrap());
    let cases = paths.map(|path| (path.display().to_string(), case_file::read(&path).unwrap()));
    let cases: Vec<_> = cases.collect();
    assert!(cases.len() >= 100, "the corpus has lost its cases");
    cases
}

fn replay(guest: &Arc<Guest>, machine: &str, cases: &[(String, Case)]) {
    let mut runner = Runner::new(guest);
    for (name, case) in cases {
        let outcome = runner.run(case);
        if let Some(finding) = outcome.first() {
            panic!("{name} on a machine that {machine}: {finding}");
        }
        assert!(
            outcome.meter.compared > 0,
            "{name} on a machine that {machine}"
        );
    }
}

#[test]
fn the_corpus_passes_with_each_variation() {
    let files = GuestFiles::find(None, None).unwrap();
    let guest = faultline::boot(&files, Dialect::faultline()).unwrap();
    assert_eq!(guest.hardware.variations.value, Variation::ALL);
    for variation in Variation::ALL {
        let mut cases = corpus();
        for (_, case) in &mut cases {
            let machine = Operation::new(Process::FIRST, Call::Machine { variation });
            case.operations.insert(0, machine);
            case.operations.truncate(Case::MAX_OPERATIONS);
        }
        replay(&guest, variation.name(), &cases);
    }
}

/// Some harts have no identifiers of address spaces at all, others fewer than there are processes.
#[test]
fn the_corpus_passes_with_few_identifiers() {
    let files = GuestFiles::find(None, None).unwrap();
    for bits in [0, 3] {
        let guest = faultline::boot_with_identifiers(&files, Dialect::faultline(), bits).unwrap();
        replay(
            &guest,
            &format!("has {bits} bits for identifiers"),
            &corpus(),
        );
    }
}
