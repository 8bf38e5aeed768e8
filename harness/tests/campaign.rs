//! `faultline campaign`: repeats exactly, resumes from its corpus, finds what is wrong with a broken
//! kernel and nothing with ours.

use faultline::guest::location::GuestFiles;
use faultline::mutants::{Operator, sites};
use object::{Object, ObjectSegment};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn campaign(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faultline"))
        .args(["campaign", "--jobs", "1", "--format", "json"])
        .args(arguments)
        .output()
        .unwrap()
}

fn summary(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Our kernel with the first instruction of that kind in `file` changed.
fn broken_kernel(file: &str, function: &str, operator: Operator) -> Vec<u8> {
    let mut elf = GuestFiles::find(None, None).unwrap().kernel;
    let mutant = sites(&elf, &[file.to_owned()])
        .unwrap()
        .into_iter()
        .find(|mutant| mutant.operator == operator && mutant.function.contains(function))
        .unwrap();
    let offset = object::File::parse(&*elf)
        .unwrap()
        .segments()
        .find_map(|segment| {
            let into = mutant.address.checked_sub(segment.address())?;
            let (start, length) = segment.file_range();
            (into < length).then_some((start + into) as usize)
        })
        .unwrap();
    assert_eq!(elf[offset..offset + mutant.original.len()], mutant.original);
    elf[offset..offset + mutant.changed.len()].copy_from_slice(&mutant.changed);
    elf
}

#[test]
fn one_job_one_seed_and_a_number_of_executions_repeat() {
    let [first, second] = [(); 2].map(|()| {
        let output = campaign(&["--executions", "300", "--seed", "5"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let mut summary = summary(&output);
        summary.as_object_mut().unwrap().remove("seconds");
        summary
    });
    assert_eq!(first, second);
    assert_eq!(first["totals"]["executions"], 300);
    assert!(first["edges"].as_u64().unwrap() > 100);
}

#[test]
fn a_campaign_resumes_from_its_corpus() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    let first = summary(&campaign(&[
        "--executions",
        "200",
        "--corpus",
        name(&corpus),
    ]));
    let kept = std::fs::read_dir(&corpus).unwrap().count();
    assert_eq!(first["pool"], kept);
    // As many executions as there are cases: nothing but the corpus is run.
    let executions = kept.to_string();
    let arguments = ["--executions", &executions, "--corpus", name(&corpus)];
    let second = summary(&campaign(&arguments));
    assert_eq!(first["edges"], second["edges"]);
}

#[test]
fn a_broken_kernel_is_found_and_the_case_shows_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let kernel = folder.path().join("kernel.elf");
    let findings = folder.path().join("findings");
    // The first store of `fork`'s way through the parent's pages.
    let elf = broken_kernel("memory/page_table", "unmap_level", Operator::StoreDropped);
    std::fs::write(&kernel, elf).unwrap();
    let arguments = [
        "--executions",
        "2000",
        "--kernel",
        name(&kernel),
        "--findings",
        name(&findings),
    ];
    let output = campaign(&arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let case = summary(&output)["findings"][0]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    let again = Command::new(env!("CARGO_BIN_EXE_faultline"))
        .args(["run", &case, "--kernel", name(&kernel)])
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(1), "{again:?}");
}
