//! Findings as programs: their text, and which findings cannot become one. The tests of target `qemu` try what the
//! programs show.

use faultline::case_file;
use faultline::export::{Language, export};
use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use oracle::{Case, Dialect};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Writes the golden texts instead of comparing with them.
const BLESS: &str = "FAULTLINE_BLESS";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export")
}

fn case(name: &str) -> Case {
    let path = folder().join(name).with_extension("case");
    case_file::read(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn our_kernel() -> Runner {
    let files = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
    let guest =
        faultline::boot(&files, Dialect::faultline()).unwrap_or_else(|error| panic!("{error}"));
    Runner::new(&guest)
}

fn program(runner: &mut Runner, case: &Case, language: Language) -> String {
    let exported = export(runner, case, language);
    exported.unwrap_or_else(|error| panic!("{error}")).program
}

#[test]
fn programs_read_as_they_did() {
    let mut runner = our_kernel();
    for (name, language, ending) in [
        ("string_on_a_lazy_page", Language::C, "c"),
        ("child_of_a_lazy_page", Language::C, "c"),
        ("child_of_a_lazy_page", Language::Rust, "rust"),
        ("reader_that_waits", Language::Rust, "rust"),
    ] {
        let written = program(&mut runner, &case(name), language);
        let golden = folder().join(name).with_extension(ending);
        if env::var_os(BLESS).is_some() {
            fs::write(&golden, &written).unwrap();
        }
        let wanted = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(
            written,
            wanted,
            "{} has changed; if that is right: {BLESS}=1 cargo test --test export",
            golden.display()
        );
    }
}

#[test]
fn what_cannot_be_a_program_is_refused() {
    let mut runner = our_kernel();
    for (text, reason) in [
        (
            "faultline 1\na: sbrk +1p\na: string heap[0] \"init\"\na: exec heap[0] heap[0]+0x800\n",
            "a program cannot do operation 2 (a: exec heap[0] heap[0]+0x800): it starts another \
             program, which ends this one",
        ),
        (
            "faultline 1\na: b = fork\na: c = fork\na: d = fork\na: e = fork\na: f = fork\n",
            "the case has 6 processes, but a program can conduct at most 5",
        ),
        (
            "faultline 1\na: b = fork\na: pipe data[0]\na: pipe data[0]\na: pipe data[0]\n\
             a: pipe data[0]\na: pipe data[0]\n",
            "the case opens up to 10 descriptors, but the program has only 9 besides its pipes",
        ),
    ] {
        let refusal = export(&mut runner, &Case::parse(text).unwrap(), Language::C);
        assert_eq!(refusal.unwrap_err().to_string(), reason);
    }
}
