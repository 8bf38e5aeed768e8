//! A kernel whose ELF file has no symbols is checked too, and the report says what is skipped.

use faultline::guest::location::GuestFiles;
use std::process::Command;

/// Where the ELF header says where its section headers are, and how many; without them a file is
/// what `strip` leaves of it.
const SECTIONS_AT: std::ops::Range<usize> = 40..48;
const SECTIONS: std::ops::Range<usize> = 58..64;

#[test]
fn a_stripped_kernel_is_checked_for_what_can_be_seen() {
    let files = GuestFiles::find(None, None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let kernel = folder.path().join("stripped.elf");
    let mut stripped = files.kernel;
    stripped[SECTIONS_AT].fill(0);
    stripped[SECTIONS].fill(0);
    std::fs::write(&kernel, stripped).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_faultline"))
        .arg("check")
        .arg("--kernel")
        .arg(&kernel)
        .arg("--fs")
        .arg(&files.file_system_path)
        .args(["--work", "100", "--jobs", "1", "--findings"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}\n{error}");
    for part in [
        "not checked: frames: ",
        "not checked: immediate panics: ",
        "not checked: failing allocations: ",
        "fork.memory = \"shared\"",
        "nothing wrong was found",
    ] {
        assert!(said.contains(part), "no {part:?} in: {said}");
    }
}
