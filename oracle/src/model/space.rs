//! One process's memory: its break, what it holds, and who may touch what.
//!
//! Eager in meaning: every page below the break is there, and zero until written. Which pages were
//! touched is recorded only to know what a lazy kernel may have spent on them.

use super::World;
use super::history::History;
use super::page_state::PageState;
use super::pages::{PageSet, pages_of};
use crate::case::{StoredValue, Stride, Width};
use crate::dialect::Tail;
use crate::layout::{PAGE_SIZE, Permissions, page_ceiling, page_floor};
use std::ops::Range;

/// What an access needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Load,
    Store,
    Fetch,
}

impl Access {
    fn needs(self) -> Permissions {
        match self {
            Access::Load => Permissions::READ,
            Access::Store => Permissions::WRITE,
            Access::Fetch => Permissions::EXECUTE,
        }
    }
}

/// Whether memory may be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Leave {
    /// It may not.
    Refused,
    /// The dialect leaves it to the kernel.
    Either,
    /// It may.
    Granted,
}

/// An address space.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressSpace {
    program_break: u64,
    history: History,
    /// Pages that were touched, and are still below the break: a kernel has mapped them.
    touched: PageSet,
    /// Pages that a kernel must hold a private frame for: stored to since the last fork.
    private: PageSet,
}

impl AddressSpace {
    /// Back to what process `a` holds when a case starts. Nothing counts as touched: a kernel may
    /// load the image page by page, and the supervisor, who forked `a`, may share it.
    pub(crate) fn reset(&mut self, world: &World) {
        self.program_break = world.layout.heap;
        self.history.clear();
        self.private.clear();
        self.touched.clear();
    }

    /// Sets `pages` to all that a kernel may have mapped: what was touched, and the image.
    pub(crate) fn may_be_mapped(&self, pages: &mut PageSet, world: &World) {
        pages.copy_from(&self.touched);
        for segment in &world.image.segments {
            let length = segment.end() - segment.address;
            pages.insert(pages_of(segment.address, length));
        }
    }

    /// Becomes a copy of `parent`; from now on neither holds a private frame.
    pub(crate) fn copy_from(&mut self, parent: &mut AddressSpace) {
        parent.private.clear();
        self.private.clear();
        self.program_break = parent.program_break;
        self.history.copy_from(&parent.history);
        self.touched.copy_from(&parent.touched);
    }

    pub(crate) fn program_break(&self) -> u64 {
        self.program_break
    }

    pub(crate) fn touched(&self) -> &PageSet {
        &self.touched
    }

    pub(crate) fn private(&self) -> &PageSet {
        &self.private
    }

    fn heap(&self, world: &World) -> Range<u64> {
        world.layout.heap..page_ceiling(self.program_break)
    }

    /// What the program may do with the page at `address`; `None` where there is no memory.
    pub(crate) fn permissions(&self, address: u64, world: &World) -> Option<Permissions> {
        if self.heap(world).contains(&address) {
            let execute = match world.dialect.heap.executable {
                true => Permissions::EXECUTE,
                false => Permissions::empty(),
            };
            return Some(Permissions::READ_WRITE | execute);
        }
        world
            .image
            .segment(address)
            .map(|segment| segment.permissions)
    }

    /// Whether the byte at `address` may be touched.
    fn leave_byte(&self, address: u64, access: Access, world: &World) -> Leave {
        let permitted = self
            .permissions(address, world)
            .is_some_and(|permissions| permissions.contains(access.needs()));
        if !permitted {
            return Leave::Refused;
        }
        let in_tail = address >= self.program_break && self.heap(world).contains(&address);
        let untouched = || !self.touched.contains(address / PAGE_SIZE);
        if in_tail && world.dialect.heap.tail == Tail::MayFault && untouched() {
            return Leave::Either;
        }
        Leave::Granted
    }

    /// How many of `length` bytes from `address` on may be touched before the first that may not:
    /// at least, and at most (they differ where the dialect leaves it to the kernel).
    pub(crate) fn reach(
        &self,
        address: u64,
        length: u64,
        access: Access,
        world: &World,
    ) -> (u64, u64) {
        let mut least = None;
        let mut done = 0;
        while done < length {
            let Some(at) = address.checked_add(done) else {
                break;
            };
            let page_left = PAGE_SIZE - at % PAGE_SIZE;
            let tail_left = self.program_break.saturating_sub(at);
            // Leave can change at a page boundary and at the break.
            let stretch = match tail_left {
                0 => page_left,
                left => left.min(page_left),
            };
            match self.leave_byte(at, access, world) {
                Leave::Refused => break,
                Leave::Either => {
                    least.get_or_insert(done);
                }
                Leave::Granted => {}
            }
            done += stretch.min(length - done);
        }
        (least.unwrap_or(done), done)
    }

