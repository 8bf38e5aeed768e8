//! Page tables and frames, read from outside for the judge's invariants.

use super::Driver;
use super::crowd::Crowd;
use crate::guest::frames::FRAME_BYTES;
use crate::guest::processes::{SUPERVISOR, Slot};
use abi::SystemCall;
use emulator::isa::page_table::{EXECUTE, READ, RESERVED, USER, WRITE};
use oracle::{Action, FrameKind, Miscount, Observation, PageFlags, PageMapping, Process, Step};
use std::collections::HashSet;
use std::ops::Range;

/// The system call that moves the program break.
const SBRK: u64 = SystemCall::Sbrk.number();
/// The system call that replaces the memory of its process.
const EXEC: u64 = SystemCall::Exec.number();

/// The bits of `satp` with the number of the root table's frame.
const ROOT: u64 = (1 << 44) - 1;
/// Levels of a page table.
const LEVELS: u64 = 3;
/// Bits of a virtual address that are the offset in its page, and those that are the index in one table.
const PAGE_BITS: u64 = 12;
const INDEX_BITS: u64 = 9;
/// The lowest bit of the frame's number in an entry, and the bytes of an entry.
const FRAME_SHIFT: u64 = 10;
const ENTRY_BYTES: u64 = 8;

impl Driver {
    /// Lists the mappings that the step can have changed, if it can have changed any. After a fork these are those of
    /// all processes. They are those of its own process if frames were taken or freed, after an `sbrk` with a negative
    /// amount, and after an `exec`.
    pub(super) fn collect_mappings(&mut self, step: &Step, observation: &mut Observation) {
        let mut mappings = observation.mappings.take().unwrap_or_default();
        mappings.clear();
        let frames_moved = observation
            .frames
            .is_none_or(|(before, after)| before != after);
        let whose = match step.action {
            _ if observation.failure.is_some() => return,
            Action::SystemCall { child: Some(_), .. } => None,
            Action::SystemCall {
                number: SBRK,
                arguments: [amount, ..],
                ..
            } if (amount as i64) < 0 => Some(step.process),
            Action::SystemCall { number: EXEC, .. } => Some(step.process),
            _ if frames_moved => Some(step.process),
            _ => return,
        };
        self.list_mappings(whose, &mut mappings);
        observation.mappings = Some(mappings);
    }

    /// Appends every mapping of one parked process of the case, or of all parked ones.
    pub fn list_mappings(&mut self, whose: Option<Process>, into: &mut Vec<PageMapping>) {
        let mut tables = std::mem::take(&mut self.page_tables);
        tables.clear();
        for (_, satp) in self.parked(whose) {
            self.machine
                .page_table_pages(satp, &mut |table| tables.push(table));
        }
        tables.sort_unstable();
        for (process, satp) in self.parked(whose) {
            self.machine.mappings(satp, &mut |mapping| {
                let frame = mapping.physical & !(FRAME_BYTES - 1);
                let sharers = self.sharers(frame);
                into.push(PageMapping {
                    process,
                    address: mapping.virtual_address,
                    frame,
                    flags: flags(mapping.pte),
                    sharers,
                    kind: self.kind(frame, sharers, &tables),
                });
            });
        }
        self.page_tables = tables;
    }

    /// The physical addresses of the page tables of every parked process of the case, each with the process.
    pub(crate) fn page_tables(&self) -> Vec<(u64, Process)> {
        let mut tables = Vec::new();
        for (process, satp) in self.parked(None) {
            self.machine
                .page_table_pages(satp, &mut |table| tables.push((table, process)));
        }
        tables
    }

    /// How many owners each frame of RAM has, in the order of addresses. A free frame has 0. `None` if the
    /// kernel's symbols do not show it.
    pub(crate) fn frame_owners(&self) -> Option<Vec<u16>> {
        self.guest.accounts?.owners(&self.machine)
    }

    /// The frames on the kernel's list of free frames, if its symbols show one.
    pub(crate) fn listed_frames(&self) -> Option<HashSet<u64>> {
        let listed = self.guest.accounts?.listed(&self.machine)?;
        Some(listed.into_iter().collect())
    }

    /// How many owners each frame of RAM had at the end of this case, when every process was gone. `None` also if no
    /// frame was missing.
    pub(crate) fn lost_owners(&self) -> Option<&[u16]> {
        self.lost_owners.as_deref()
    }

    /// A frame with more or fewer recorded holders than pages that map it, in the living processes of the case and in
    /// the supervisor.
    pub(crate) fn miscount(&self, living: impl Iterator<Item = Process>) -> Option<Miscount> {
        self.miscounted_frame(living.filter_map(Slot::of).chain([SUPERVISOR]))
    }

