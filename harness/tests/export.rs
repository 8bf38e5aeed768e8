//! Findings as programs: their text, and that they show the finding where there is no fuzzer.
//!
//! What a program shows is tried where the tools for it are: the cross compiler of Debian, QEMU, and
//! for C the trees of kernels, which two variables name. Without them a test says what is missing.

mod qemu;

use emulator::Config;
use faultline::case_file;
use faultline::console::Console;
use faultline::export::{Language, export};
use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use oracle::{Case, Dialect};
use qemu::Qemu;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Names the tree of a C xv6-riscv of September 2025, with its bugs.
const TREE: &str = "FAULTLINE_XV6_2025";
/// Writes the golden texts instead of comparing with them.
const BLESS: &str = "FAULTLINE_BLESS";

const COMPILER: &str = "riscv64-linux-gnu-gcc";
const TOOLS: &str = "TOOLPREFIX=riscv64-linux-gnu-";

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
            "operation 2 (a: exec heap[0] heap[0]+0x800) has no counterpart in a program: \
             a program starts, and this one ends with it",
        ),
        (
            "faultline 1\na: b = fork\na: c = fork\na: d = fork\na: e = fork\na: f = fork\n",
            "the case has 6 processes: a program can conduct at most 5",
        ),
        (
            "faultline 1\na: b = fork\na: pipe data[0]\na: pipe data[0]\na: pipe data[0]\n\
             a: pipe data[0]\na: pipe data[0]\n",
            "the case opens up to 10 descriptors: beside its pipes the program has 9",
        ),
    ] {
        let refusal = export(&mut runner, &Case::parse(text).unwrap(), Language::C);
        assert_eq!(refusal.unwrap_err().to_string(), reason);
    }
}

/// A copy of the tree that the variable names; says so if there is none.
fn tree() -> Option<(tempfile::TempDir, PathBuf)> {
    let Some(tree) = env::var_os(TREE) else {
        eprintln!("SKIPPED: {TREE} names no tree of a C xv6-riscv of September 2025");
        return None;
    };
    if Command::new(COMPILER).arg("--version").output().is_err() {
        eprintln!("SKIPPED: {COMPILER} is not installed (Debian: gcc-riscv64-linux-gnu)");
        return None;
    }
    if !Qemu::is_installed() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tree");
    run(Command::new("cp").arg("-a").args([&tree, path.as_os_str()]));
    Some((folder, path))
}

fn make(tree: &Path) {
    run(Command::new("make")
        .args([TOOLS, "kernel/kernel", "fs.img"])
        .current_dir(tree));
}

/// Puts `programs` into a tree, as `repro0`, `repro1`, …
fn plant(tree: &Path, programs: &[String]) {
    let makefile = tree.join("Makefile");
    let mut text = fs::read_to_string(&makefile).unwrap();
    for (number, program) in programs.iter().enumerate() {
        fs::write(tree.join(format!("user/repro{number}.c")), program).unwrap();
        text = text.replace(
            "UPROGS=\\\n",
            &format!("UPROGS=\\\n\t$U/_repro{number}\\\n"),
        );
    }
    fs::write(&makefile, text).unwrap();
}

/// The kernel of a tree under QEMU, as the tree's own makefile starts it, with so many harts.
fn on_qemu(tree: &Path, harts: usize) -> Qemu {
    make(tree);
    let output = Command::new("make")
        .args([TOOLS, &format!("CPUS={harts}"), "--dry-run", "qemu"])
        .current_dir(tree)
        .output()
        .unwrap();
    let commands = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = commands.lines().map(str::split_whitespace);
    let is_qemu = |word: &str| word.starts_with("qemu-system");
    let mut words = lines
        .find(|line| line.clone().next().is_some_and(is_qemu))
        .unwrap_or_else(|| panic!("{commands}"));
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).current_dir(tree);
    Qemu::start(command)
}

/// The last line but the prompt.
fn verdict(shown: &str) -> &str {
    let mut lines = shown.lines();
    let last = lines.rfind(|line| !line.starts_with('$'));
    last.unwrap_or_default()
}

