//! Which page maps which frame: lazy allocation and copy-on-write, as a kernel does them.

use oracle::case::Access;
use oracle::{FrameKind, Judge, PageFlags, PageMapping, Permissions, Process, ProcessState};
use std::collections::BTreeMap;

const PAGE_SIZE: u64 = 4096;
/// Physical address of the first frame.
const FIRST_FRAME: u64 = 0x8100_0000;

#[derive(Clone, Copy, Debug)]
struct Mapping {
    /// An index of `Frames::holders`.
    frame: usize,
    writable: bool,
}

/// All page tables, and the holders of every frame that was ever handed out.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    pages: BTreeMap<(Process, u64), Mapping>,
    holders: Vec<u16>,
}

impl Frames {
    /// How many hold the frame of a page; `None` if the page is not mapped.
    pub(super) fn holders(&self, process: Process, page: u64) -> Option<u16> {
        let mapping = self.pages.get(&(process, page))?;
        Some(self.holders[mapping.frame])
    }

    /// Whether a page needs a frame before this access.
    pub(super) fn need_one(&self, process: Process, page: u64, access: Access) -> bool {
        match self.holders(process, page) {
            None => true,
            Some(holders) => access == Access::Store && holders > 1,
        }
    }

    /// The page gets a frame of its own, and releases one that it shared.
    pub(super) fn give(&mut self, process: Process, page: u64, access: Access) {
        self.release(process, page);
        let frame = self.holders.len();
        self.holders.push(1);
        let writable = access == Access::Store;
        self.pages
            .insert((process, page), Mapping { frame, writable });
    }

    /// A page that needs no frame is touched.
    pub(super) fn touch(&mut self, process: Process, page: u64, access: Access) {
        if let Some(mapping) = self.pages.get_mut(&(process, page)) {
            mapping.writable |= access == Access::Store;
        }
    }

    /// A page is touched, with a frame if it needs one.
    pub(super) fn settle(&mut self, process: Process, page: u64, access: Access) {
        if self.need_one(process, page, access) {
            self.give(process, page, access);
        } else {
            self.touch(process, page, access);
        }
    }

    /// The page is no longer mapped.
    pub(super) fn release(&mut self, process: Process, page: u64) {
        if let Some(mapping) = self.pages.remove(&(process, page)) {
            self.holders[mapping.frame] -= 1;
        }
    }

    /// All pages of a process that are mapped from `first` on.
    pub(super) fn mapped(&self, process: Process, first: u64) -> Vec<u64> {
        let pages = self.pages.range((process, first)..=(process, u64::MAX));
        pages.map(|((_, page), _)| *page).collect()
    }

    /// No page of the process is mapped any more.
    pub(super) fn release_all(&mut self, process: Process) {
        for page in self.mapped(process, 0) {
            self.release(process, page);
        }
    }

    /// A program has started: its stack and its first instruction were touched.
    pub(super) fn start(&mut self, process: Process, stack: u64, entry: u64) {
        self.release_all(process);
        self.settle(process, stack / PAGE_SIZE, Access::Store);
        self.settle(process, entry / PAGE_SIZE, Access::Fetch);
    }

    /// The child shares every page of its parent, and neither may store to one.
    pub(super) fn share(&mut self, parent: Process, child: Process) {
        for page in self.mapped(parent, 0) {
            let Some(mapping) = self.pages.get_mut(&(parent, page)) else {
                continue;
            };
            mapping.writable = false;
            self.holders[mapping.frame] += 1;
            let mapping = *mapping;
            self.pages.insert((child, page), mapping);
        }
    }

    /// The page tables of the processes that are ready for `judge`.
    pub(super) fn mappings(&self, judge: &Judge) -> Vec<PageMapping> {
        let listed = self.pages.iter().filter_map(|((process, page), mapping)| {
            let address = page * PAGE_SIZE;
            let permissions = judge.memory_of(*process).permissions(address)?;
            let mut flags = PageFlags::USER | PageFlags::READ;
            flags.set(PageFlags::WRITE, mapping.writable);
            let executable = permissions.contains(Permissions::EXECUTE);
            flags.set(PageFlags::EXECUTE, executable);
            let is_ready = judge.state_of(*process) == ProcessState::Ready;
            is_ready.then_some(PageMapping {
                process: *process,
                address,
                frame: FIRST_FRAME + mapping.frame as u64 * PAGE_SIZE,
                flags,
                sharers: Some(self.holders[mapping.frame]),
                kind: FrameKind::Ordinary,
            })
        });
        listed.collect()
    }
}
