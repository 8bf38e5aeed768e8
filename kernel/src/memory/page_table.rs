//! Sv39 page tables of user programs: three levels of 512 entries.
//!
//! A page table caches what the regions of its address space allow. Entries are written with the
//! accessed and dirty bits set, so that no hart needs to update them. Which translations a hart
//! must forget is the business of `AddressSpace`; nothing here executes a fence.
//!
//! Every table page between the root and a mapped page exists. They belong to the `PageTable`, which
//! gives them back when it is dropped; but for the fixed ones, which map trampoline and
//! trapframe, belong to the process slot, and are copied before they are changed.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::layout::{MAX_VIRTUAL, TRAMPOLINE, TRAPFRAME};

use super::frames::{Frame, OutOfFrames, allocate, allocate_zeroed};
use super::region::{Access, Permissions};
use crate::address::{PAGE_SHIFT, Page, PageRange, PhysicalAddress};

/// Entries of a table, as a power of two.
const INDEX_BITS: u32 = 9;
/// The level of the root; entries of level 0 name frames.
const ROOT_LEVEL: u32 = 2;
/// The last index of a table below the root.
const LAST_INDEX: usize = (1 << INDEX_BITS) - 1;

/// A page-table entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry(u64);

impl Entry {
    /// Names nothing.
    pub const EMPTY: Entry = Entry(0);
    const VALID: u64 = 1 << 0;
    const LEAF: u64 = 7 << 1;
    const USER: u64 = 1 << 4;
    const ACCESSED: u64 = 1 << 6;
    const DIRTY: u64 = 1 << 7;
    /// A bit for software: the entry names a fixed table.
    const FIXED: u64 = 1 << 8;
    /// Position of the physical page number.
    const FRAME_SHIFT: u32 = 10;

    const fn number_of(address: PhysicalAddress) -> u64 {
        (address.0 >> PAGE_SHIFT) << Self::FRAME_SHIFT
    }

    /// Names a table of the next level.
    pub(super) const fn table(address: PhysicalAddress) -> Entry {
        Entry(Self::number_of(address) | Self::VALID)
    }

    /// Names a table of the next level that may not be changed.
    pub(super) const fn fixed_table(address: PhysicalAddress) -> Entry {
        Entry(Self::number_of(address) | Self::VALID | Self::FIXED)
    }

    /// Whether it names a table that may not be changed.
    #[inline]
    fn is_fixed(self) -> bool {
        self.0 & Self::FIXED != 0
    }

    /// Names memory for the kernel's use.
    pub(super) const fn kernel(address: PhysicalAddress, permissions: Permissions) -> Entry {
        let flags = permissions.bits() | Self::VALID | Self::ACCESSED | Self::DIRTY;
        Entry(Self::number_of(address) | flags)
    }

    /// Names a frame for a user program's use.
    pub fn user(frame: Frame, permissions: Permissions) -> Entry {
        Entry(Self::kernel(frame.address(), permissions).0 | Self::USER)
    }

    /// Whether it names anything.
    #[inline]
    pub fn is_valid(self) -> bool {
        self.0 & Self::VALID != 0
    }

    /// Whether it names a frame of the user program.
    #[inline]
    fn is_user(self) -> bool {
        self.0 & (Self::VALID | Self::USER) == Self::VALID | Self::USER
    }

    /// Whether a user program may do this through the entry.
    #[inline]
    pub fn allows(self, access: Access) -> bool {
        Permissions::from_entry(self.0).allow(access) && self.is_user()
    }

    /// The same without the right to write.
    pub fn read_only(self) -> Entry {
        Entry(self.0 & !Permissions::WRITE.bits())
    }

    /// The same with the right to write.
    pub fn writable(self) -> Entry {
        Entry(self.0 | Permissions::WRITE.bits())
    }

    /// The frame, or table, that a valid entry names.
    #[inline]
    pub fn frame(self) -> Frame {
        Frame::at(Self::address(self.0))
    }

    /// The address that the bits of a valid entry name.
    #[inline]
    pub(super) const fn address(bits: u64) -> PhysicalAddress {
        PhysicalAddress((bits >> Self::FRAME_SHIFT) << PAGE_SHIFT)
    }

    /// The bits as the hardware reads them.
    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    fn load(slot: &AtomicU64) -> Entry {
        Entry(slot.load(Ordering::Relaxed))
    }

    fn store(self, slot: &AtomicU64) {
        slot.store(self.0, Ordering::Relaxed);
    }
}

impl Permissions {
    #[inline]
    fn from_entry(bits: u64) -> Permissions {
        // Only the three permission bits are ever asked for.
        Permissions::from_bits((bits & Entry::LEAF) as u8)
    }
}

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

    /// Maps a page that is not mapped to what `make` gives. All or nothing: if a frame is missing,
    /// for a table or in `make`, no other is kept.
    // Inlined into the handling of faults, which it makes a fortieth cheaper.
    #[inline(always)]
    pub fn map(
        &mut self,
        page: Page,
        make: impl FnOnce() -> Result<Entry, OutOfFrames>,
    ) -> Result<(), OutOfFrames> {
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
            Ok(())
        };
        match last_leaf {
            Some((last, leaf)) if last == number => insert(leaf),
            _ => with_table(&self.root.words()[index(page, 2)], |middle| {
                with_table(&middle.words()[index(page, 1)], insert)
            }),
        }
    }

    /// Visits the mapped pages of `pages`. What `visit` gives is the new entry. Costs by the table
    /// pages and mapped pages there, not by the width of the range.
    pub fn visit(&mut self, mut pages: PageRange, mut visit: impl FnMut(Page, Entry) -> Entry) {
        pages.end = pages.end.min(self.end);
        if pages.start < pages.end {
            visit_level(self.root, ROOT_LEVEL, 0, &pages, &mut visit);
        }
    }

    /// Unmaps the mapped pages of `pages` and hands each frame to `release`. Between them and the
    /// trapframe nothing else is mapped, so that table pages which begin in the range become empty,
    /// wherever they end; they are given back.
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
    /// Gives back the whole table, and the frames of the user's pages.
    fn drop(&mut self) {
        let last = self.end.number().checked_sub(1);
        close_level(self.root, ROOT_LEVEL, last, true);
    }
}

