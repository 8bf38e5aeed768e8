//! Bare-metal guests to measure: five user programs over one small kernel with Sv39, whose way
//! in and out is that of xv6 (a trampoline page, a trap frame, two address spaces).
//!
//! One image serves every machine at the addresses of QEMU's `virt` board. It ends by writing to
//! the test finisher, and then spins at [`Guest::halt`].

#![allow(dead_code, reason = "each benchmark uses its own part")]

use crate::support::assembler::Program;
use crate::support::elf;

mod kernel;
mod user;

pub(crate) use user::PROGRAMS;

/// Start of RAM and of the image.
pub(crate) const RAM: u64 = 0x8000_0000;
/// RAM that a guest needs.
pub(crate) const RAM_BYTES: u64 = 128 << 20;

const TRAMPOLINE: u64 = RAM + 0x1_0000;
const TRAPFRAME: u64 = RAM + 0x1_1000;
const USER_TEXT: u64 = RAM + 0x1_2000;
const TABLES: u64 = RAM + 0x2_0000;
const USER_DATA: u64 = RAM + (16 << 20);
const FREE_FRAMES: u64 = RAM + (64 << 20);

const TRAMPOLINE_VIRTUAL: u64 = 0x3f_ffff_f000;
const TRAPFRAME_VIRTUAL: u64 = 0x3f_ffff_e000;
const TEXT_VIRTUAL: u64 = 0x1000;
const DATA_VIRTUAL: u64 = 0x20_0000;
/// Mapped user data, in bytes.
const DATA_BYTES: u64 = 32 << 20;
/// Where nothing is mapped at first.
const LAZY_VIRTUAL: u64 = 0x1000_0000;

const KERNEL_ROOT: u64 = TABLES;
const USER_ROOT: u64 = TABLES + 0x1000;
/// The last-level table that covers the lazy pages.
const LAZY_TABLE: u64 = TABLES + 0x3000;

/// A guest ready to run.
pub(crate) struct Guest {
    /// The image, to be placed at the start of RAM, where it is entered.
    pub(crate) image: Vec<u8>,
    /// Where it spins when it has ended.
    pub(crate) halt: u64,
}

impl Guest {
    /// The program of this name, doing its work `rounds` times.
    pub(crate) fn new(text: &str, rounds: u64) -> Guest {
        let symbols = [
            ("rounds", rounds),
            ("data_start", DATA_VIRTUAL),
            ("data_bytes", DATA_BYTES),
            ("lazy_start", LAZY_VIRTUAL),
            ("lazy_table", LAZY_TABLE),
            ("free_frames", FREE_FRAMES),
            ("trapframe", TRAPFRAME),
            ("trapframe_virtual", TRAPFRAME_VIRTUAL),
            ("trampoline", TRAMPOLINE),
            ("trampoline_virtual", TRAMPOLINE_VIRTUAL),
            ("text_virtual", TEXT_VIRTUAL),
            ("kernel_satp", 8 << 60 | KERNEL_ROOT >> 12),
            ("user_satp", 8 << 60 | USER_ROOT >> 12),
        ];
        let mut memory = Memory(Vec::new());
        let kernel = Program::new(RAM, kernel::TEXT, &symbols);
        memory.write(RAM, &kernel.code);
        let trampoline = Program::new(TRAMPOLINE_VIRTUAL, kernel::TRAMPOLINE, &symbols);
        memory.write(TRAMPOLINE, &trampoline.code);
        memory.write(USER_TEXT, &Program::new(TEXT_VIRTUAL, text, &symbols).code);
        place_tables(&mut memory);
        Guest {
            image: memory.0,
            halt: kernel.label("halt"),
        }
    }

    /// The guest as an ELF file.
    pub(crate) fn elf(&self) -> Vec<u8> {
        elf::executable(RAM, &[(RAM, &self.image)])
    }
}

/// The image under construction, from the start of RAM.
struct Memory(Vec<u8>);

impl Memory {
    fn write(&mut self, address: u64, data: &[u8]) {
        let start = (address - RAM) as usize;
        if self.0.len() < start + data.len() {
            self.0.resize(start + data.len(), 0);
        }
        self.0[start..start + data.len()].copy_from_slice(data);
    }
}

const VALID: u64 = 0x01;
const READ_WRITE: u64 = 0xc7; // V R W A D
const READ_EXECUTE: u64 = 0xcb; // V R X A D
const ALL: u64 = 0xcf;
const USER: u64 = 0x10;

/// Two address spaces: the kernel's, all of RAM at its own place in megapages; the user's, 4 KiB
/// pages. Both have the trampoline. A and D are set, for machines that leave them to software.
fn place_tables(memory: &mut Memory) {
    let mut next = LAZY_TABLE + 0x1000;
    let mut fresh = || {
        next += 0x1000;
        next - 0x1000
    };
    let index = |address: u64, level: u32| address >> (12 + 9 * level) & 0x1ff;
    let mut entry =
        |table: u64, slot: u64, value: u64| memory.write(table + 8 * slot, &value.to_le_bytes());

    let kernel_middle = fresh();
    entry(KERNEL_ROOT, index(RAM, 2), kernel_middle >> 2 | VALID);
    for megapage in 0..RAM_BYTES >> 21 {
        let physical = RAM + (megapage << 21);
        entry(kernel_middle, index(physical, 1), physical >> 2 | ALL);
    }
    // The finisher, to end from S-mode.
    let devices = fresh();
    entry(KERNEL_ROOT, 0, devices >> 2 | VALID);
    entry(devices, 0, READ_WRITE);

    let (top, top_leaves) = (fresh(), fresh());
    for root in [KERNEL_ROOT, USER_ROOT] {
        entry(root, index(TRAMPOLINE_VIRTUAL, 2), top >> 2 | VALID);
    }
    entry(top, index(TRAMPOLINE_VIRTUAL, 1), top_leaves >> 2 | VALID);
    entry(
        top_leaves,
        index(TRAMPOLINE_VIRTUAL, 0),
        TRAMPOLINE >> 2 | READ_EXECUTE,
    );
    entry(
        top_leaves,
        index(TRAPFRAME_VIRTUAL, 0),
        TRAPFRAME >> 2 | READ_WRITE,
    );

    let (middle, text) = (fresh(), fresh());
    entry(USER_ROOT, 0, middle >> 2 | VALID);
    entry(middle, index(TEXT_VIRTUAL, 1), text >> 2 | VALID);
    entry(
        text,
        index(TEXT_VIRTUAL, 0),
        USER_TEXT >> 2 | READ_EXECUTE | USER,
    );
    entry(middle, index(LAZY_VIRTUAL, 1), LAZY_TABLE >> 2 | VALID);
    for megapage in 0..DATA_BYTES >> 21 {
        let leaves = fresh();
        entry(
            middle,
            index(DATA_VIRTUAL, 1) + megapage,
            leaves >> 2 | VALID,
        );
        for page in 0..512 {
            let physical = USER_DATA + (megapage << 21) + (page << 12);
            entry(leaves, page, physical >> 2 | READ_WRITE | USER);
        }
    }
}
