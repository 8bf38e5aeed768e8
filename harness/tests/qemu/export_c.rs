//! Findings of C kernels as programs in C, which show them under QEMU, where there is no fuzzer.

use crate::console::{Qemu, program};
use crate::export::{case, run, verdict};
use faultline::export::{Language, export};
use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use libtest_mimic::Trial;
use oracle::Dialect;
use peers::{COMPILER, Missing, QEMU, trial};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Names the tree of a C xv6-riscv of September 2025, with its bugs.
const TREE: &str = "FAULTLINE_XV6_2025";

const TOOLS: &str = "TOOLPREFIX=riscv64-linux-gnu-";

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("export_c::programs_show_findings", tree, |tree| {
            programs_in_c_show_findings_of_a_c_kernel(&tree);
        }),
        trial(
            "export_c::programs_show_what_is_wrong_with_frames",
            tree,
            |tree| {
                programs_in_c_show_what_is_wrong_with_frames(&tree);
            },
        ),
    ]
}

/// The tree that the variable names, where the programs are that build it and run it.
fn tree() -> Result<PathBuf, Missing> {
    COMPILER.command()?;
    QEMU.command()?;
    peers::folder(TREE, "the tree of a C xv6-riscv of September 2025")
}

/// A copy of a tree.
fn copy(tree: &Path) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tree");
    run(Command::new("cp").arg("-a").args([tree, &path]));
    (folder, path)
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
    let words = lines
        .find(|line| line.clone().next().is_some_and(is_qemu))
        .unwrap_or_else(|| panic!("{commands}"));
    let mut command = program();
    command.args(words.skip(1)).current_dir(tree);
    Qemu::start(command)
}

/// The findings that a C kernel of September 2025 has, as programs, on it and on it repaired.
fn programs_in_c_show_findings_of_a_c_kernel(tree: &Path) {
    let (_folder, tree) = copy(tree);
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
    let sound = export(&mut runner, &case("child_of_a_lazy_page"), Language::C).unwrap();
    let programs: Vec<String> = [sound.program].into_iter().chain(found).collect();
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
fn programs_in_c_show_what_is_wrong_with_frames(tree: &Path) {
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
        let (_folder, tree) = copy(tree);
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
    assert!(
        text.contains(wrong),
        "{} lacks the text to repair",
        file.display()
    );
    fs::write(file, text.replace(wrong, right)).unwrap();
}
