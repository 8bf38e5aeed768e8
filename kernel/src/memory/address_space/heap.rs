//! The heap: how the program break moves.

use abi::layout::TRAPFRAME;

use super::{ALL_HARTS, AddressSpace};
use crate::address::{Page, PageRange};
use crate::memory::fault::Fault;
use crate::memory::frames::check_available;
use crate::memory::image::Image;
use crate::memory::region::Access;

impl<I: Image> AddressSpace<I> {
    /// Moves the program break by `amount` bytes, and returns the old one. Growth reserves and
    /// allocates nothing. An amount that would lead below address zero changes nothing, as in the C
    /// kernel.
    ///
    /// # Errors
    /// `None` if the break would fall below the heap's start or exceed the trapframe; then nothing
    /// has changed.
    pub fn move_break(&mut self, amount: i64) -> Option<u64> {
        let before = self.program_break;
        let Some(after) = before.checked_add_signed(amount) else {
            return (amount < 0).then_some(before);
        };
        if after < self.heap.pages.start.start().0 || after > TRAPFRAME {
            return None;
        }
        let end = Page::at_or_after(after);
        if after < before {
            self.unmap(end..self.heap.pages.end);
        }
        self.heap.pages.end = end;
        self.program_break = after;
        self.account.outline.set_break(after);
        Some(before)
    }

    /// Moves the program break up by `amount` bytes, with frames for all new pages, and returns the
    /// old one.
    ///
    /// # Errors
    /// `None` if the break would exceed the trapframe or there are not enough frames; then nothing
    /// has changed.
    pub fn grow_eagerly(&mut self, amount: u64) -> Option<u64> {
        let start = self.heap.pages.end;
        let before = self.move_break(i64::try_from(amount).ok()?)?;
        let new = start..self.heap.pages.end;
        if self.populate(new.clone()).is_err() {
            self.unmap(new);
            self.heap.pages.end = start;
            self.program_break = before;
            self.account.outline.set_break(before);
            return None;
        }
        Some(before)
    }

    fn populate(&mut self, pages: PageRange) -> Result<(), Fault> {
        check_available(pages.end.number().saturating_sub(pages.start.number()))?;
        let mut page = pages.start;
        while page < pages.end {
            let hole = self.table.entry(page);
            self.fill(page, hole, Access::Store)?;
            page = page.next();
        }
        Ok(())
    }

    /// Unmaps the uppermost pages of the heap.
    fn unmap(&mut self, pages: PageRange) {
        let mut unmapped = false;
        self.table.unmap_top(pages, |frame| {
            unmapped = true;
            frame.release();
        });
        if unmapped {
            self.stale_translations = ALL_HARTS;
        }
    }
}
