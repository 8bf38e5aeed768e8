//! One process's memory: its break, what it holds, and which accesses are allowed.
//!
//! Eager in meaning: every page below the break is there, and zero until written. Which pages were
//! touched is recorded only to know what a lazy kernel may have spent on them.

use super::World;
use super::history::History;
use super::page_state::PageState;
use super::pages::{PageSet, pages_of};
use crate::case::{Access, Stride, Width};
use crate::dialect::{Loading, Tail};
use crate::layout::{InitialMemory, Layout, PAGE_SIZE, Permissions, page_ceiling, page_floor};
use crate::program_file::Program;
use std::ops::Range;
use std::sync::Arc;

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

impl Leave {
    /// The leave to touch `length` bytes, if at least `least` and at most `most` of them may be touched.
    fn of((least, most): (u64, u64), length: u64) -> Leave {
        match (least == length, most == length) {
            (true, _) => Leave::Granted,
            (false, true) => Leave::Either,
            (false, false) => Leave::Refused,
        }
    }
}

/// What accesses a program's memory: the program itself, or a system call for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Toucher {
    /// The program.
    Program,
    /// The kernel, for a system call of it.
    SystemCall,
}

/// An address space.
#[derive(Clone, Debug)]
pub(crate) struct AddressSpace {
    /// What it was made of.
    program: Arc<Program>,
    /// Whether the program was started in this case; else a kernel may have mapped all of it before.
    fresh: bool,
    program_break: u64,
    history: History,
    /// Pages that were touched, and are still below the break: a kernel has mapped them.
    touched: PageSet,
    /// Pages that a kernel may have mapped for a system call that failed, or may not.
    perhaps: PageSet,
    /// Pages that a kernel must hold a private frame for: stored to since the last fork.
    private: PageSet,
    /// Pages that a kernel must still have: the process has stored to them, or the parent had before the fork, or an eager
    /// growth has allocated them.
    held: PageSet,
}

impl AddressSpace {
    /// That of a program at its start.
    pub(crate) fn new(program: &Arc<Program>) -> AddressSpace {
        AddressSpace {
            program: Arc::clone(program),
            fresh: false,
            program_break: program.layout.heap,
            history: History::default(),
            touched: PageSet::default(),
            perhaps: PageSet::default(),
            private: PageSet::default(),
            held: PageSet::default(),
        }
    }

    /// Resets to what process `a` holds when a case starts. Nothing counts as touched: a kernel may
    /// load the image page by page, and the supervisor, which forked `a`, may share it.
    pub(crate) fn reset(&mut self, world: &World) {
        self.clear(&world.booted);
        self.fresh = false;
    }

    /// Becomes that of a new program, whose first instruction is fetched, and whose stack holds
    /// `content` at `stack`.
    pub(crate) fn start(&mut self, program: &Arc<Program>, stack: u64, content: &[u8]) {
        self.clear(program);
        self.fresh = true;
        self.write(stack, content);
        self.note_load(self.program.entry, 1);
    }

    fn clear(&mut self, program: &Arc<Program>) {
        self.program.clone_from(program);
        self.program_break = program.layout.heap;
        self.history.clear();
        self.private.clear();
        self.held.clear();
        self.touched.clear();
        self.perhaps.clear();
    }

    /// Where things lie in it.
    pub(crate) fn layout(&self) -> &Layout {
        &self.program.layout
    }

    /// What its program began with.
    fn initial_memory(&self) -> &InitialMemory {
        &self.program.memory
    }

    /// Sets `pages` to all that a kernel may have mapped: what was touched, and the image unless it
    /// comes page by page.
    pub(crate) fn may_be_mapped(&self, pages: &mut PageSet, world: &World) {
        pages.copy_from(&self.touched);
        pages.insert_all(&self.perhaps);
        if !self.fresh || world.dialect.exec.loading == Loading::AtOnce {
            self.insert_image(pages);
        }
    }

    /// Adds the pages that its program began with.
    pub(crate) fn insert_image(&self, pages: &mut PageSet) {
        pages.insert_image_of(&self.program);
    }

    /// How many pages of its program's file may not be loaded yet. Those of the program that every case begins in are:
    /// the harness has touched them.
    pub(crate) fn unloaded_pages(&self) -> u64 {
        if !self.fresh {
            return 0;
        }
        let mut pages = PageSet::default();
        self.insert_image(&mut pages);
        let stack = &self.layout().stack;
        pages.remove(pages_of(stack.start, stack.end - stack.start));
        for run in self.touched.runs() {
            pages.remove(run);
        }
        pages.count()
    }

