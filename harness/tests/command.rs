//! The command line as a person or a CI meets it: exit codes, error messages, both output forms.

use oracle::Dialect;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn faultline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faultline"))
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("cannot start faultline: {error}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/seeds/sbrk_faults")
}

fn first_seed() -> String {
    let mut seeds: Vec<PathBuf> = std::fs::read_dir(seeds())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    seeds.sort();
    seeds[0].display().to_string()
}

fn file(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.display().to_string()
}

fn manifest(folder: &Path) -> toml::Table {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    text.parse().unwrap()
}

#[test]
fn a_clean_case_exits_with_0() {
    let output = faultline(&["run", &first_seed()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).starts_with("ok "),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_dialect_is_named_or_read_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let known = include_bytes!("../../oracle/src/dialect/faultline.toml");
    let written = file(&folder, "own.toml", known);
    let broken = file(&folder, "broken.toml", b"name = 1");
    for (dialect, code) in [
        ("faultline", 0),
        (written.as_str(), 0),
        (broken.as_str(), 2),
        ("/no/such/dialect", 2),
    ] {
        let output = faultline(&["run", "--dialect", dialect, &first_seed()]);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{dialect}: {message}");
        assert_eq!(message.contains("dialect"), code != 0, "{message}");
    }
}

#[test]
fn json_is_json() {
    let output = faultline(&["run", "--format", "json", &first_seed()]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value[0]["verdict"], "ok");
    assert!(value[0]["operations"]["compared"].as_u64().unwrap() > 0);
}

#[test]
fn replay_is_the_same_on_one_thread_and_on_two() {
    let seeds = seeds().display().to_string();
    let one = faultline(&["replay", "--jobs", "1", "--format", "json", &seeds]);
    let two = faultline(&["replay", "--jobs", "2", "--format", "json", &seeds]);
    assert_eq!(one.status.code(), Some(0), "{}", text(&one.stdout));
    assert_eq!(text(&one.stdout), text(&two.stdout));
}

#[test]
fn binary_and_text_convert_both_ways_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    let seed = first_seed();
    let binary = folder.path().join("case.bin").display().to_string();
    let encode = faultline(&["encode", &seed, "--output", &binary]);
    assert_eq!(encode.status.code(), Some(0), "{}", text(&encode.stderr));
    let decoded = faultline(&["decode", &binary]);
    let again = file(&folder, "again.case", &decoded.stdout);
    let encoded_again = faultline(&["encode", &again]);
    assert_eq!(encoded_again.stdout, std::fs::read(&binary).unwrap());
}

