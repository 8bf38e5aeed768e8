//! The table pages that map trampoline and trapframe: a pair for each process slot, made at boot
//! and never changed.
//!
//! Every page table of the slot's processes names its pair, so a new one costs only its root. A
//! heap that reaches into the last gigabyte gets tables of its own there, as copies of these.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::layout::{TRAMPOLINE, TRAPFRAME};
use abi::limits::PROCESSES;

use super::frames::WORDS;
use super::page_table::{Entry, index};
use super::region::Permissions;
use crate::address::{Page, PhysicalAddress};

/// A table page in the kernel's static memory.
#[repr(C, align(4096))]
pub(super) struct Table(pub(super) [AtomicU64; WORDS]);

impl Table {
    pub(super) const fn new() -> Table {
        Table([const { AtomicU64::new(0) }; WORDS])
    }

    pub(super) fn address(&self) -> PhysicalAddress {
        PhysicalAddress(core::ptr::from_ref(self).addr() as u64)
    }
}

struct Pair {
    middle: Table,
    leaf: Table,
}

static PAIRS: [Pair; PROCESSES] = [const {
    Pair {
        middle: Table::new(),
        leaf: Table::new(),
    }
}; PROCESSES];

/// Makes the pairs: all with the same trampoline, each with its slot's trapframe. Once, at boot.
pub fn initialise(trampoline: PhysicalAddress, trapframe_of: impl Fn(usize) -> PhysicalAddress) {
    let executable = Permissions::READ.and(Permissions::EXECUTE);
    let trampoline_page = Page::containing(TRAMPOLINE);
    let trapframe_page = Page::containing(TRAPFRAME);
    for (slot, pair) in PAIRS.iter().enumerate() {
        let set = |table: &Table, index: usize, entry: Entry| {
            table.0[index].store(entry.bits(), Ordering::Relaxed);
        };
        let leaf = Entry::fixed_table(pair.leaf.address());
        set(&pair.middle, index(trampoline_page, 1), leaf);
        let trampoline = Entry::kernel(trampoline, executable);
        set(&pair.leaf, index(trampoline_page, 0), trampoline);
        let trapframe = Entry::kernel(trapframe_of(slot), Permissions::READ_WRITE);
        set(&pair.leaf, index(trapframe_page, 0), trapframe);
    }
}

/// What the root of a page table for a process in `slot` names for its last gigabyte.
pub fn top_entry(slot: usize) -> Entry {
    Entry::fixed_table(PAIRS[slot].middle.address())
}
