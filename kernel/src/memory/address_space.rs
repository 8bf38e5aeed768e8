//! Address spaces: what a process may touch, and the frames behind what it has touched.
//!
//! # What holds at any time
//! - The regions are the truth: those of the program's image, and the heap, which reaches to the page
//!   that holds the last byte below the program break. A page outside them is never mapped for the
//!   user, and no entry allows more than they do.
//! - A page inside them may be mapped or not; a *hole* stands for what backs its region: zeros, or a
//!   page of the program's file. Nothing is implied by its neighbours.
//! - A mapped page whose region may be written but whose entry may not is *shared*: its frame may
//!   have other holders. A page that may be written has a frame of its own.
//! - An entry that a hart might still hold in an older form is announced in `stale_translations`,
//!   and that hart executes a fence before it returns to user mode.
//!
//! Memory changes hands through one door, [`AddressSpace::fault_in`]: traps, and system calls that
//! read or write user memory, all come through it. It never sleeps, so that it may be used under
//! locks. A hole that only a file can fill needs sleep: that is [`AddressSpace::load`], for callers
//! who hold no lock at all.

use abi::layout::{PAGE_SIZE, TRAPFRAME};

use super::fault::{Origin, PageFault, Resolution};
use super::frames::{Frame, OutOfFrames, Promise, allocate, allocate_zeroed, check_available};
use super::page_table::{Entry, PageTable};
use super::program_image::Image;
pub use super::region::Access;
use super::region::{Permissions, Region};
use crate::address::{Page, PageRange, UserAddress};
use crate::arch::{csr, fence};
use crate::process::Process;

/// Why an address cannot be touched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// No region allows it.
    NotAllowed,
    /// It needs a frame, and none is free.
    OutOfFrames,
    /// The page must be read from the program's file first: by [`AddressSpace::load`].
    NotLoaded,
    /// The program's file cannot be read.
    Unreadable,
}

impl From<OutOfFrames> for Fault {
    fn from(_: OutOfFrames) -> Fault {
        Fault::OutOfFrames
    }
}

/// What the memory of all processes in a slot has in common.
#[derive(Clone, Copy)]
pub struct Fixtures {
    /// The last entry of their page tables, which maps trampoline and trapframe.
    pub top: Entry,
    /// The address-space identifier that harts tag translations with; one a process slot.
    pub identifier: u16,
    /// The slot, whose process's page faults are counted.
    pub owner: &'static Process,
}

/// A process's memory.
pub struct AddressSpace {
    table: PageTable,
    /// The program that it began with.
    image: Image,
    /// One beyond the last page that the program's file backs.
    file_end: Page,
    /// The page that the last [`Fault::NotLoaded`] was about.
    missing: Page,
    /// A frame for each page of the program's file that is not loaded yet: no program ends for want
    /// of its own code.
    promise: Promise,
    /// Begins at the end of the stack.
    heap: Region,
    /// One beyond the last byte of the heap.
    program_break: u64,
    /// `satp` while the process is in user mode.
    satp: u64,
    identifier: u16,
    owner: &'static Process,
    /// Bit n: hart n may hold translations older than the page table.
    stale_translations: u32,
    /// Bit n: hart n may hold instructions older than what is in memory.
    stale_instructions: u32,
}

/// Every hart.
const ALL_HARTS: u32 = u32::MAX;

impl AddressSpace {
    /// Memory as the image describes it, all holes, and an empty heap after its last region.
    ///
    /// # Errors
    /// There are not enough frames for it and for all pages of the program's file.
    pub fn new(fixtures: Fixtures, image: Image) -> Result<AddressSpace, OutOfFrames> {
        let promise = Promise::of(image.regions.file_pages())?;
        AddressSpace::with_promise(fixtures, image, promise)
    }

    fn with_promise(
        fixtures: Fixtures,
        image: Image,
        promise: Promise,
    ) -> Result<AddressSpace, OutOfFrames> {
        let heap_start = image.regions.end();
        let table = PageTable::new(fixtures.top)?;
        let identifier = u64::from(fixtures.identifier) << csr::SATP_ASID_SHIFT;
        Ok(AddressSpace {
            satp: csr::SATP_SV39 | identifier | table.root_number(),
            table,
            file_end: image.regions.file_end(),
            image,
            missing: Page::containing(0),
            promise,
            heap: Region::heap(heap_start..heap_start),
            program_break: heap_start.start().0,
            identifier: fixtures.identifier,
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
        match self.heap.pages.contains(&page) {
            true => Some(&self.heap),
            false => self.image.regions.find(page),
        }
    }

    /// The one door to user memory: gives the frame behind `address`, ready for `access`. A hole that
    /// stands for zeros is filled with a zeroed frame; before a store, a shared page becomes the
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
        if result != Err(Fault::NotLoaded) {
            fault.note(self.owner, result.is_ok(), || {
                result.map(|frame| Resolution::of(entry, frame))
            });
        }
        result
    }

    /// Makes the frame behind `page`, whose `entry` does not allow `access`.
    // As `PageTable::map`, for the same reason.
    #[inline(always)]
    fn fill(&mut self, page: Page, entry: Entry, access: Access) -> Result<Frame, Fault> {
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
            self.missing = page;
            return Err(Fault::NotLoaded);
        }
        let mut frame = None;
        self.table.map(page, || {
            let zeroed = allocate_zeroed()?;
            frame = Some(zeroed);
            Ok(Entry::user(zeroed, permissions))
        })?;
        // A hart may remember that there was nothing.
        self.stale_translations = ALL_HARTS;
        frame.ok_or(Fault::OutOfFrames)
    }

