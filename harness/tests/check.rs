//! Checking a kernel without any information about it: here our own.

use faultline::check::defects;
use faultline::check::probe::probe;
use faultline::guest::Guest;
use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use oracle::case::Kind;
use oracle::dialect::Defect;
use oracle::{Case, Dialect, Extent, Fate, PageState, Situation};
use std::process::Command;
use std::sync::Arc;

/// Our kernel, taken for another.
fn stranger() -> Arc<Guest> {
    let files = GuestFiles::find(None, None).unwrap();
    faultline::boot(&files, Dialect::xv6_2025()).unwrap()
}

#[test]
fn our_own_kernel_is_known_by_what_it_does() {
    let guest = stranger();
    let (variants, mut answers) = probe(&guest);
    let mut found = defects::find(&guest.speaking(variants), Defect::all());
    assert!(found.is_empty());
    answers.append(&mut found.answers);
    let probed = found.followed;
    let mut wanted = Dialect::faultline();
    wanted.name.clone_from(&probed.name);
    // What a fork really takes; the dialect allows for more.
    assert!(probed.fork.overhead_frames <= wanted.fork.overhead_frames);
    wanted.fork.overhead_frames = probed.fork.overhead_frames;
    assert_eq!(probed, wanted);
    for answer in answers {
        assert!(!answer.because.starts_with("the default"), "{answer}");
    }
}

#[test]
fn a_situation_to_be_avoided_is_not_entered() {
    let text =
        "faultline 1\na: sbrk +2p\na: load8 heap[0]\na: load8 heap[0]\na: store8 heap[1] 7\n";
    let case = Case::parse(text).unwrap();
    let files = GuestFiles::find(None, None).unwrap();
    let mut runner = Runner::new(&faultline::boot(&files, Dialect::faultline()).unwrap());
    let all = runner.run(&case).meter;
    assert_eq!((all.operations, all.skipped), (4, 0));
    runner.avoid(&[Situation {
        kind: Kind::Load,
        page: Some(PageState::Lazy),
        fate: Fate::GoesOn,
        extent: Extent::Nothing,
    }]);
    let outcome = runner.run(&case);
    assert!(outcome.findings.is_empty());
    assert_eq!((outcome.meter.operations, outcome.meter.skipped), (2, 2));
    runner.avoid(&[]);
    assert_eq!(runner.run(&case).meter, all);
}

#[test]
fn too_little_work_is_inconclusive() {
    let files = GuestFiles::find(None, None).unwrap();
    let findings = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_faultline"))
        .args(["check", "--work", "1", "--jobs", "1"])
        .arg("--kernel")
        .arg(&files.kernel_path)
        .arg("--fs")
        .arg(&files.file_system_path)
        .arg("--findings")
        .arg(findings.path())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(4), "{shown}");
    assert!(shown.contains("inconclusive"), "{shown}");
    assert!(!shown.contains("nothing wrong was found"), "{shown}");
    assert!(shown.contains("not reached: "), "{shown}");
}
