//! A kernel whose ELF file has no symbols is checked too, and the report says what is skipped.

use faultline::check::boot;
use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use oracle::Case;
use std::process::Command;

/// Where the ELF header says where its section headers are, and how many; without them a file is
/// what `strip` leaves of it.
const SECTIONS_AT: std::ops::Range<usize> = 40..48;
const SECTIONS: std::ops::Range<usize> = 58..64;

/// Our own kernel without its symbols.
fn stripped() -> GuestFiles {
    let mut files = GuestFiles::find(None, None).unwrap();
    files.kernel[SECTIONS_AT].fill(0);
    files.kernel[SECTIONS].fill(0);
    files
}

#[test]
fn a_stripped_kernel_is_checked_for_what_can_be_seen() {
    let files = stripped();
    let folder = tempfile::tempdir().unwrap();
    let kernel = folder.path().join("stripped.elf");
    std::fs::write(&kernel, &files.kernel).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_faultline"))
        .arg("check")
        .arg("--kernel")
        .arg(&kernel)
        .arg("--fs")
        .arg(&files.file_system_path)
        .args(["--work", "400", "--jobs", "1", "--findings"])
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

/// Nobody can see that no frame was left, but a program that asks for nearly all memory may be refused.
#[test]
fn a_refusal_is_honest_where_nearly_all_memory_is_asked_for() {
    let guest = boot(&stripped(), None, None).unwrap();
    let most = std::iter::repeat_n(2048, 16);
    let pages = most.chain((0..11).rev().map(|power| 1 << power));
    let grow: String = pages
        .map(|pages: u64| format!("a: sbrk +{pages}p eager\n"))
        .collect();
    let race = "together 3 harts, order 1 2, switch 900\na: sbrk +1p eager\nb: sbrk +1p eager\n";
    let case = Case::parse(&format!("faultline 1\na: b = fork\n{grow}{race}")).unwrap();
    let outcome = Runner::new(&guest).run(&case);
    assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
}
