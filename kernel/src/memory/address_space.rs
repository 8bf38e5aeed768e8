//! Address spaces: what a process may touch, and the frames of the pages that it has touched.
//!
//! # What holds at any time
//! - The regions are the truth: those of the program's image, and the heap, which reaches to the
//!   page that holds the last byte below the program break. A page outside them is never mapped for
//!   the user, and no entry allows more than they do.
//! - A page inside them may be mapped or not; the content of a *hole* is what backs its region: zeros, or
//!   a page of the program's file. Whether its neighbours are mapped says nothing about it.
//! - A mapped page whose region may be written but whose entry may not is *shared*: its frame may
//!   have other holders. A page that may be written has a frame of its own.
//! - An entry that a hart might still hold in an older form is announced in `stale_translations`,
//!   and that hart executes a fence before it returns to user mode.
//!
//! Every access to user memory goes through [`AddressSpace::fault_in`], after a trap and in a system
//! call. It never sleeps, so it may be called with locks held. Reading a page from the program's file
//! may sleep: [`AddressSpace::load`] does that, for callers that hold no lock.

mod fork;
mod heap;
mod loading;

use super::account::Account;
use super::fault::{Fault, Origin, Owner, PageFault, Resolution};
use super::frames::{Frame, OutOfFrames, Promise, allocate, allocate_zeroed};
use super::image::Image;
use super::page_table::{Entry, PageTable};
use super::region::{Access, Permissions, Region};
use crate::address::{Page, UserAddress};
use crate::arch::{csr, fence};

/// What the memory of all processes in a slot has in common.
#[derive(Clone, Copy)]
pub struct Fixtures {
    /// The last entry of their page tables, which maps trampoline and trapframe.
    pub top: Entry,
    /// The address-space identifier that harts tag translations with; one a process slot.
    pub identifier: u16,
    /// Where page faults are counted, and where others look at the memory.
    pub account: &'static Account,
    /// Whose memory it is, for messages.
    pub owner: &'static Owner,
}

/// A process's memory. `I` is the image of its program.
pub struct AddressSpace<I> {
    table: PageTable,
    /// The program that it began with.
    image: I,
    /// One beyond the last page that the program's file backs.
    file_end: Page,
    /// A frame for each page of the program's file that is not loaded yet, so that no program ends
    /// because there is no frame for its own code.
    promise: Promise,
    /// Begins at the end of the stack.
    heap: Region,
    /// One beyond the last byte of the heap.
    program_break: u64,
    /// `satp` while the process is in user mode.
    satp: u64,
    identifier: u16,
    account: &'static Account,
    owner: &'static Owner,
    /// Bit n: hart n may hold translations older than the page table.
    stale_translations: u32,
    /// Bit n: hart n may hold instructions older than what is in memory.
    stale_instructions: u32,
}

/// Every hart.
const ALL_HARTS: u32 = u32::MAX;

/// A page that now allows the access that it did not allow before.
#[derive(Clone, Copy)]
struct Filled {
    frame: Frame,
    /// What was done for it.
    resolution: Resolution,
}

impl<I: Image> AddressSpace<I> {
    /// Memory as the image describes it, all holes, and an empty heap after its last region.
    ///
    /// # Errors
    /// There are not enough frames for it and for all pages of the program's file.
    pub fn new(fixtures: Fixtures, image: I) -> Result<Self, OutOfFrames> {
        let promise = Promise::of(image.regions().file_pages())?;
        AddressSpace::with_promise(fixtures, image, promise)
    }

    fn with_promise(fixtures: Fixtures, image: I, promise: Promise) -> Result<Self, OutOfFrames> {
        let heap_start = image.regions().end();
        let table = PageTable::new(fixtures.top)?;
        let identifier = u64::from(fixtures.identifier) << csr::SATP_ASID_SHIFT;
        Ok(AddressSpace {
            satp: csr::SATP_SV39 | identifier | table.root_number(),
            table,
            file_end: image.regions().file_end(),
            image,
            promise,
            heap: Region::heap(heap_start..heap_start),
            program_break: heap_start.start().0,
            identifier: fixtures.identifier,
            account: fixtures.account,
            owner: fixtures.owner,
            stale_translations: ALL_HARTS,
            stale_instructions: ALL_HARTS,
        })
    }

    /// What `satp` must hold while the process is in user mode.
    #[inline]
    pub fn satp(&self) -> u64 {
        self.satp
    }

    /// The program break.
    #[inline]
    pub fn program_break(&self) -> u64 {
        self.program_break
    }

    /// How many of its pages are mapped, shared ones included.
    pub fn mapped_pages(&self) -> u64 {
        self.table.mapped()
    }

