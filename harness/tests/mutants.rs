//! `faultline mutants`: small defects of the kernel are made, reached, and for a good part detected.

use serde_json::Value;
use std::process::{Command, Output};

fn mutants(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faultline"))
        .arg("mutants")
        .args(arguments)
        .output()
        .unwrap()
}

fn report(arguments: &[&str]) -> Value {
    let output = mutants(&[arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn count(report: &Value, result: &str) -> usize {
    let mutants = report["mutants"].as_array().unwrap();
    mutants
        .iter()
        .filter(|mutant| mutant["result"] == result)
        .count()
}

#[test]
fn most_mutants_of_the_page_tables_are_detected() {
    let arguments = ["--generate", "60", "--count", "60", "--files", "page_table"];
    let report = report(&arguments);
    assert_eq!(report["total"]["tried"], 60);
    let [detected, survived] = ["detected", "survived"].map(|result| count(&report, result));
    assert!(detected > survived, "{detected} detected, {survived} not");
    assert!(
        report["mutants"][0]["file"]
            .as_str()
            .unwrap()
            .contains("page_table")
    );
}

#[test]
fn a_draw_and_its_score_repeat_on_any_number_of_threads() {
    let arguments = ["--generate", "10", "--count", "40", "--seed", "7"];
    let one = report(&[arguments.as_slice(), &["--jobs", "1"]].concat());
    let two = report(&[arguments.as_slice(), &["--jobs", "2"]].concat());
    assert_eq!(one, two);
    assert!(count(&one, "not-reached") > 0 && count(&one, "detected") > 0);
}

#[test]
fn files_that_no_kernel_has_are_refused() {
    let output = mutants(&["--files", "no/such/file"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--files"));
}

#[test]
fn test_programs_are_scored_on_the_same_mutants() {
    let arguments = ["--generate", "20", "--count", "8", "--files", "page_table"];
    let report = report(&[arguments.as_slice(), &["--programs", "stacktests"]].concat());
    let programs = &report["programs"];
    let mutants = report["mutants"].as_array().unwrap();
    let failing = |mutant: &&Value| {
        let verdict = &mutant["programs"]["stacktests"];
        ["failed", "hung", "panicked"]
            .iter()
            .any(|word| verdict == word)
    };
    let detected = mutants.iter().filter(failing).count();
    assert!(detected > 0, "{report:#}");
    assert_eq!(programs["scores"]["stacktests"]["detected"], detected);
    let sides = ["both", "only_cases", "only_programs", "neither"];
    let sum: u64 = sides
        .iter()
        .map(|side| programs[side].as_u64().unwrap())
        .sum();
    assert_eq!(sum, 8);
}

#[test]
fn a_test_program_that_takes_too_long_hangs() {
    let sound = std::env::temp_dir().join(format!("sound-{}.json", std::process::id()));
    let took_one = r#"{"stacktests": {"verdict": "passed", "instructions": 1}}"#;
    std::fs::write(&sound, took_one).unwrap();
    let ends = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faultline"));
        let output = command
            .args(["programs", "stacktests"])
            .args(arguments)
            .output();
        let output = output.unwrap();
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), words)
    };
    let (code, words) = ends(&[]);
    assert!(code == Some(0) && words.contains("passed"), "{words}");
    let (code, words) = ends(&["--sound", sound.to_str().unwrap()]);
    assert!(code == Some(1) && words.contains("hung"), "{words}");
    std::fs::remove_file(sound).unwrap();
}