    /// Makes a shared page the process's own: by a copy, or as it is if nobody else holds it.
    fn unshare(
        &mut self,
        page: Page,
        entry: Entry,
        permissions: Permissions,
    ) -> Result<Frame, OutOfFrames> {
        let shared = entry.frame();
        let (frame, entry) = if shared.is_exclusive() {
            // Nobody can begin to share it now: that takes a holder.
            (shared, entry.writable())
        } else {
            let own = allocate()?;
            own.copy_from(shared);
            (own, Entry::user(own, permissions))
        };
        self.table.replace(page, entry);
        self.stale_translations = ALL_HARTS;
        if frame != shared {
            shared.release();
        }
        Ok(frame)
    }

    /// Reads the page at `address`, which [`Fault::NotLoaded`] named, and counts that for `origin`. May
    /// sleep, and waits for inodes and buffers: not for a caller that holds any lock.
    ///
    /// # Errors
    /// The file cannot be read, or no frame is left; then nothing has changed.
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
        fault.note(self.owner, end.is_ok(), || end.map(|()| Resolution::Loaded));
        end
    }

    fn load_page(&mut self, page: Page) -> Result<(), Fault> {
        let region = self.image.regions.find(page).ok_or(Fault::NotAllowed)?;
        let permissions = region.permissions;
        let part = region.file_part(page).ok_or(Fault::NotAllowed)?;
        let frame = self.promise.allocate()?;
        if part.length < PAGE_SIZE as usize {
            frame.zero();
        }
        let loaded = self.image.read(part, frame).map_err(|_| Fault::Unreadable);
        let mapped = loaded.and_then(|()| {
            let entry = Entry::user(frame, permissions);
            Ok(self.table.map(page, || Ok(entry))?)
        });
        if mapped.is_err() {
            frame.release();
            return mapped;
        }
        self.stale_translations = ALL_HARTS;
        self.stale_instructions = ALL_HARTS;
        Ok(())
    }

    /// Where the page is that the last [`Fault::NotLoaded`] was about.
    pub fn missing(&self) -> UserAddress {
        self.missing.start()
    }

    /// The first page among `length` bytes at `address` that must be loaded before it can be used.
    #[inline]
    pub fn first_not_loaded(&self, address: UserAddress, length: usize) -> Option<Page> {
        // Stack and heap lie above all that a file backs.
        let first = address.page().filter(|&page| page < self.file_end)?;
        let fits = length <= PAGE_SIZE as usize - address.offset();
        if length == 0 || fits && self.table.entry(first).is_valid() {
            return None;
        }
        let end = address.checked_add(length as u64)?;
        for region in self.image.regions.iter() {
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

    /// Moves the program break by `amount` bytes and gives the one before. Growth reserves and
    /// allocates nothing. A step down below address zero is no step, as in the C kernel.
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
        self.owner.outline.set_break(after);
        Some(before)
    }

    /// Moves the program break up by `amount` bytes, with frames for all new pages, and gives the
    /// one before.
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
            self.owner.outline.set_break(before);
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

    /// A copy of this memory for a child: holes stay holes, mapped pages are shared. Costs by the
    /// mapped pages.
    ///
    /// # Errors
    /// No frame is left for a table page, or for what is not loaded; then nothing is kept.
    // Not inlined: the result then goes to its place in one piece.
    #[inline(never)]
    pub fn fork(&mut self, fixtures: Fixtures) -> Result<AddressSpace, OutOfFrames> {
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
            result = child.table.map(page, || Ok(shared));
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
            let outline = &self.owner.outline;
            outline.set(&self.image, self.table.mapped(), self.program_break);
        }
        if self.stale_instructions & hart_bit != 0 {
            self.stale_instructions &= !hart_bit;
            fence::instructions();
        }
    }
}
