//! Sv39 page tables of user programs: three levels of 512 entries.
//!
//! A page table caches what the regions of its address space allow. Entries are written with the
//! accessed and dirty bits set, so that no hart needs to update them. Which translations a hart
//! must forget is the business of `AddressSpace`; nothing here executes a fence.
//!
//! Every table page between the root and a mapped page exists. Table pages belong to the
//! `PageTable`, which frees them when it is dropped. The fixed ones, which map trampoline and
//! trapframe, belong to the process slot, and are copied before they are changed.

mod entry;
mod walk;

use core::sync::atomic::{AtomicU64, Ordering};

use abi::layout::TRAMPOLINE;

pub use entry::Entry;

use super::frames::{Frame, OutOfFrames, allocate, allocate_zeroed};
use crate::address::{PAGE_SHIFT, Page, PageRange};
use walk::{close_level, unmap_level, visit_level};

/// Entries of a table, as a power of two.
const INDEX_BITS: u32 = 9;
/// The level of the root; entries of level 0 name frames.
const ROOT_LEVEL: u32 = 2;
/// The last index of a table below the root.
const LAST_INDEX: usize = (1 << INDEX_BITS) - 1;

/// The index of `page` in a table of `level`.
#[inline]
pub(super) fn index(page: Page, level: u32) -> usize {
    (page.number() >> (INDEX_BITS * level)) as usize & LAST_INDEX
}

/// A user program's page table. It owns its table pages; not `Clone`, not `Copy`.
pub struct PageTable {
    root: Frame,
    /// The table that the last new page was entered into, with its number among all last-level
    /// tables: the next one is likely to go there too.
    last_leaf: Option<(u64, Frame)>,
    /// One beyond the highest page that was mapped and not unmapped since: how far walks have to
    /// look, however large the heap is.
    end: Page,
    /// How many pages are mapped for the user.
    mapped: u64,
}

impl PageTable {
    /// A table that maps only what `top`, its last entry, names: trampoline and trapframe.
    pub fn new(top: Entry) -> Result<Self, OutOfFrames> {
        let root = allocate_zeroed()?;
        top.store(&root.words()[index(Page::containing(TRAMPOLINE), ROOT_LEVEL)]);
        Ok(PageTable {
            root,
            last_leaf: None,
            end: Page::numbered(0),
            mapped: 0,
        })
    }

    /// The root table's physical page number, for `satp`.
    pub fn root_number(&self) -> u64 {
        self.root.address().0 >> PAGE_SHIFT
    }

    /// How many pages are mapped for the user.
    pub fn mapped(&self) -> u64 {
        self.mapped
    }

    /// The slot of `page` in its last-level table, if that table exists.
    #[inline]
    fn slot(&self, page: Page) -> Option<&'static AtomicU64> {
        let root = Entry::load(&self.root.words()[index(page, 2)]);
        if !root.is_valid() {
            return None;
        }
        let middle = Entry::load(&root.frame().words()[index(page, 1)]);
        if !middle.is_valid() {
            return None;
        }
        Some(&middle.frame().words()[index(page, 0)])
    }

    /// The entry of `page`; invalid if it is not mapped.
    #[inline]
    pub fn entry(&self, page: Page) -> Entry {
        self.slot(page).map_or(Entry::EMPTY, Entry::load)
    }

    /// Replaces the entry of a page that is mapped.
    pub fn replace(&mut self, page: Page, entry: Entry) {
        match self.slot(page) {
            Some(slot) => entry.store(slot),
            None => panic!("page {:#x} is not mapped", page.start().0),
        }
    }

    /// Maps a page that is not mapped: the new entry comes from `make`, and is returned. If there
    /// is no frame for a table or for `make`, nothing has changed.
    // Inlined, because that makes the handling of faults 2.5 % cheaper.
    #[inline(always)]
    pub fn map(
        &mut self,
        page: Page,
        make: impl FnOnce() -> Result<Entry, OutOfFrames>,
    ) -> Result<Entry, OutOfFrames> {
        let number = page.number() >> INDEX_BITS;
        let last_leaf = self.last_leaf;
        let end = self.end.max(page.next());
        let insert = |leaf: Frame| {
            let entry = make()?;
            // The hart's walker reads memory like another hart: contents first, then the link.
            leaf.words()[index(page, 0)].store(entry.bits(), Ordering::Release);
            self.last_leaf = Some((number, leaf));
            self.end = end;
            self.mapped = self.mapped.wrapping_add(1);
            Ok(entry)
        };
        match last_leaf {
            Some((last, leaf)) if last == number => insert(leaf),
            _ => with_table(&self.root.words()[index(page, 2)], |middle| {
                with_table(&middle.words()[index(page, 1)], insert)
            }),
        }
    }

    /// Visits the mapped pages of `pages`; each entry becomes what `visit` returns. The cost
    /// depends on the table pages and mapped pages there, not on the width of the range.
    pub fn visit(&mut self, mut pages: PageRange, mut visit: impl FnMut(Page, Entry) -> Entry) {
        pages.end = pages.end.min(self.end);
        if pages.start < pages.end {
            visit_level(self.root, ROOT_LEVEL, 0, &pages, &mut visit);
        }
    }

    /// Unmaps the mapped pages of `pages`, and hands each frame to `release`. Nothing is mapped
    /// between them and the trapframe. So table pages that begin in the range become empty, even if
    /// they end beyond it; they are freed.
    pub fn unmap_top(&mut self, mut pages: PageRange, mut release: impl FnMut(Frame)) {
        pages.end = pages.end.min(self.end);
        self.end = self.end.min(pages.start);
        self.last_leaf = None;
        if pages.start < pages.end {
            let mapped = &mut self.mapped;
            unmap_level(self.root, ROOT_LEVEL, 0, &pages, &mut |frame| {
                *mapped = mapped.wrapping_sub(1);
                release(frame);
            });
        }
    }
}

impl Drop for PageTable {
    /// Frees the whole table, and releases the frames of the user's pages.
    fn drop(&mut self) {
        let last = self.end.number().checked_sub(1);
        close_level(self.root, ROOT_LEVEL, last, true);
    }
}

/// Changes the table that `slot` names by `change`. If there is no table, or one that may not be
/// changed, a new one takes its place when `change` succeeds. If it fails, nothing has changed.
fn with_table<R>(
    slot: &AtomicU64,
    change: impl FnOnce(Frame) -> Result<R, OutOfFrames>,
) -> Result<R, OutOfFrames> {
    let entry = Entry::load(slot);
    if entry.is_valid() && !entry.is_fixed() {
        return change(entry.frame());
    }
    let table = allocate()?;
    if entry.is_valid() {
        table.copy_from(entry.frame());
    } else {
        table.zero();
    }
    let result = change(table);
    match result {
        Ok(_) => slot.store(Entry::table(table.address()).bits(), Ordering::Release),
        Err(OutOfFrames) => table.release(),
    }
    result
}
