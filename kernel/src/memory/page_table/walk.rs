//! Walks of a page table: over what is mapped, not over what could be.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::layout::{MAX_VIRTUAL, TRAPFRAME};

use super::{Entry, INDEX_BITS, LAST_INDEX, ROOT_LEVEL};
use crate::address::{PAGE_SHIFT, Page, PageRange};
use crate::memory::frames::Frame;

/// The slots of `table` that `pages` touches, and the number of the first slot's first page. The
/// table has `level` and begins at page `base`; `pages` is not empty and begins before its end.
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

pub(super) fn visit_level(
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

pub(super) fn unmap_level(
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

/// Releases a table and what it names, except for fixed tables. User pages, and table pages for
/// them, reach up to number `last`; `top` says that the table covers trampoline and trapframe, so
/// that its last entry always names a table.
pub(super) fn close_level(table: Frame, level: u32, last: Option<u64>, top: bool) {
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
