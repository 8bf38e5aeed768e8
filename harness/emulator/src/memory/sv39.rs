//! Sv39: page tables and what an entry allows (privileged specification, section "Sv39").

use super::ram::Ram;
use super::{PAGE_BYTES, PAGE_MASK};
use crate::isa::csr::translation;
use crate::isa::page_table;
use std::ops::Range;

const PPN_MASK: u64 = (1 << 44) - 1;

const ENTRIES: u64 = PAGE_BYTES / 8;
const LEVELS: u8 = 3;
const INDEX_BITS: u32 = 9;
const ADDRESS_BITS: u32 = 39;

/// What an access wants to do with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Fetch,
    Load,
    Store,
}

/// A leaf of a page table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The virtual address asked about; in an enumeration, the first address mapped.
    pub virtual_address: u64,
    /// The physical address it maps to, offset included.
    pub physical: u64,
    /// The raw page-table entry.
    pub pte: u64,
    /// The level of the leaf: 0 for a page of 4 KiB, 1 for 2 MiB, 2 for 1 GiB.
    pub level: u8,
}

impl Mapping {
    /// Bytes that this leaf maps.
    pub fn bytes(&self) -> u64 {
        PAGE_BYTES << (INDEX_BITS * u32::from(self.level))
    }
}

/// Why a walk found no leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WalkError {
    /// A page fault.
    NotMapped,
    /// A table is not in RAM.
    NotInRam,
}

/// A leaf, with the offset in RAM of its entry.
pub(crate) struct Leaf {
    pub(crate) mapping: Mapping,
    pub(crate) entry: u64,
    pub(crate) reach: Reach,
}

/// Where a translation holds, besides one page of one address space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// In every address space: an entry on the way to it has G.
    pub(crate) is_global: bool,
    /// It is part of a superpage.
    pub(crate) is_large: bool,
}

/// What an entry is.
enum Entry {
    Invalid,
    Table(u64),
    Leaf,
}

impl Entry {
    fn of(pte: u64, level: u8) -> Entry {
        let permissions = pte & (page_table::READ | page_table::WRITE | page_table::EXECUTE);
        if pte & page_table::VALID == 0 || pte & page_table::RESERVED != 0 {
            Entry::Invalid
        } else if permissions == 0 {
            // A, D and U of a non-leaf entry are reserved.
            if level == 0
                || pte & (page_table::ACCESSED | page_table::DIRTY | page_table::USER) != 0
            {
                Entry::Invalid
            } else {
                Entry::Table((pte >> 10 & PPN_MASK) * PAGE_BYTES)
            }
        } else if permissions & (page_table::READ | page_table::WRITE) == page_table::WRITE {
            Entry::Invalid
        } else if (pte >> 10) & ((1 << (INDEX_BITS * u32::from(level))) - 1) != 0 {
            // A misaligned superpage.
            Entry::Invalid
        } else {
            Entry::Leaf
        }
    }
}

fn root(satp: u64) -> Option<u64> {
    (satp >> translation::MODE_SHIFT == translation::SV39).then_some((satp & PPN_MASK) * PAGE_BYTES)
}

fn is_canonical(address: u64) -> bool {
    let top = (address as i64) >> (ADDRESS_BITS - 1);
    top == 0 || top == -1
}

fn physical(pte: u64, level: u8, address: u64) -> u64 {
    let inside = (PAGE_BYTES << (INDEX_BITS * u32::from(level))) - 1;
    ((pte >> 10 & PPN_MASK) * PAGE_BYTES) | (address & inside)
}

