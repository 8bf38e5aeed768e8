//! What the tests of exported programs share.

use faultline::case_file;
use oracle::Case;
use std::path::Path;
use std::process::Command;

/// One of the cases that are exported.
pub(crate) fn case(name: &str) -> Case {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export");
    let path = folder.join(name).with_extension("case");
    case_file::read(&path).unwrap_or_else(|error| panic!("{error}"))
}

/// The last line but the prompt.
pub(crate) fn verdict(shown: &str) -> &str {
    let mut lines = shown.lines();
    let last = lines.rfind(|line| !line.starts_with('$'));
    last.unwrap_or_default()
}

/// Runs a command, which has to succeed.
pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{errors}");
}
