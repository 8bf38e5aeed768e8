//! Work for the file system, one change at a time: after each, a line says what was done. Tests cut
//! the power meanwhile, and know from these lines what must be on the disk.
//!
//! The lines, as the shell's user would do it: `create F`, `write F LENGTH SEED` (from the start,
//! in one system call), `append F LENGTH SEED`, `truncate F`, `link OLD NEW`, `unlink F`, `mkdir
//! D`, `hold F` (leave it open), `release` (close it). Byte number `i` that is written has the
//! value `SEED + i / 512`.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::ffi::CStr;
use user::abi::open;
use user::{Arguments, File, println, system};

user::program!(main);

fn main(_: Arguments) -> i32 {
    match work() {
        Some(()) => 0,
        None => {
            println!("filework: FAILED");
            1
        }
    }
}

fn work() -> Option<()> {
    mkdir(c"work")?;
    create(c"work/small")?;
    write(c"work/small", 100, 1)?;
    append(c"work/small", 3000, 2)?;
    write(c"work/small", 1500, 3)?;
    link(c"work/small", c"other-name")?;
    // As `mv` would.
    unlink(c"work/small")?;
    mkdir(c"work/inner")?;
    link(c"other-name", c"work/inner/back")?;
    unlink(c"other-name")?;

    // Beyond the direct blocks, in several transactions, and back to nothing.
    create(c"big")?;
    write(c"big", 11 * 1024 + 10, 4)?;
    append(c"big", 4 * 1024, 5)?;
    truncate(c"big")?;
    write(c"big", 600, 6)?;

    // An open file without a name, written to and then given up.
    create(c"work/nameless")?;
    write(c"work/nameless", 13 * 1024, 7)?;
    let held = hold(c"work/nameless")?;
    unlink(c"work/nameless")?;
    create(c"after")?;
    drop(held);
    println!("release");
    write(c"after", 2000, 8)?;

    // A directory that goes, and the inode and blocks that are free again.
    unlink(c"work/inner/back")?;
    unlink(c"work/inner")?;
    create(c"work/reused")?;
    write(c"work/reused", 5000, 9)?;
    unlink(c"big")
}

fn create(path: &CStr) -> Option<()> {
    File::open(path, open::CREATE | open::WRITE_ONLY)?;
    println!("create {}", name(path));
    Some(())
}

/// One `write` of a pattern.
fn put(file: &File, length: usize, seed: usize) -> Option<()> {
    let pattern: Vec<u8> = (0..length)
        .map(|index| (seed + index / 512) as u8)
        .collect();
    let written = system::write(file.descriptor(), &pattern)?;
    (written == length).then_some(())
}

fn write(path: &CStr, length: usize, seed: usize) -> Option<()> {
    put(&File::open(path, open::WRITE_ONLY)?, length, seed)?;
    println!("write {} {length} {seed}", name(path));
    Some(())
}

fn append(path: &CStr, length: usize, seed: usize) -> Option<()> {
    let file = File::open(path, open::READ_WRITE)?;
    while file.read(&mut [0; 512])? > 0 {}
    put(&file, length, seed)?;
    println!("append {} {length} {seed}", name(path));
    Some(())
}

fn truncate(path: &CStr) -> Option<()> {
    File::open(path, open::WRITE_ONLY | open::TRUNCATE)?;
    println!("truncate {}", name(path));
    Some(())
}

fn link(old: &CStr, new: &CStr) -> Option<()> {
    system::link(old, new)?;
    println!("link {} {}", name(old), name(new));
    Some(())
}

fn unlink(path: &CStr) -> Option<()> {
    system::unlink(path)?;
    println!("unlink {}", name(path));
    Some(())
}

fn mkdir(path: &CStr) -> Option<()> {
    system::mkdir(path)?;
    println!("mkdir {}", name(path));
    Some(())
}

fn hold(path: &CStr) -> Option<File> {
    let file = File::open(path, open::READ_ONLY)?;
    println!("hold {}", name(path));
    Some(file)
}

/// A path to be printed.
fn name(path: &CStr) -> &str {
    path.to_str().unwrap_or("?")
}
