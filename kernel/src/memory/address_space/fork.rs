//! `fork`: an address space that shares all pages with another.

use super::{ALL_HARTS, AddressSpace, Fixtures};
use crate::address::Page;
use crate::memory::frames::{OutOfFrames, Promise};
use crate::memory::image::Image;

impl<I: Image> AddressSpace<I> {
    /// A copy of this memory for a child: holes stay holes, mapped pages are shared. The cost
    /// depends on the number of mapped pages.
    ///
    /// # Errors
    /// No frame is left for a table page, or for a page that is not loaded; then no frame is kept.
    // Not inlined: the result then goes to its place in one piece.
    #[inline(never)]
    pub fn fork(&mut self, fixtures: Fixtures) -> Result<Self, OutOfFrames> {
        let promise = Promise::of(self.promise.frames())?;
        let mut child = AddressSpace::with_promise(fixtures, self.image.clone(), promise)?;
        child.heap = self.heap.clone();
        child.program_break = self.program_break;
        let mut result = Ok(());
        let mut write_protected = false;
        // All that is mapped lies below the end of the heap.
        let pages = Page::containing(0)..self.heap.pages.end;
        self.table.visit(pages, |page, entry| {
            if result.is_err() {
                return entry;
            }
            let shared = entry.read_only();
            result = child.table.map(page, || Ok(shared)).map(|_| ());
            if result.is_ok() {
                entry.frame().share();
                write_protected |= shared != entry;
                return shared;
            }
            entry
        });
        if write_protected {
            self.stale_translations = ALL_HARTS;
        }
        result.map(|()| child)
    }
}