    /// The region that holds `page`.
    #[inline]
    fn region(&self, page: Page) -> Option<&Region> {
        if self.heap.pages.contains(&page) {
            Some(&self.heap)
        } else {
            self.image.regions().find(page)
        }
    }

    /// Makes user memory ready for `access`, and returns the frame of `address`. A hole whose
    /// content is zeros is filled with a zeroed frame; before a store, a shared page becomes the
    /// process's own. That is counted for `origin`.
    ///
    /// # Errors
    /// The regions do not allow it, no frame is left, or the page must be loaded; then nothing has
    /// changed.
    #[inline]
    pub fn fault_in(
        &mut self,
        address: UserAddress,
        access: Access,
        origin: Origin,
    ) -> Result<Frame, Fault> {
        let page = address.page();
        let entry = page.map_or(Entry::EMPTY, |page| self.table.entry(page));
        if entry.allows(access) {
            return Ok(entry.frame());
        }
        let fault = PageFault {
            address,
            access,
            origin,
        };
        self.resolve(fault, entry)
    }

    /// The slow part of [`AddressSpace::fault_in`]: `entry` does not allow the access.
    #[inline(never)]
    fn resolve(&mut self, fault: PageFault, entry: Entry) -> Result<Frame, Fault> {
        let page = fault.address.page().ok_or(Fault::NotAllowed);
        let result = page.and_then(|page| self.fill(page, entry, fault.access));
        match result {
            Ok(filled) => {
                self.note(fault, Ok(filled.resolution));
                Ok(filled.frame)
            }
            // It is counted when it is loaded.
            Err(Fault::NotLoaded(page)) => Err(Fault::NotLoaded(page)),
            Err(refused) => {
                self.note(fault, Err(refused));
                Err(refused)
            }
        }
    }

    /// Notes how a fault ended: counts it if it was resolved, and prints it if all are printed.
    #[inline]
    fn note(&self, fault: PageFault, end: Result<Resolution, Fault>) {
        if end.is_ok() {
            self.account.faults.count(fault);
        }
        fault.log(self.owner, end);
    }

    /// Makes the frame of `page`, whose `entry` does not allow `access`.
    // As `PageTable::map`, for the same reason.
    #[inline(always)]
    fn fill(&mut self, page: Page, entry: Entry, access: Access) -> Result<Filled, Fault> {
        let region = self.region(page).ok_or(Fault::NotAllowed)?;
        let permissions = region.permissions;
        if !permissions.allow(access) {
            return Err(Fault::NotAllowed);
        }
        if entry.is_valid() {
            // The region allows more than the entry does: that is a store to a shared page.
            return Ok(self.unshare(page, entry, permissions)?);
        }
        if region.file_part(page).is_some() {
            return Err(Fault::NotLoaded(page));
        }
        let entry = self.table.map(page, || {
            let zeroed = allocate_zeroed()?;
            Ok(Entry::user(zeroed, permissions))
        })?;
        // A hart may remember that there was nothing.
        self.stale_translations = ALL_HARTS;
        Ok(Filled {
            frame: entry.frame(),
            resolution: Resolution::Zeros,
        })
    }

    /// Makes a shared page the process's own: by a copy, or as it is if nobody else holds it.
    fn unshare(
        &mut self,
        page: Page,
        entry: Entry,
        permissions: Permissions,
    ) -> Result<Filled, OutOfFrames> {
        let shared = entry.frame();
        let (frame, entry, resolution) = if shared.is_exclusive() {
            // It stays so: only a holder can share a frame.
            (shared, entry.writable(), Resolution::TakenOver)
        } else {
            let own = allocate()?;
            own.copy_from(shared);
            (own, Entry::user(own, permissions), Resolution::Copied)
        };
        self.table.replace(page, entry);
        self.stale_translations = ALL_HARTS;
        if frame != shared {
            shared.release();
        }
        Ok(Filled { frame, resolution })
    }

    /// Makes this hart forget what is stale. On the way back to user mode.
    #[inline]
    pub fn settle(&mut self, hart: usize) {
        let bit = 1u32.wrapping_shl(hart as u32);
        if (self.stale_translations | self.stale_instructions) & bit != 0 {
            self.forget(bit);
        }
    }

    fn forget(&mut self, hart_bit: u32) {
        if self.stale_translations & hart_bit != 0 {
            self.stale_translations &= !hart_bit;
            fence::translations_of(self.identifier);
            // What is mapped has changed.
            let outline = &self.account.outline;
            outline.set(self.image.place(), self.table.mapped(), self.program_break);
        }
        if self.stale_instructions & hart_bit != 0 {
            self.stale_instructions &= !hart_bit;
            fence::instructions();
        }
    }
}