/// The findings that a C kernel of September 2025 has, as programs, on it and on it repaired.
#[test]
fn programs_in_c_show_findings_of_a_c_kernel() {
    let Some((_folder, tree)) = tree() else {
        return;
    };
    make(&tree);
    let files = GuestFiles::find(
        Some(&tree.join("kernel/kernel")),
        Some(&tree.join("fs.img")),
    );
    let files = files.unwrap_or_else(|error| panic!("{error}"));
    let guest =
        faultline::boot(&files, Dialect::xv6_2025()).unwrap_or_else(|error| panic!("{error}"));
    let mut runner = Runner::new(&guest);
    let found = [
        "string_on_a_lazy_page",
        "string_of_a_child",
        "growth_past_the_trapframe",
    ];
    let found = found.map(|name| {
        let case = case(name);
        let exported = export(&mut runner, &case, Language::C).unwrap();
        assert!(exported.finding.is_some(), "{case}");
        exported.program
    });
    let sound = program(&mut runner, &case("child_of_a_lazy_page"), Language::C);
    let programs: Vec<String> = [sound].into_iter().chain(found).collect();
    plant(&tree, &programs);

    let mut qemu = on_qemu(&tree, 3);
    let shown = qemu.run("repro0");
    assert_eq!(verdict(&shown), "not reproduced", "{shown}");
    for line in ["repro1", "repro2"] {
        let shown = qemu.run(line);
        assert_eq!(verdict(&shown), "REPRODUCED", "{shown}");
    }
    // The kernel panics when a process with such a break ends: there is no prompt.
    qemu.run_to("repro3", "saw 0x3f80005f81\nREPRODUCED");
    drop(qemu);

    repair(
        &tree.join("kernel/vm.c"),
        "    if(pa0 == 0)\n      return -1;\n    n = PGSIZE - (srcva - va0);\n    if(n > max)",
        "    if(pa0 == 0 && (pa0 = vmfault(pagetable, va0, 0)) == 0)\n      return -1;\n    \
         n = PGSIZE - (srcva - va0);\n    if(n > max)",
    );
    repair(
        &tree.join("kernel/sysproc.c"),
        "if(addr + n < addr)",
        "if(addr + n < addr || addr + n > TRAPFRAME)",
    );
    let mut qemu = on_qemu(&tree, 3);
    for number in 0..programs.len() {
        let shown = qemu.run(&format!("repro{number}"));
        assert_eq!(verdict(&shown), "not reproduced", "{shown}");
    }
}

/// Kernels that are wrong about frames: a pipe that keeps its frame, a fault that finds none and
/// panics, a growth that takes them at once. To count free frames is to take them all, which takes
/// QEMU long with more than one hart.
#[test]
fn programs_in_c_show_what_is_wrong_with_frames() {
    const REPRODUCED: &str = "REPRODUCED";
    const PANIC: &str = "panic";
    let found = [
        (
            "pipe_that_is_closed",
            REPRODUCED,
            "pipe.c",
            "    release(&pi->lock);\n    kfree((char*)pi);",
            "    release(&pi->lock);",
        ),
        (
            "growth_that_takes_nothing",
            REPRODUCED,
            "sysproc.c",
            "if(t == SBRK_EAGER || n < 0)",
            "if(t == SBRK_EAGER || t == SBRK_LAZY || n < 0)",
        ),
        (
            "store_without_a_frame",
            PANIC,
            "vm.c",
            "  mem = (uint64) kalloc();\n  if(mem == 0)\n    return 0;",
            "  mem = (uint64) kalloc();\n  if(mem == 0)\n    panic(\"vmfault\");",
        ),
    ];
    for (name, wanted, file, right, wrong) in found {
        let Some((_folder, tree)) = tree() else {
            return;
        };
        let file = tree.join("kernel").join(file);
        let sound = fs::read_to_string(&file).unwrap();
        repair(&file, right, wrong);
        make(&tree);
        let files = GuestFiles::find(
            Some(&tree.join("kernel/kernel")),
            Some(&tree.join("fs.img")),
        );
        let files = files.unwrap_or_else(|error| panic!("{error}"));
        let guest = faultline::boot(&files, Dialect::xv6_2025());
        let mut runner = Runner::new(&guest.unwrap_or_else(|error| panic!("{error}")));
        let exported = export(&mut runner, &case(name), Language::C).unwrap();
        assert!(exported.finding.is_some() && exported.hidden.is_none());
        plant(&tree, &[exported.program]);
        let mut qemu = on_qemu(&tree, 1);
        match wanted {
            PANIC => drop(qemu.run_to("repro0", PANIC)),
            _ => {
                let shown = qemu.run("repro0");
                assert_eq!(verdict(&shown), wanted, "{shown}");
            }
        }
        drop(qemu);
        fs::write(&file, sound).unwrap();
        let shown = on_qemu(&tree, 1).run("repro0");
        assert_eq!(verdict(&shown), "not reproduced", "{shown}");
    }
}

fn repair(file: &Path, wrong: &str, right: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(wrong), "{} is another", file.display());
    fs::write(file, text.replace(wrong, right)).unwrap();
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
#[test]
#[ignore = "builds eight kernels, which takes some minutes"]
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
            if Qemu::is_installed() {
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

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{errors}");
}
