//! Loading: pages that come from the program's file.
//!
//! Reading a file may sleep, and waits for an inode and for buffers. So nothing here may be called
//! with a lock held. A copy to or from user memory that is made under a lock fails with
//! [`Fault::NotLoaded`] where a page must be loaded; its caller asks for such pages before it takes
//! the lock, by [`AddressSpace::load_all`] or [`AddressSpace::first_not_loaded`].

use abi::layout::PAGE_SIZE;

use super::{ALL_HARTS, AddressSpace};
use crate::address::{Page, UserAddress};
use crate::memory::fault::{Fault, Origin, PageFault, Resolution};
use crate::memory::image::{Image, Unreadable};
use crate::memory::page_table::Entry;
use crate::memory::region::Access;

impl From<Unreadable> for Fault {
    fn from(_: Unreadable) -> Fault {
        Fault::Unreadable
    }
}

impl<I: Image> AddressSpace<I> {
    /// Reads the page at `address`, which [`Fault::NotLoaded`] named, and counts that for `origin`.
    /// May sleep.
    ///
    /// # Errors
    /// The file cannot be read, no frame is left, or no file backs the page; then nothing has changed.
    pub fn load(
        &mut self,
        address: UserAddress,
        access: Access,
        origin: Origin,
    ) -> Result<(), Fault> {
        let page = address.page().ok_or(Fault::NotAllowed)?;
        let end = self.load_page(page);
        let fault = PageFault {
            address,
            access,
            origin,
        };
        self.note(fault, end.map(|()| Resolution::Loaded));
        end
    }

    fn load_page(&mut self, page: Page) -> Result<(), Fault> {
        let region = self.image.regions().find(page).ok_or(Fault::NotAllowed)?;
        let permissions = region.permissions;
        let part = region.file_part(page).ok_or(Fault::NotAllowed)?;
        let frame = self.promise.allocate()?;
        if part.length < PAGE_SIZE as usize {
            frame.zero();
        }
        let loaded = self.image.read(part, frame).map_err(Fault::from);
        let mapped = loaded.and_then(|()| {
            let entry = Entry::user(frame, permissions);
            Ok(self.table.map(page, || Ok(entry))?)
        });
        if let Err(fault) = mapped {
            frame.release();
            return Err(fault);
        }
        self.stale_translations = ALL_HARTS;
        self.stale_instructions = ALL_HARTS;
        Ok(())
    }

    /// Makes a copy, and makes it again after each page that had to be loaded for it. May sleep.
    ///
    /// # Errors
    /// Those of `copy`, and of [`AddressSpace::load`].
    pub fn with_loading<R>(
        &mut self,
        mut copy: impl FnMut(&mut Self) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        loop {
            match copy(self) {
                Err(Fault::NotLoaded(page)) => {
                    self.load(page.start(), Access::Load, Origin::SystemCall)?;
                }
                result => return result,
            }
        }
    }

    /// Loads what must be loaded of `length` bytes at `address`. May sleep.
    ///
    /// # Errors
    /// Those of [`AddressSpace::load`].
    pub fn load_all(&mut self, address: UserAddress, length: usize) -> Result<(), Fault> {
        while let Some(page) = self.first_not_loaded(address, length) {
            self.load(page.start(), Access::Load, Origin::SystemCall)?;
        }
        Ok(())
    }

    /// The first page among `length` bytes at `address` that must be loaded before it can be used.
    #[inline]
    pub fn first_not_loaded(&self, address: UserAddress, length: usize) -> Option<Page> {
        // Stack and heap lie above all pages that a file backs.
        let first = address.page().filter(|&page| page < self.file_end)?;
        let fits = length <= PAGE_SIZE as usize - address.offset();
        if length == 0 || fits && self.table.entry(first).is_valid() {
            return None;
        }
        let end = address.checked_add(length as u64)?;
        for region in self.image.regions().iter() {
            let pages = region.file_pages();
            let mut page = first.max(pages.start);
            while page < pages.end && page.start() < end {
                if !self.table.entry(page).is_valid() {
                    return Some(page);
                }
                page = page.next();
            }
        }
        None
    }
}