    /// The processes of the case that wait at their hints, with their address spaces, or only the one in `whose`.
    fn parked(&self, whose: Option<Process>) -> impl Iterator<Item = (Process, u64)> + '_ {
        self.processes.slots().filter_map(move |slot| {
            let entry = self.processes.get(slot);
            let wanted = |process: &Process| {
                entry.state.is_at_hand() && whose.is_none_or(|whose| whose == *process)
            };
            slot.process()
                .filter(wanted)
                .map(|process| (process, entry.satp))
        })
    }

    pub(super) fn sharers(&self, frame: u64) -> Option<u16> {
        self.guest.accounts?.sharers(&self.machine, frame)
    }

    fn kind(&self, frame: u64, sharers: Option<u16>, tables: &[u64]) -> FrameKind {
        if self.machine.read_u64(frame).is_none() {
            FrameKind::OutsideMemory
        } else if self.guest.kernel_extent.contains(&frame) {
            FrameKind::Kernel
        } else if tables.binary_search(&frame).is_ok() {
            FrameKind::PageTable
        } else if sharers == Some(0) {
            FrameKind::Free
        } else {
            FrameKind::Ordinary
        }
    }

    /// A frame with more or fewer recorded holders than user pages of these processes that map it. All living
    /// processes have to be among them, including the supervisor. The members of the crowd are added.
    pub(super) fn miscounted_frame(&self, slots: impl Iterator<Item = Slot>) -> Option<Miscount> {
        let mut frames = Vec::new();
        let named = slots.map(|slot| self.processes.get(slot).satp);
        let crowd = self.crowd.iter().flat_map(Crowd::address_spaces);
        for satp in named.chain(crowd) {
            self.machine.mappings(satp, &mut |mapping| {
                if mapping.pte & USER != 0 {
                    frames.push(mapping.physical & !(FRAME_BYTES - 1));
                }
            });
        }
        frames.sort_unstable();
        frames.chunk_by(|one, other| one == other).find_map(|same| {
            let (frame, mapped) = (same[0], same.len() as u64);
            let recorded = u64::from(self.sharers(frame)?);
            (recorded != mapped).then_some(Miscount {
                frame,
                mapped,
                recorded,
            })
        })
    }

    /// The frame that `process` maps at virtual address `address`, and the physical address of the page-table
    /// entry (privileged specification, "Sv39") that says so.
    pub(crate) fn mapped_at(&self, process: Process, address: u64) -> Option<(u64, u64)> {
        let satp = self.processes.get(Slot::of(process)?).satp;
        let frame = self.machine.translate(satp, address)?.physical & !(FRAME_BYTES - 1);
        Some((frame, self.entry_at(satp, address)?))
    }

    /// The physical address of the page-table entry that maps `address`.
    pub(super) fn entry_at(&self, satp: u64, address: u64) -> Option<u64> {
        let mut table = (satp & ROOT) * FRAME_BYTES;
        let mut level = LEVELS - 1;
        loop {
            let index = address >> (PAGE_BITS + INDEX_BITS * level) & ((1 << INDEX_BITS) - 1);
            let at = table + index * ENTRY_BYTES;
            let entry = self.machine.read_u64(at)?;
            if entry & (READ | WRITE | EXECUTE) != 0 || level == 0 {
                return Some(at);
            }
            table = (entry & !RESERVED) >> FRAME_SHIFT << PAGE_BITS;
            level -= 1;
        }
    }

    /// Copies the memory of `process` at virtual address `address` to `bytes`, which must not go beyond the
    /// page. Returns false if the page is not mapped.
    pub fn read_in_page(&self, process: Process, address: u64, bytes: &mut [u8]) -> bool {
        let Some(slot) = Slot::of(process) else {
            return false;
        };
        let satp = self.processes.get(slot).satp;
        let mapping = self.machine.translate(satp, address);
        mapping.is_some_and(|found| self.machine.read_physical(found.physical, bytes).is_ok())
    }

    /// The first of `pages`, numbers of virtual pages, for which the page table of `process` has no entry but zero. A
    /// kernel that keeps pages on the disk may note their place in an entry that is not valid.
    pub fn first_without_entry(&self, process: Process, pages: Range<u64>) -> Option<u64> {
        let satp = self.processes.get(Slot::of(process)?).satp;
        self.machine.first_without_entry(satp, pages)
    }
}

fn flags(pte: u64) -> PageFlags {
    let bits = [
        (READ, PageFlags::READ),
        (WRITE, PageFlags::WRITE),
        (EXECUTE, PageFlags::EXECUTE),
        (USER, PageFlags::USER),
    ];
    bits.into_iter()
        .filter(|(bit, _)| pte & bit != 0)
        .map(|(_, flag)| flag)
        .collect()
}
