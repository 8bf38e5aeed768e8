//! `faultline campaign`: repeats exactly on any number of threads, resumes from its corpus, finds what is wrong with a broken
//! kernel and nothing with ours.

mod support;

use faultline::guest::location::GuestFiles;
use faultline::mutants::Operator;
use faultline::{Profile, case_file};
use oracle::generation::generate;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use support::broken_kernel;

fn campaign(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faultline"))
        .args(["campaign", "--format", "json"])
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

/// A summary without the times, which depend on the machine.
fn timeless(mut summary: Value) -> Value {
    summary.as_object_mut().unwrap().remove("seconds");
    summary["effort"].as_object_mut().unwrap().remove("seconds");
    for finding in summary["findings"].as_array_mut().unwrap() {
        finding.as_object_mut().unwrap().remove("seconds");
    }
    summary
}

#[test]
fn the_same_work_is_the_same_campaign_whatever_the_number_of_threads() {
    let [first, second] = ["1", "3"].map(|jobs| {
        let output = campaign(&["--executions", "300", "--seed", "5", "--jobs", jobs]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        timeless(summary(&output))
    });
    assert_eq!(first, second);
    assert_eq!(first["totals"]["executions"], 300);
    assert_eq!(first["ended_by"], "budget");
    assert!(first["edges"].as_u64().unwrap() > 100);
    assert!(first["work"].as_u64().unwrap() > first["totals"]["instructions"].as_u64().unwrap());
}

#[test]
fn findings_do_not_depend_on_the_number_of_threads_either() {
    let folder = tempfile::tempdir().unwrap();
    let kernel = folder.path().join("kernel.elf");
    let elf = broken_kernel("memory/page_table", "unmap_level", Operator::StoreDropped);
    std::fs::write(&kernel, elf).unwrap();
    let findings = folder.path().join("findings");
    let [first, second] = ["1", "3"].map(|jobs| {
        let arguments = ["--work", "300", "--steer", "--as-found", "--jobs", jobs];
        let kernel = ["--kernel", name(&kernel), "--findings", name(&findings)];
        let output = campaign(&[&arguments[..], &kernel].concat());
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let files = case_file::list(&findings).unwrap();
        let texts: Vec<String> = files
            .iter()
            .map(|file| std::fs::read_to_string(file).unwrap())
            .collect();
        std::fs::remove_dir_all(&findings).unwrap();
        (timeless(summary(&output)), texts)
    });
    assert!(first.0["findings"].as_array().unwrap().len() > 1);
    assert_eq!(first, second);
}

#[test]
fn a_limit_on_the_time_is_named_when_it_ends_a_campaign() {
    let output = campaign(&["--seconds", "1", "--work", "1000000000"]);
    assert_eq!(summary(&output)["ended_by"], "time");
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
    let kept = case_file::list(&corpus).unwrap().len();
    assert_eq!(first["pool"], kept);
    // As many executions as there are cases: nothing but the corpus is run.
    let executions = kept.to_string();
    let arguments = ["--executions", &executions, "--corpus", name(&corpus)];
    let second = summary(&campaign(&arguments));
    assert_eq!(first["edges"], second["edges"]);
    assert_eq!(first["features"], second["features"]);
    assert_eq!(second["effort"]["campaigns"], 2);
    assert_eq!(second["effort"]["executions"], 200 + kept);
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
    let run = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_faultline"))
            .env_remove("FAULTLINE_KERNEL")
            .env_remove("FAULTLINE_FS")
            .args(["run", &case])
            .args(more)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    // The file is enough: it says which kernel it was found on.
    assert_eq!(run(&[]), (Some(1), String::new()));
    let ours = GuestFiles::find(None, None).unwrap();
    let on_ours = ["--kernel", name(&ours.kernel_path)];
    let (code, said) = run(&[&on_ours[..], &["--fs", name(&ours.file_system_path)]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("found on another kernel"), "{said}");
    std::fs::write(&kernel, &ours.kernel).unwrap();
    let (code, said) = run(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("has changed since"), "{said}");
    std::fs::remove_file(&kernel).unwrap();
    let (code, said) = run(&[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("not there any more"), "{said}");
    assert!(said.contains("--kernel ELF"), "{said}");
}

#[test]
fn an_interrupted_campaign_sums_up() {
    let child = Command::new(env!("CARGO_BIN_EXE_faultline"))
        .args(["campaign", "--jobs", "1", "--seconds", "600"])
        .args(["--format", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(summary(&output)["totals"]["executions"].as_u64().unwrap() > 0);
}

#[test]
fn targets_are_told_apart() {
    // The battery comes first, whatever the target.
    let run = |target: &str| summary(&campaign(&["--executions", "1000", "--target", target]));
    let kinds = ["fork_cow", "stack_growth"].map(run);
    assert_ne!(kinds[0]["totals"]["meter"], kinds[1]["totals"]["meter"]);
    let output = campaign(&["--target", "nothing"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("exec_images"), "{message}");
}

/// What is kept covers as much as all did, with fewer cases, whatever the form of the files.
#[test]
fn a_distilled_corpus_covers_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let [corpus, few, again] = ["corpus", "few", "again"].map(|name| folder.path().join(name));
    let arguments = ["--executions", "400", "--corpus", name(&corpus)];
    let campaign = summary(&campaign(&arguments));
    for binary in 0..3_u8 {
        let case = generate(u64::from(binary), 10, Profile::Files);
        std::fs::write(corpus.join(format!("binary-{binary}")), case.to_bytes()).unwrap();
    }
    let distil = |from: &Path, to: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_faultline"))
            .args([
                "distil",
                "--format",
                "json",
                name(from),
                "--output",
                name(to),
            ])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        summary(&output)
    };
    let first = distil(&corpus, &few);
    let stored = campaign["pool"].as_u64().unwrap();
    assert_eq!(first["cases"], stored + 3);
    assert!(first["kept"].as_u64().unwrap() < stored / 2, "{first}");
    assert!(first["edges"].as_u64() >= campaign["edges"].as_u64());
    assert!(first["features"].as_u64() >= campaign["features"].as_u64());
    assert_eq!(
        std::fs::read_dir(&few).unwrap().count() as u64,
        first["kept"]
    );
    let second = distil(&few, &again);
    assert_eq!(second["kept"], second["cases"]);
    assert_eq!(second["edges"], first["edges"]);
    assert_eq!(second["features"], first["features"]);
}