    /// Becomes a copy of `parent`; from now on neither holds a private frame.
    pub(crate) fn copy_from(&mut self, parent: &mut AddressSpace) {
        parent.private.clear();
        self.private.clear();
        self.program.clone_from(&parent.program);
        self.fresh = parent.fresh;
        self.program_break = parent.program_break;
        self.history.copy_from(&parent.history);
        self.touched.copy_from(&parent.touched);
        self.perhaps.copy_from(&parent.perhaps);
        self.held.copy_from(&parent.held);
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

    pub(crate) fn held(&self) -> &PageSet {
        &self.held
    }

    fn heap(&self) -> Range<u64> {
        self.layout().heap..page_ceiling(self.program_break)
    }

    /// What the program may do with the page at `address`; `None` where there is no memory.
    pub(crate) fn permissions(&self, address: u64, world: &World) -> Option<Permissions> {
        if self.heap().contains(&address) {
            let execute = if world.dialect.heap.executable {
                Permissions::EXECUTE
            } else {
                Permissions::empty()
            };
            return Some(Permissions::READ_WRITE | execute);
        }
        let segment = self.initial_memory().segment(address);
        segment.map(|segment| segment.permissions)
    }

    /// Whether `address` lies between the program break and the end of its page.
    pub(crate) fn is_in_tail(&self, address: u64) -> bool {
        address >= self.program_break && self.heap().contains(&address)
    }

    /// Whether `toucher` may touch the byte at `address`.
    fn leave_byte(&self, toucher: Toucher, address: u64, access: Access, world: &World) -> Leave {
        let permitted = self
            .permissions(address, world)
            .is_some_and(|permissions| permissions.contains(access.needs()));
        if !permitted {
            return Leave::Refused;
        }
        let in_tail = self.is_in_tail(address);
        let may_fault = || self.page_may_need_frame(address / PAGE_SIZE, access);
        match world.dialect.heap.tail {
            Tail::MayFault if in_tail && may_fault() => Leave::Either,
            Tail::ForPrograms if in_tail && toucher == Toucher::SystemCall => Leave::Either,
            _ => Leave::Granted,
        }
    }

    /// How many of `length` bytes from `address` on a system call may touch before the first that it
    /// may not: at least, and at most (they differ where the dialect leaves it to the kernel).
    pub(crate) fn reach(
        &self,
        address: u64,
        length: u64,
        access: Access,
        world: &World,
    ) -> (u64, u64) {
        self.reach_of(Toucher::SystemCall, address, length, access, world)
    }

    fn reach_of(
        &self,
        toucher: Toucher,
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
            match self.leave_byte(toucher, at, access, world) {
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

    /// Whether a system call may touch all of `length` bytes.
    pub(crate) fn leave(&self, address: u64, length: u64, access: Access, world: &World) -> Leave {
        Leave::of(self.reach(address, length, access, world), length)
    }

    /// Whether the program itself may touch all of `length` bytes.
    pub(crate) fn leave_to_program(
        &self,
        address: u64,
        length: u64,
        access: Access,
        world: &World,
    ) -> Leave {
        let reach = self.reach_of(Toucher::Program, address, length, access, world);
        Leave::of(reach, length)
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

    /// A kernel may have mapped the memory for reading, or not.
    pub(crate) fn note_perhaps(&mut self, address: u64, length: u64) {
        self.perhaps.insert(pages_of(address, length));
    }

    fn note_store(&mut self, address: u64, length: u64) {
        let pages = pages_of(address, length);
        self.touched.insert(pages.clone());
        self.private.insert(pages.clone());
        self.held.insert(pages);
    }

    pub(crate) fn load(&mut self, address: u64, width: Width) -> u64 {
        self.note_load(address, width.bytes());
        let mut bytes = [0; 8];
        let part = &mut bytes[..width.bytes() as usize];
        self.history.read(address, part, self.initial_memory());
        u64::from_le_bytes(bytes)
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

    pub(crate) fn byte(&self, address: u64) -> u8 {
        self.history.byte(address, self.initial_memory())
    }

    /// `bytes` lie at `address`, although nobody has stored them there.
    pub(crate) fn overwrite(&mut self, address: u64, bytes: &[u8]) {
        self.history.write(address, bytes);
    }

    /// Fills `bytes` with what lies at `address`; touches nothing.
    pub(crate) fn peek(&self, address: u64, bytes: &mut [u8]) {
        self.history.read(address, bytes, self.initial_memory());
    }

    /// Whether the page at `address` was written since it was last given back, or came with the image.
    pub(crate) fn was_written(&self, address: u64) -> bool {
        let page = page_floor(address);
        self.history
            .was_written(page..page.saturating_add(PAGE_SIZE), self.initial_memory())
    }

    /// Whether anything was stored to `length` bytes at `address` since the program started.
    pub(crate) fn was_changed(&self, address: u64, length: u64) -> bool {
        let end = address.saturating_add(length);
        self.history.was_changed(address..end)
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
            self.perhaps.remove(pages.clone());
            self.private.remove(pages.clone());
            self.held.remove(pages);
        }
        self.program_break = program_break;
    }

    /// An eager growth gave every page up to the break a frame.
    pub(crate) fn populate(&mut self, from: u64) {
        let pages = page_ceiling(from) / PAGE_SIZE..page_ceiling(self.program_break) / PAGE_SIZE;
        self.touched.insert(pages.clone());
        self.private.insert(pages.clone());
        self.held.insert(pages);
    }

    /// In what state an operation meets the page at `address`.
    pub(crate) fn page_state(&self, address: u64) -> PageState {
        let page = address / PAGE_SIZE;
        let layout = self.layout();
        let touched = self.touched.contains(page);
        if self.heap().contains(&address) {
            return if self.private.contains(page) {
                PageState::Touched
            } else if touched {
                PageState::Shared
            } else if address >= self.program_break {
                PageState::Tail
            } else {
                PageState::Lazy
            };
        }
        let in_stack = layout.stack.contains(&address);
        let grows = layout.stack.end - layout.stack.start > PAGE_SIZE;
        match self.initial_memory().segment(address) {
            Some(segment) if !segment.permissions.contains(Permissions::WRITE) => {
                if touched {
                    PageState::Text
                } else {
                    PageState::TextUnloaded
                }
            }
            Some(_) if !touched && !in_stack => PageState::Unloaded,
            Some(_) if !touched && grows => PageState::StackHole,
            Some(_) if self.private.contains(page) => PageState::Image,
            Some(_) => PageState::ImageShared,
            None if layout.guard.contains(&address) => PageState::Guard,
            None if address < layout.guard.start => PageState::Gap,
            None if address < layout.trapframe => PageState::Beyond,
            None if address < layout.max_va => PageState::Top,
            None => PageState::Outside,
        }
    }
}