    /// Whether all of `length` bytes may be touched.
    pub(crate) fn leave(&self, address: u64, length: u64, access: Access, world: &World) -> Leave {
        let (least, most) = self.reach(address, length, access, world);
        match (least == length, most == length) {
            (true, _) => Leave::Granted,
            (false, true) => Leave::Either,
            (false, false) => Leave::Refused,
        }
    }

    /// Whether a kernel may need a frame for this access: it may not have mapped one of the pages
    /// yet, or a store may have to copy.
    pub(crate) fn may_need_frame(&self, address: u64, length: u64, access: Access) -> bool {
        pages_of(address, length).any(|page| self.page_may_need_frame(page, access))
    }

    pub(crate) fn page_may_need_frame(&self, page: u64, access: Access) -> bool {
        match access {
            Access::Store => !self.private.contains(page),
            Access::Load | Access::Fetch => !self.touched.contains(page),
        }
    }

    /// The memory was touched for reading.
    pub(crate) fn note_load(&mut self, address: u64, length: u64) {
        self.touched.insert(pages_of(address, length));
    }

    fn note_store(&mut self, address: u64, length: u64) {
        let pages = pages_of(address, length);
        self.touched.insert(pages.clone());
        self.private.insert(pages);
    }

    pub(crate) fn load(&mut self, address: u64, width: Width, world: &World) -> u64 {
        self.note_load(address, width.bytes());
        let mut bytes = [0; 8];
        let part = &mut bytes[..width.bytes() as usize];
        self.history.read(address, part, &world.image);
        u64::from_le_bytes(bytes)
    }

    pub(crate) fn store(&mut self, address: u64, width: Width, value: StoredValue) {
        let bytes = value.bits().to_le_bytes();
        self.write(address, &bytes[..width.bytes() as usize]);
    }

    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) {
        self.note_store(address, bytes.len() as u64);
        self.history.write(address, bytes);
    }

    pub(crate) fn store_touches(&mut self, address: u64, stride: Stride, count: u8) {
        for step in 0..u64::from(count) {
            self.note_store(address.wrapping_add(step * stride.bytes()), 1);
        }
        self.history.touch(address, stride.exponent(), count);
    }

    pub(crate) fn byte(&self, address: u64, world: &World) -> u8 {
        self.history.byte(address, &world.image)
    }

    /// Fills `bytes` with what lies at `address`; touches nothing.
    pub(crate) fn peek(&self, address: u64, bytes: &mut [u8], world: &World) {
        self.history.read(address, bytes, &world.image);
    }

    /// Fills `bytes` with the page at `address`, which is page aligned; touches nothing.
    pub(crate) fn peek_page(
        &self,
        address: u64,
        bytes: &mut [u8; PAGE_SIZE as usize],
        world: &World,
    ) {
        self.history.read_page(address, bytes, &world.image);
    }

    /// Whether the page at `address` was ever written, or came with the image.
    pub(crate) fn was_written(&self, address: u64, world: &World) -> bool {
        let page = page_floor(address);
        self.history
            .was_written(page..page.saturating_add(PAGE_SIZE), &world.image)
    }

    /// Moves the break; pages given back read as zero from then on.
    pub(crate) fn set_break(&mut self, program_break: u64) {
        let (old, new) = (
            page_ceiling(self.program_break),
            page_ceiling(program_break),
        );
        if new < old {
            self.history.erase(new..old);
            let pages = new / PAGE_SIZE..old / PAGE_SIZE;
            self.touched.remove(pages.clone());
            self.private.remove(pages);
        }
        self.program_break = program_break;
    }

    /// An eager growth gave every page up to the break a frame.
    pub(crate) fn populate(&mut self, from: u64) {
        let pages = page_ceiling(from) / PAGE_SIZE..page_ceiling(self.program_break) / PAGE_SIZE;
        self.touched.insert(pages.clone());
        self.private.insert(pages);
    }

    /// In what state an operation meets the page at `address`.
    pub(crate) fn page_state(&self, address: u64, world: &World) -> PageState {
        let page = address / PAGE_SIZE;
        let layout = &world.layout;
        if self.heap(world).contains(&address) {
            return if self.private.contains(page) {
                PageState::Touched
            } else if self.touched.contains(page) {
                PageState::Shared
            } else if address >= self.program_break {
                PageState::Tail
            } else {
                PageState::Lazy
            };
        }
        match world.image.segment(address) {
            Some(segment) if !segment.permissions.contains(Permissions::WRITE) => PageState::Text,
            Some(_) if self.private.contains(page) => PageState::Image,
            Some(_) => PageState::ImageShared,
            None if layout.guard.contains(&address) => PageState::Guard,
            None if address < layout.trapframe => PageState::Beyond,
            None if address < layout.max_va => PageState::Top,
            None => PageState::Outside,
        }
    }
}
