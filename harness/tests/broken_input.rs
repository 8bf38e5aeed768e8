//! What `faultline check` says of files that are no kernel, no image, or a kernel that does not
//! come up: what is wrong, where, and what to do next. Every kernel here is a few lines of assembly.

#[path = "../emulator/tests/support/mod.rs"]
mod support;

use faultline::agent::HINT_CODE;
use mkfs::Builder;
use std::path::PathBuf;
use std::process::Command;
use support::assembler::assemble;
use support::elf::executable;

const RAM: u64 = 0x8000_0000;
/// Where the class, the byte order and the machine stand in an ELF file.
const CLASS: usize = 4;
const ORDER: usize = 5;
const MACHINE: usize = 18;

/// Prints `hello` and sets the machine up to go to user mode.
const PRELUDE: &str = "
        li t0, 0x10000000
        la t1, word
print:  lbu t2, 0(t1)
        beqz t2, set
        sb t2, 0(t0)
        addi t1, t1, 1
        j print
word:   .byte 104, 101, 108, 108, 111, 10, 0
        .align 4
set:    la t0, handler
        csrrw zero, mtvec, t0
        li t0, -1
        csrrw zero, pmpaddr0, t0
        li t0, 31
        csrrw zero, pmpcfg0, t0
        la t0, user
        csrrw zero, mepc, t0
";

/// A kernel that says `hello` and then does this.
fn kernel(text: &str) -> Vec<u8> {
    let code = assemble(RAM, &format!("{PRELUDE}{text}"));
    executable(RAM, &[(RAM, &code)])
}

/// The image of a kernel that has an `/init`.
fn image() -> Vec<u8> {
    build(&Builder::new().file("init", b"anything").file("sh", b"more"))
}

fn build(builder: &Builder) -> Vec<u8> {
    builder.build().unwrap().into_bytes()
}

/// Checks a kernel on an image, which must end with exit code 2. Returns what `faultline check` says.
fn refusal(kernel: &[u8], image: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let (kernel, image) = (path("the-kernel", kernel), path("the-image", image));
    said(
        Command::new(env!("CARGO_BIN_EXE_faultline"))
            .arg("check")
            .arg("--kernel")
            .arg(kernel)
            .arg("--fs")
            .arg(image)
            .args(["--seconds", "1", "--findings"])
            .arg(folder.path()),
    )
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(!message.contains("panicked at"), "{message}");
    // The width of the terminal decides where lines end, even within words.
    squeeze(&message)
}

fn squeeze(text: &str) -> String {
    text.chars()
        .filter(|char| !char.is_whitespace() && *char != '│')
        .collect()
}

#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(
            message.contains(&squeeze(part)),
            "no {part:?} in: {message}"
        );
    }
}

#[test]
fn a_kernel_for_another_machine() {
    let good = kernel("user: handler: j handler");
    let changed = |changes: &[(usize, u8)]| {
        let mut bytes = good.clone();
        for (at, value) in changes {
            bytes[*at] = *value;
        }
        bytes
    };
    for (kernel, said) in [
        (changed(&[(MACHINE, 62)]), "it is made for x86-64"),
        (changed(&[(MACHINE, 3), (CLASS, 1)]), "it is made for x86,"),
        (changed(&[(MACHINE, 183)]), "it is made for ARM"),
        (changed(&[(MACHINE, 8)]), "it is made for another machine"),
        (changed(&[(CLASS, 1)]), "it is made for RV32"),
        (changed(&[(ORDER, 2)]), "it is big-endian"),
        (changed(&[(16, 1)]), "it is not linked at a fixed address"),
        (good[..40].to_vec(), "its header is cut off"),
        (good[..70].to_vec(), "its program headers are cut off"),
        (good[..130].to_vec(), "a segment is cut off"),
        (b"#!/bin/sh\nexit\n".to_vec(), "does not begin as an ELF"),
        (Vec::new(), "does not begin as an ELF"),
    ] {
        let message = refusal(&kernel, &image());
        assert_says(&message, &["the-kernel", said, "make kernel/kernel"]);
    }
}

#[test]
fn files_that_are_not_an_image() {
    let kernel = kernel("user: handler: j handler");
    let noise: Vec<u8> = (0..500_000_u32)
        .map(|at| (at.wrapping_mul(at) >> 5) as u8)
        .collect();
    let whole = image();
    let without = build(&Builder::new().file("sh", b"").file("ls", b""));
    for (image, said) in [
        (noise, "not an xv6 file system"),
        (Vec::new(), "too few for a superblock"),
        (whole[..whole.len() / 2].to_vec(), "the image is too short"),
        (without, "has no file `init` in its root"),
    ] {
        let message = refusal(&kernel, &image);
        assert_says(&message, &["the-image", said, "make fs.img"]);
    }
}