/// Walks the page table of `satp`, telling `visit` of each table read (its entry's offset in RAM,
/// and whether it is above the last level).
pub(crate) fn walk(
    ram: &Ram,
    satp: u64,
    address: u64,
    mut visit: impl FnMut(u64, bool),
) -> Result<Leaf, WalkError> {
    let mut table = root(satp).ok_or(WalkError::NotMapped)?;
    if !is_canonical(address) {
        return Err(WalkError::NotMapped);
    }
    let mut is_global = false;
    for level in (0..LEVELS).rev() {
        let index = address >> (12 + INDEX_BITS * u32::from(level)) & (ENTRIES - 1);
        let (entry, pte) = ram.peek(table + index * 8).ok_or(WalkError::NotInRam)?;
        visit(entry, level > 0);
        is_global |= pte & page_table::GLOBAL != 0;
        match Entry::of(pte, level) {
            Entry::Invalid => return Err(WalkError::NotMapped),
            Entry::Table(next) => table = next,
            Entry::Leaf => {
                let mapping = Mapping {
                    virtual_address: address,
                    physical: physical(pte, level, address),
                    pte,
                    level,
                };
                let is_large = level > 0;
                return Ok(Leaf {
                    mapping,
                    entry,
                    reach: Reach {
                        is_global,
                        is_large,
                    },
                });
            }
        }
    }
    Err(WalkError::NotMapped)
}

/// Does the entry allow the access?
pub(crate) fn permits(pte: u64, access: Access, is_user: bool, sum: bool, mxr: bool) -> bool {
    let user_page = pte & page_table::USER != 0;
    let owner = if is_user {
        user_page
    } else {
        // S-mode may touch user pages with SUM, and never execute them.
        !user_page || (sum && access != Access::Fetch)
    };
    let right = match access {
        Access::Fetch => pte & page_table::EXECUTE,
        Access::Load if mxr => pte & (page_table::READ | page_table::EXECUTE),
        Access::Load => pte & page_table::READ,
        Access::Store => pte & page_table::WRITE,
    };
    owner && right != 0
}

/// Reading page tables from outside, without any effect on the guest.
pub(crate) struct PageTables<'a> {
    pub(crate) ram: &'a Ram,
}