/// Changes the table that `slot` names by `change`. If there is none, or one that may not be changed,
/// a new one takes its place when `change` succeeds; otherwise all stays as it was.
fn with_table(
    slot: &AtomicU64,
    change: impl FnOnce(Frame) -> Result<(), OutOfFrames>,
) -> Result<(), OutOfFrames> {
    let entry = Entry::load(slot);
    if entry.is_valid() && !entry.is_fixed() {
        return change(entry.frame());
    }
    let table = allocate()?;
    match entry.is_valid() {
        true => table.copy_from(entry.frame()),
        false => table.zero(),
    }
    let result = change(table);
    match result {
        Ok(()) => slot.store(Entry::table(table.address()).bits(), Ordering::Release),
        Err(OutOfFrames) => table.release(),
    }
    result
}

/// The slots of a table of `level`, whose first page is number `base`, that `pages` touches, which
/// is not empty and begins before the table's end; and the number of the first one's first page.
#[inline]
fn touched(table: Frame, level: u32, base: u64, pages: &PageRange) -> (u64, &'static [AtomicU64]) {
    let split = INDEX_BITS * level;
    let first = pages.start.number().saturating_sub(base) >> split;
    let end = ((pages.end.number() - 1 - base) >> split) as usize + 1;
    let slots = table.words().get(first as usize..end.min(1 << INDEX_BITS));
    (base + (first << split), slots.unwrap_or_default())
}

/// Calls `each` with the index, slot and entry of each valid entry. Empty entries, of which there
/// may be hundreds between two valid ones, are skipped eight at a time.
#[inline]
fn for_each_valid(slots: &[AtomicU64], mut each: impl FnMut(usize, &AtomicU64, Entry)) {
    const GROUP: usize = 8;
    let mut look_at = |index: usize, slot: &AtomicU64| {
        let entry = Entry::load(slot);
        if entry.is_valid() {
            each(index, slot, entry);
        }
    };
    let (groups, rest) = slots.as_chunks::<GROUP>();
    for (number, group) in groups.iter().enumerate() {
        let all = group
            .iter()
            .fold(0, |bits, slot| bits | slot.load(Ordering::Relaxed));
        if Entry(all).is_valid() {
            for (index, slot) in group.iter().enumerate() {
                look_at(number * GROUP + index, slot);
            }
        }
    }
    for (index, slot) in rest.iter().enumerate() {
        look_at(groups.len() * GROUP + index, slot);
    }
}

fn visit_level(
    table: Frame,
    level: u32,
    base: u64,
    pages: &PageRange,
    visit: &mut impl FnMut(Page, Entry) -> Entry,
) {
    let (start, slots) = touched(table, level, base, pages);
    for_each_valid(slots, |index, slot, entry| {
        let first = start + ((index as u64) << (INDEX_BITS * level));
        if level > 0 {
            return visit_level(entry.frame(), level - 1, first, pages, visit);
        }
        let new = visit(Page::numbered(first), entry);
        if new != entry {
            new.store(slot);
        }
    });
}

fn unmap_level(
    table: Frame,
    level: u32,
    base: u64,
    pages: &PageRange,
    release: &mut impl FnMut(Frame),
) {
    let width = 1 << (INDEX_BITS * level);
    let (start, slots) = touched(table, level, base, pages);
    for_each_valid(slots, |index, slot, entry| {
        if level == 0 {
            Entry::EMPTY.store(slot);
            return release(entry.frame());
        }
        if entry.is_fixed() {
            return;
        }
        let first = start + index as u64 * width;
        unmap_level(entry.frame(), level - 1, first, pages, release);
        let trapframe = Page::containing(TRAPFRAME).number();
        if first >= pages.start.number() && first + width <= trapframe {
            Entry::EMPTY.store(slot);
            entry.frame().release();
        }
    });
}

/// Releases a table and what it names, but for fixed tables. User pages, and table pages for them,
/// reach up to number `last`; `top` says that the table covers trampoline and trapframe, so that its
/// last entry names a table in any case.
fn close_level(table: Frame, level: u32, last: Option<u64>, top: bool) {
    let split = INDEX_BITS * level;
    let top_index = match level {
        ROOT_LEVEL => ((MAX_VIRTUAL - 1) >> (PAGE_SHIFT + split)) as usize,
        _ => LAST_INDEX,
    };
    let last_index = last.map(|last| (last >> split) as usize & LAST_INDEX);
    let slots = table.words();
    let user_slots = last_index.and_then(|last| slots.get(..=last));
    for_each_valid(user_slots.unwrap_or_default(), |index, _, entry| {
        if level == 0 {
            if entry.is_user() {
                entry.frame().release();
            }
        } else if !entry.is_fixed() {
            // The last table is covered in part, those before it as a whole.
            let all = (1 << split) - 1;
            let below = last.filter(|_| Some(index) == last_index);
            let below = below.map_or(all, |last| last & all);
            let top = top && index == top_index;
            close_level(entry.frame(), level - 1, Some(below), top);
        }
    });
    if top && level > 0 && last_index.is_none_or(|last| last < top_index) {
        let entry = Entry::load(&slots[top_index & LAST_INDEX]);
        if !entry.is_fixed() {
            close_level(entry.frame(), level - 1, None, true);
        }
    }
    table.release();
}