#[test]
fn an_image_without_room_for_the_agent() {
    let kernel = kernel("user: handler: j handler");
    let full = |blocks, inodes| {
        build(
            &Builder::new()
                .blocks(blocks)
                .inodes(inodes)
                .file("init", b""),
        )
    };
    let few_blocks = refusal(&kernel, &full(60, 100));
    assert_says(
        &few_blocks,
        &["the-image", "no free block is left", "FSSIZE"],
    );
    let few_inodes = refusal(&kernel, &full(1000, 4));
    assert_says(
        &few_inodes,
        &["the-image", "no free inode is left", "NINODES"],
    );
}

#[test]
fn a_kernel_that_never_reaches_user_mode() {
    for (rest, how) in [
        ("user: handler: j handler", "it spins for ever"),
        (
            "handler: user: wfi\nj user",
            "every hart waits for an interrupt that cannot come",
        ),
        (
            "user: handler: li t0, 0x100000\nli t1, 0x73333\nsw t1, 0(t0)",
            "it switched the machine off with code 7",
        ),
        (
            "user: handler: addi t0, t0, 1\nj handler",
            "it was still running",
        ),
    ] {
        let message = refusal(&kernel(rest), &image());
        assert_says(
            &message,
            &[
                "the-kernel",
                "did not get to the agent's first instruction",
                how,
                "0 disk requests are done",
                "no program has run in user mode",
                "its console shows: hello",
            ],
        );
    }
}

#[test]
fn a_kernel_that_panics_is_not_waited_for() {
    let text = "
            li t0, 0x10000000
            la t1, words
    more:   lbu t2, 0(t1)
            beqz t2, user
            sb t2, 0(t0)
            addi t1, t1, 1
            j more
    words:  .byte 112, 97, 110, 105, 99, 58, 32, 111, 104, 10, 0
            .align 4
    handler: user: addi t0, t0, 1
            j user";
    let message = refusal(&kernel(text), &image());
    assert_says(&message, &["it panicked (`panic: oh`)"]);
    let (_, after) = message.split_once("after").unwrap();
    let (instructions, _) = after.split_once("instructions").unwrap();
    let instructions: u64 = instructions.parse().unwrap();
    assert!(instructions < 10_000_000, "{message}");
}

#[test]
fn a_kernel_that_spins_after_its_first_program() {
    let text = "mret\nuser: ecall\nhandler: j handler";
    let message = refusal(&kernel(text), &image());
    let parts = [
        "it spins for ever",
        "a program has run in user mode",
        "hello",
    ];
    assert_says(&message, &parts);
}

/// It reaches the agent's hint, but does not return from the agent's first system call.
#[test]
fn a_kernel_that_spins_in_a_system_call() {
    let text = format!("mret\nuser: slti zero, zero, {HINT_CODE}\nhandler: j handler");
    let message = refusal(&kernel(&text), &image());
    let parts = [
        "did not get back from the agent's first system calls: it spins for ever",
        "a program has run in user mode",
        "hello",
    ];
    assert_says(&message, &parts);
}

#[test]
fn folders_without_kernels() {
    let folder = tempfile::tempdir().unwrap();
    let check = |folder: &std::path::Path| {
        said(
            Command::new(env!("CARGO_BIN_EXE_faultline"))
                .arg("check")
                .arg(folder),
        )
    };
    let next = "make kernel/kernel fs.img";
    assert_says(&check(folder.path()), &["no kernel in", next]);
    std::fs::create_dir(folder.path().join("tree")).unwrap();
    std::fs::write(folder.path().join("tree/fs.img"), image()).unwrap();
    assert_says(&check(folder.path()), &["no kernel in", next]);
    assert_says(
        &check(&folder.path().join("nowhere")),
        &["cannot read", "nowhere"],
    );
    let missing = said(Command::new(env!("CARGO_BIN_EXE_faultline")).args([
        "check",
        "--kernel",
        "/no/kernel",
        "--fs",
        "/no/image",
    ]));
    assert_says(&missing, &["cannot read the kernel /no/kernel", next]);
    let unnamed = said(Command::new(env!("CARGO_BIN_EXE_faultline")).arg("check"));
    assert_says(
        &unnamed,
        &["no kernel was named", "--kernel ELF and --fs IMAGE"],
    );
}
