//! Checking a kernel again, and against the kernel that it was made from.

mod support;

use faultline::guest::location::GuestFiles;
use faultline::mutants::Operator;
use faultline::runner::Runner;
use oracle::{Case, Dialect, Situation};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use support::broken_kernel;
use tempfile::TempDir;

/// A folder with a built tree, `tree/`, and findings.
struct Course {
    folder: TempDir,
    image: Vec<u8>,
}

impl Course {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            image: GuestFiles::find(None, None).unwrap().file_system,
        }
    }

    /// Writes a built tree with that kernel.
    fn build(&self, tree: &str, kernel: &[u8]) -> PathBuf {
        let tree = self.folder.path().join(tree);
        std::fs::create_dir_all(&tree).unwrap();
        std::fs::write(tree.join("kernel.elf"), kernel).unwrap();
        std::fs::write(tree.join("fs.img"), &self.image).unwrap();
        tree
    }

    /// Checks `tree/`. Returns the exit code and what is printed.
    fn check(&self, more: &[&str]) -> (Option<i32>, Value) {
        let output = Command::new(env!("CARGO_BIN_EXE_faultline"))
            .args(["check", "--work", "300", "--jobs", "2", "--format", "json"])
            .args(more)
            .arg("--findings")
            .arg(self.findings())
            .arg(self.folder.path().join("tree"))
            .output()
            .unwrap();
        let told: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (output.status.code(), told[0]["checked"].clone())
    }

    fn findings(&self) -> PathBuf {
        self.folder.path().join("findings")
    }
}

fn broken() -> Vec<u8> {
    broken_kernel("memory/page_table", "unmap_level", Operator::StoreDropped)
}

fn sound() -> Vec<u8> {
    GuestFiles::find(None, None).unwrap().kernel
}

fn rows(checked: &Value) -> &[Value] {
    checked["rows"].as_array().unwrap()
}

fn cases(checked: &Value) -> Vec<PathBuf> {
    let cases = |row: &Value| {
        let others = row["others"].as_array().unwrap().clone();
        std::iter::once(row["case"].clone()).chain(others)
    };
    let cases = rows(checked).iter().flat_map(cases);
    cases
        .map(|case| PathBuf::from(case.as_str().unwrap()))
        .collect()
}

#[test]
fn a_second_check_says_what_is_still_there_what_is_fixed_and_what_is_new() {
    let course = Course::new();
    course.build("tree", &broken());
    let (code, first) = course.check(&[]);
    assert_eq!(code, Some(1));
    assert!(!rows(&first).is_empty());
    assert_eq!(first.get("recheck"), None);
    assert_eq!(rows(&first)[0].get("standing"), None);

    let (code, second) = course.check(&[]);
    assert_eq!(code, Some(1));
    assert_eq!(cases(&first), cases(&second));
    let standing = |row: &Value| row["standing"].as_str().unwrap().to_owned();
    assert!(
        rows(&second)
            .iter()
            .all(|row| standing(row) == "still-there"),
        "{second}"
    );
    let recheck = &second["recheck"];
    assert_eq!(recheck["kernel_has_changed"], false);
    assert_eq!(recheck["replayed"], cases(&first).len());
    assert_eq!(recheck["of_other_kernels"], 0);
    assert!(recheck["fixed"].as_array().unwrap().is_empty());

    course.build("tree", &sound());
    let (code, third) = course.check(&[]);
    assert_ne!(code, Some(1));
    assert!(rows(&third).is_empty());
    assert_eq!(third["recheck"]["kernel_has_changed"], true);
    let fixed = third["recheck"]["fixed"].as_array().unwrap();
    assert_eq!(fixed.len(), rows(&first).len());
    assert_eq!(fixed[0]["wrong"], rows(&first)[0]["wrong"]);
    for case in cases(&first) {
        let aside = case
            .parent()
            .unwrap()
            .join("fixed")
            .join(case.file_name().unwrap());
        assert!(!case.exists() && aside.exists(), "{}", aside.display());
    }

    course.build("tree", &broken());
    let (_, fourth) = course.check(&[]);
    assert_eq!(cases(&first), cases(&fourth));
    let is_new = |row: &Value| standing(row).starts_with("new");
    assert!(rows(&fourth).iter().all(is_new), "{fourth}");
}

#[test]
fn what_the_baseline_shows_too_does_not_count() {
    let course = Course::new();
    course.build("tree", &broken());
    let sound = course.build("sound", &sound());
    let (code, checked) = course.check(&["--baseline", sound.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    let is_inherited = |row: &Value| row.get("is_in_baseline") == Some(&Value::Bool(true));
    assert!(!rows(&checked).iter().any(is_inherited));
    let baseline = course.build("handed-out", &broken());
    let (code, checked) = course.check(&["--baseline", baseline.to_str().unwrap()]);
    assert_ne!(code, Some(1));
    assert!(!rows(&checked).is_empty());
    assert!(rows(&checked).iter().all(is_inherited), "{checked}");
}

/// The situation that the judge gives for the last operation is also that of its state feature.
#[test]
fn a_situation_is_met_by_its_feature() {
    let files = GuestFiles::find(None, None).unwrap();
    let mut runner = Runner::new(&faultline::boot(&files, Dialect::faultline()).unwrap());
    let seen: Vec<(Situation, u16)> = [
        "a: sbrk +1p",
        "a: sbrk +2p\na: sbrk -1p",
        "a: sbrk +1p\na: load8 heap[0]",
        "a: sbrk +1p\na: store8 heap[0] 7",
        "a: store8 guard[0] 7",
        "a: pipe guard[0]",
        "a: pipe data[0]",
        "a: kill pid 0",
        "a: b = fork",
        "a: exit 0",
        "a: b = fork\na: wait",
    ]
    .iter()
    .map(|text| {
        runner.run(&Case::parse(&format!("faultline 1\n{text}\n")).unwrap());
        let feature = runner.features().last().copied().unwrap();
        (runner.judge().last_situation().unwrap(), feature)
    })
    .collect();
    for (at, (situation, _)) in seen.iter().enumerate() {
        for (other, (_, feature)) in seen.iter().enumerate() {
            assert_eq!(
                situation.is_met_by(*feature),
                at == other,
                "{situation:?} {other}"
            );
        }
    }
}
