//! Findings of our kernel with seeded bugs as programs in Rust, which show them in our machine and under
//! QEMU, where there is no fuzzer.

use crate::console::Qemu;
use crate::export::{case, run, verdict};
use emulator::Config;
use faultline::console::Console;
use faultline::export::{Language, export};
use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use libtest_mimic::Trial;
use oracle::Dialect;
use peers::{QEMU, long, trial};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The tests. One builds eight kernels, which takes some minutes.
pub(crate) fn trials() -> Vec<Trial> {
    let test = trial(
        "export_rust::programs_show_seeded_bugs",
        || QEMU.command(),
        |_| programs_in_rust_show_seeded_bugs_of_our_kernel(),
    );
    vec![long(
        test,
        "cargo test -p faultline --test qemu -- --ignored",
    )]
}

/// Seeded bugs, cases that they spoil, and what the programs show then.
const BUGS: [(&str, &str, &str); 6] = [
    ("15-partial-page-lost", "byte_below_the_break", "REPRODUCED"),
    (
        "34-killed-with-status-zero",
        "child_of_a_lazy_page",
        "REPRODUCED",
    ),
    (
        "45-copyout-writes-the-shared-frame",
        "answer_in_a_shared_page",
        "REPRODUCED",
    ),
    (
        "07-frame-leaked-on-refusal",
        "access_that_is_refused",
        "REPRODUCED",
    ),
    (
        "12-allocation-at-sbrk",
        "growth_that_takes_nothing",
        "REPRODUCED",
    ),
    (
        "82-copy-panics-out-of-memory",
        "read_without_a_frame",
        "panic: copy: out of memory",
    ),
];

/// Kernels with seeded bugs, and programs that show them, on them and on the sound kernel.
fn programs_in_rust_show_seeded_bugs_of_our_kernel() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = tempfile::tempdir().unwrap();
    let programs = folder.path().join("kernel/user/src/bin");
    let built = BUGS.map(|(bug, name, shows)| {
        copy_kernel(&root, folder.path());
        let patch = root.join("corpus/bugs").join(bug).with_extension("patch");
        run(Command::new("git")
            .args(["init", "--quiet"])
            .current_dir(folder.path()));
        run(Command::new("git")
            .arg("apply")
            .arg(patch)
            .current_dir(folder.path()));
        let files = build(&root, folder.path(), bug);
        let guest = faultline::boot(&files, Dialect::faultline());
        let guest = guest.unwrap_or_else(|error| panic!("{bug}: {error}"));
        let exported = export(&mut Runner::new(&guest), &case(name), Language::Rust).unwrap();
        assert!(exported.finding.is_some(), "{bug}");
        (files.kernel_path, exported.program, shows)
    });
    copy_kernel(&root, folder.path());
    for (number, (_, program, _)) in built.iter().enumerate() {
        fs::write(programs.join(format!("repro{number}.rs")), program).unwrap();
    }
    let sound = build(&root, folder.path(), "sound");
    for (number, (kernel, _, shows)) in built.iter().enumerate() {
        for (kernel, wanted) in [(kernel, *shows), (&sound.kernel_path, "not reproduced")] {
            let line = format!("repro{number}");
            let files = GuestFiles::find(Some(kernel), Some(&sound.file_system_path)).unwrap();
            let mut console = Console::boot_files(&Config::default(), files).unwrap();
            if wanted.starts_with("panic") {
                let died = console.run(&line).unwrap_err().to_string();
                assert!(died.contains(wanted), "{}:\n{died}", kernel.display());
            } else {
                let shown = console.run(&line).unwrap();
                assert_eq!(verdict(&shown), wanted, "{}:\n{shown}", kernel.display());
            }
            let mut qemu = Qemu::boot_files(kernel, &sound.file_system_path, 3);
            if wanted.starts_with("panic") {
                qemu.run_to(&line, "panic");
            } else {
                let shown = qemu.run(&line);
                assert_eq!(verdict(&shown), wanted, "{}:\n{shown}", kernel.display());
            }
        }
    }
}

/// Puts the kernel's source into `folder`, as it is in the checkout, with what seeded bugs call.
fn copy_kernel(root: &Path, folder: &Path) {
    let _ = fs::remove_dir_all(folder.join("kernel"));
    run(Command::new("cp")
        .arg("-a")
        .arg(root.join("kernel"))
        .arg(folder));
    fs::copy(root.join("Cargo.toml"), folder.join("Cargo.toml")).unwrap();
    let source = folder.join("kernel/src");
    fs::copy(root.join("corpus/bugs/canary.rs"), source.join("canary.rs")).unwrap();
    let main = source.join("main.rs");
    let text = fs::read_to_string(&main).unwrap() + "mod canary;\n";
    fs::write(main, text).unwrap();
}

fn build(root: &Path, folder: &Path, name: &str) -> GuestFiles {
    let output = folder.join(name);
    run(Command::new(root.join("scripts/build-kernel"))
        .arg("--source")
        .arg(folder.join("kernel"))
        .arg("--output")
        .arg(&output));
    let (kernel, image) = (output.join("kernel.elf"), output.join("fs.img"));
    GuestFiles::find(Some(&kernel), Some(&image)).unwrap_or_else(|error| panic!("{error}"))
}