impl PageTables<'_> {
    /// The leaf that maps `address`, with any permissions.
    pub(crate) fn translate(&self, satp: u64, address: u64) -> Option<Mapping> {
        walk(self.ram, satp, address, |_, _| {})
            .ok()
            .map(|leaf| leaf.mapping)
    }

    /// The first of `pages`, numbers of virtual pages, without an entry in the table: a walk comes to an entry that is
    /// zero, or leads out of RAM.
    pub(crate) fn first_without_entry(&self, satp: u64, pages: Range<u64>) -> Option<u64> {
        let mut next = pages.start;
        while next < pages.end {
            let address = next.wrapping_mul(PAGE_BYTES);
            let Some((place, level)) = self.last_entry(satp, address) else {
                return Some(next);
            };
            // The entries that follow in a table of the last level need no walk.
            let in_table = match level {
                0 => ENTRIES - next % ENTRIES,
                _ => 1,
            };
            let count = in_table.min(pages.end - next);
            let says_nothing = |at: &u64| {
                let entry = self.ram.peek(place + at * 8);
                entry.is_none_or(|(_, pte)| pte == 0)
            };
            if let Some(at) = (0..count).find(says_nothing) {
                return Some(next + at);
            }
            next += count;
        }
        None
    }

    /// The physical address of the last entry that a walk for `address` reads, and its level.
    fn last_entry(&self, satp: u64, address: u64) -> Option<(u64, u8)> {
        let mut table = root(satp).filter(|_| is_canonical(address))?;
        let mut level = LEVELS - 1;
        loop {
            let index = address >> (12 + INDEX_BITS * u32::from(level)) & (ENTRIES - 1);
            let place = table + index * 8;
            let (_, pte) = self.ram.peek(place)?;
            match Entry::of(pte, level) {
                Entry::Table(next) => (table, level) = (next, level - 1),
                Entry::Leaf | Entry::Invalid => return Some((place, level)),
            }
        }
    }

    /// Every valid leaf, in order of virtual address, as far as the [`Bound`] allows.
    pub(crate) fn mappings(&self, satp: u64, each: &mut dyn FnMut(Mapping)) {
        if let Some(root) = root(satp) {
            self.leaves(root, LEVELS - 1, 0, &mut self.bound(), each);
        }
    }

    fn leaves(
        &self,
        table: u64,
        level: u8,
        first: u64,
        bound: &mut Bound,
        each: &mut dyn FnMut(Mapping),
    ) {
        if !bound.one_more_table() {
            return;
        }
        for (index, pte) in self.entries(table) {
            let address = first | index << (12 + INDEX_BITS * u32::from(level));
            match Entry::of(pte, level) {
                Entry::Invalid => {}
                Entry::Table(next) => self.leaves(next, level - 1, address, bound, each),
                Entry::Leaf if !bound.one_more_leaf() => return,
                Entry::Leaf => {
                    // Sign-extend from the top bit of an Sv39 address.
                    let shift = 64 - ADDRESS_BITS;
                    let address = ((address << shift) as i64 >> shift) as u64;
                    each(Mapping {
                        virtual_address: address,
                        physical: physical(pte, level, 0),
                        pte,
                        level,
                    });
                }
            }
        }
    }

    /// The physical address of each page that holds a part of the table, the root first, as far as
    /// the [`Bound`] allows.
    pub(crate) fn pages(&self, satp: u64, each: &mut dyn FnMut(u64)) {
        if let Some(root) = root(satp) {
            self.tables(root & !PAGE_MASK, LEVELS - 1, &mut self.bound(), each);
        }
    }

    fn tables(&self, table: u64, level: u8, bound: &mut Bound, each: &mut dyn FnMut(u64)) {
        if self.ram.offset(table, PAGE_BYTES).is_none() || !bound.one_more_table() {
            return;
        }
        each(table);
        if level == 0 {
            return;
        }
        for (_, pte) in self.entries(table) {
            if let Entry::Table(next) = Entry::of(pte, level) {
                self.tables(next, level - 1, bound, each);
            }
        }
    }

    /// The valid entries of a table with their places; none if it is not in RAM.
    fn entries(&self, table: u64) -> impl Iterator<Item = (u64, u64)> {
        let page = self.ram.offset(table, PAGE_BYTES);
        let bytes = page.and_then(|offset| self.ram.page(offset));
        let groups = bytes.unwrap_or(&[]).as_chunks::<ENTRY_GROUP_BYTES>().0;
        // Most of a table is empty: look at eight entries at once.
        (0..)
            .step_by(ENTRY_GROUP_BYTES / 8)
            .zip(groups)
            .filter(|(_, group)| !is_empty(group))
            .flat_map(|(first, group)| {
                (first..).zip(
                    group
                        .as_chunks::<8>()
                        .0
                        .iter()
                        .copied()
                        .map(u64::from_le_bytes),
                )
            })
            .filter(|(_, pte)| pte & page_table::VALID != 0)
    }

    fn bound(&self) -> Bound {
        let frames = self.ram.size() / PAGE_BYTES;
        Bound {
            tables: frames,
            leaves: LEAVES_PER_FRAME * frames,
        }
    }
}

/// Bytes of the entries that are looked at together.
const ENTRY_GROUP_BYTES: usize = 64;

/// Are all these entries zero? Without a branch for each, and without a call.
fn is_empty(group: &[u8; ENTRY_GROUP_BYTES]) -> bool {
    let entries = group.as_chunks::<8>().0;
    entries
        .iter()
        .fold(0, |any, entry| any | u64::from_ne_bytes(*entry))
        == 0
}

/// Leaves that a walk visits at most, for each frame of RAM.
const LEAVES_PER_FRAME: u64 = 4;

/// How far a walk from outside goes. A table that points to itself would keep it busy for 2^27
/// entries; a table without loops has no more pages than RAM has.
struct Bound {
    tables: u64,
    leaves: u64,
}

impl Bound {
    fn one_more_table(&mut self) -> bool {
        spend(&mut self.tables)
    }

    fn one_more_leaf(&mut self) -> bool {
        spend(&mut self.leaves)
    }
}

/// Takes one from `left`; false if nothing is left.
fn spend(left: &mut u64) -> bool {
    match left.checked_sub(1) {
        Some(less) => {
            *left = less;
            true
        }
        None => false,
    }
}