#[test]
fn a_folder_is_converted_with_the_folders_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let encoded = folder.path().join("encoded");
    let decoded = folder.path().join("decoded");
    let convert = |how: &str, from: &Path, to: &Path| {
        let (from, to) = (from.display().to_string(), to.display().to_string());
        let output = faultline(&[how, &from, "--output", &to]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    };
    let cases = folder.path().join("cases");
    for name in ["files/one.1.case", "files/one.2.case", "pipes/two.case"] {
        let path = cases.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(first_seed(), path).unwrap();
    }
    convert("encode", &cases, &encoded);
    convert("decode", &encoded, &decoded);
    for name in ["files/one.1.case", "files/one.2.case", "pipes/two.case"] {
        let case = |folder: &Path| {
            faultline::Case::parse(&std::fs::read_to_string(folder.join(name)).unwrap())
        };
        assert_eq!(case(&decoded).unwrap(), case(&cases).unwrap(), "{name}");
    }
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let empty = empty.display().to_string();
    let refused = faultline(&["encode", &empty, "--output", &empty]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
}

#[test]
fn any_bytes_are_a_case() {
    let folder = tempfile::tempdir().unwrap();
    let noise: Vec<u8> = (0..999_u32).map(|at| ((at * at) >> 3) as u8).collect();
    let path = file(&folder, "noise", &noise);
    let output = faultline(&["run", &path]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn a_mistake_in_a_case_is_shown_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        &folder,
        "wrong.case",
        b"faultline 1\na: sbrk +1p\na: lode8 heap[0]\n",
    );
    let output = faultline(&["run", &path]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains("3:4"), "{message}");
    assert!(message.contains("load8"), "{message}");
}

#[test]
fn broken_kernels_and_images_are_met_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let noise: Vec<u8> = (0..5000_u32).map(|at| ((at * 7) >> 2) as u8).collect();
    let noise = file(&folder, "noise", &noise);
    for arguments in [
        ["run", "--kernel", &noise, &first_seed()],
        ["run", "--fs", &noise, &first_seed()],
        ["run", "--kernel", "/no/such/kernel", &first_seed()],
        ["run", "/no/such/case", "--format", "text"],
    ] {
        let output = faultline(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
        assert!(!text(&output.stderr).contains("panicked"), "{arguments:?}");
    }
}

#[test]
fn what_no_program_can_show_exits_with_3() {
    let folder = tempfile::tempdir().unwrap();
    // If the dialect demands heap pages that can be executed, ours have wrong permission bits.
    let ours = Dialect::faultline().to_text().unwrap();
    let demanding = ours.replace("executable = false", "executable = true");
    assert_ne!(ours, demanding);
    let dialect = file(&folder, "demanding.toml", demanding.as_bytes());
    let case = file(
        &folder,
        "bits.case",
        b"faultline 1\na: sbrk +1p\na: load1 heap[0]\n",
    );
    let output = faultline(&["export", "--c", &case, "--dialect", &dialect]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("cannot show the finding"), "{said}");
    assert!(text(&output.stdout).contains("NOT SHOWN"));
    let printed = faultline(&["run", &case, "--dialect", &dialect]);
    assert!(text(&printed.stdout).contains("permission-bits"));
}

#[test]
fn a_case_is_exported_as_a_program() {
    let seed = first_seed();
    let printed = faultline(&["export", "--c", &seed]);
    assert_eq!(printed.status.code(), Some(0), "{}", text(&printed.stderr));
    let program = text(&printed.stdout);
    assert!(program.contains("int main(void)"), "{program}");

    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("repro.rs").display().to_string();
    let written = faultline(&[
        "export", "--rust", &seed, "--output", &output, "--format", "json",
    ]);
    let told: serde_json::Value = serde_json::from_slice(&written.stdout).unwrap();
    assert_eq!(told["program"], std::fs::read_to_string(&output).unwrap());

    let neither = faultline(&["export", &seed]);
    assert_eq!(neither.status.code(), Some(2));
    assert!(
        text(&neither.stderr).contains("<--c|--rust>"),
        "{}",
        text(&neither.stderr)
    );
}

/// Of the packages that `cargo run` looks into, only this one may name a program: two make cargo ask which one is meant.
#[test]
fn cargo_run_starts_faultline() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let members = manifest(&root)["workspace"]["default-members"].clone();
    let named: Vec<String> = members
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|member| {
            let package = manifest(&root.join(member.as_str().unwrap()));
            Some(package["package"].get("default-run")?.to_string())
        })
        .collect();
    assert_eq!(named, ["\"faultline\""]);
}

#[test]
fn the_documents_name_commands_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    pages.extend(["README.md", "CONTRIBUTING.md"].map(|page| root.join(page)));
    let mut commands = BTreeSet::new();
    for page in pages {
        let page = std::fs::read_to_string(page).unwrap();
        commands.extend(
            page.split("cargo run --release -- ")
                .skip(1)
                .filter_map(|rest| rest.split(|letter: char| !letter.is_alphabetic()).next())
                .map(str::to_owned),
        );
    }
    assert!(commands.len() > 5, "{commands:?}");
    for command in commands {
        let output = faultline(&[&command, "--help"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{command}: {said}");
    }
}
