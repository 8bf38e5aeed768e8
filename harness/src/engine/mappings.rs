//! Looking at page tables and frames from outside, for the judge's invariants.

use super::{Engine, Slot, State};
use crate::guest::frames::FRAME_BYTES;
use oracle::{Action, FrameKind, Observation, PageFlags, PageMapping, Process, Step};

/// Bits of an Sv39 leaf entry (privileged specification, 12.4.1).
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 2;
const EXECUTE: u64 = 1 << 3;
const USER: u64 = 1 << 4;

impl Engine {
    /// Lists the mappings of every process that stands at its hint, if the step can have changed
    /// any: it moved frames, or the break, or it failed.
    pub(super) fn collect_mappings(&mut self, step: &Step, observation: &mut Observation) {
        let mut mappings = observation.mappings.take().unwrap_or_default();
        mappings.clear();
        let frames_moved = observation
            .frames
            .is_none_or(|(before, after)| before != after);
        let system_call = matches!(step.action, Action::SystemCall { .. });
        if !frames_moved && !system_call || observation.failure.is_some() {
            return;
        }
        self.list_mappings(&mut mappings);
        observation.mappings = Some(mappings);
    }

    /// Appends every mapping of every parked process of the case.
    pub fn list_mappings(&mut self, into: &mut Vec<PageMapping>) {
        let mut tables = std::mem::take(&mut self.page_tables);
        tables.clear();
        for (_, satp) in self.parked() {
            self.machine
                .page_table_pages(satp, &mut |table| tables.push(table));
        }
        tables.sort_unstable();
        for (process, satp) in self.parked() {
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

    /// The processes of the case that stand at their hints, with their address spaces.
    fn parked(&self) -> impl Iterator<Item = (Process, u64)> + '_ {
        self.processes.slots().filter_map(|slot| {
            let entry = self.processes.get(slot);
            let parked = entry.state == State::Parked;
            slot.process()
                .filter(|_| parked)
                .map(|process| (process, entry.satp))
        })
    }

    fn sharers(&self, frame: u64) -> Option<u16> {
        self.guest.accounts?.sharers(&self.machine, frame)
    }

    fn kind(&self, frame: u64, sharers: Option<u16>, tables: &[u64]) -> FrameKind {
        if self.machine.read_u64(frame).is_none() {
            FrameKind::OutsideMemory
        } else if self.guest.kernel_image.contains(&frame) {
            FrameKind::Kernel
        } else if tables.binary_search(&frame).is_ok() {
            FrameKind::PageTable
        } else if sharers == Some(0) {
            FrameKind::Free
        } else {
            FrameKind::Ordinary
        }
    }

    /// Copies the page of `process` at virtual address `page`; false if it is not mapped there.
    pub fn read_page(
        &self,
        process: Process,
        page: u64,
        bytes: &mut [u8; FRAME_BYTES as usize],
    ) -> bool {
        let Some(slot) = Slot::of(process) else {
            return false;
        };
        let satp = self.processes.get(slot).satp;
        let mapping = self.machine.translate(satp, page);
        mapping.is_some_and(|found| self.machine.read_physical(found.physical, bytes).is_ok())
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
