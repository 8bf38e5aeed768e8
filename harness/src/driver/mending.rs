//! Mending memory from outside, to see what the kernel would show if this had not gone wrong.

use super::Driver;
use crate::guest::frames::FRAME_BYTES;
use crate::guest::processes::{SUPERVISOR, Slot};
use emulator::isa::page_table::{USER, WRITE};
use oracle::{Miscount, Process};

impl Driver {
    /// Takes a frame that these processes or the first one map out of the list of free frames. Returns false if it is
    /// not in the list.
    pub(crate) fn mend_freed(&mut self, frame: u64, living: &[Process]) -> bool {
        let holders = self.user_entries(frame, living).len();
        let holders = u16::try_from(holders).unwrap_or(u16::MAX);
        let accounts = self.guest.accounts;
        let taken = accounts.and_then(|of| of.take_back(&mut self.machine, frame, holders));
        taken.is_some()
    }

    /// Forbids all living processes to store to a frame, so that the kernel copies it before the next store. Returns
    /// false if that was forbidden before.
    pub(crate) fn mend_writable(&mut self, frame: u64, living: &[Process]) -> bool {
        let mut was_writable = false;
        for at in self.user_entries(frame, living) {
            let entry = self.machine.read_u64(at).unwrap_or(0);
            if entry & WRITE != 0 {
                was_writable |= self.machine.write_u64(at, entry & !WRITE).is_some();
            }
        }
        self.machine.forget_translations();
        was_writable
    }

    /// Makes every hart forget its translations, as `sfence.vma` does.
    pub(crate) fn forget_translations(&mut self) {
        self.machine.forget_translations();
    }

    /// Stores these bytes to the page that a process has at virtual address `address`. Returns false if it has none.
    pub(crate) fn mend_bytes(&mut self, process: Process, address: u64, bytes: &[u8]) -> bool {
        let mapped = self.mapped_at(process, address);
        mapped.is_some_and(|(frame, _)| self.machine.write_physical(frame, bytes).is_ok())
    }

    /// Corrects the number of holders that the kernel has recorded. Returns false if that is not possible.
    pub(crate) fn mend_count(&mut self, miscount: &Miscount) -> bool {
        let Ok(holders) = u16::try_from(miscount.mapped) else {
            return false;
        };
        let accounts = self.guest.accounts;
        let set =
            accounts.and_then(|of| of.set_sharers(&mut self.machine, miscount.frame, holders));
        set.is_some()
    }

    /// The frames that the first process maps as user pages.
    pub(crate) fn frames_of_supervisor(&self) -> Vec<u64> {
        let mut frames = Vec::new();
        let satp = self.processes.get(SUPERVISOR).satp;
        self.machine.mappings(satp, &mut |mapping| {
            if mapping.pte & USER != 0 {
                frames.push(mapping.physical & !(FRAME_BYTES - 1));
            }
        });
        frames
    }

    /// The physical addresses of the page-table entries with which these processes and the first one map a frame as a
    /// user page.
    fn user_entries(&self, frame: u64, living: &[Process]) -> Vec<u64> {
        let mut entries = Vec::new();
        let slots = living.iter().copied().filter_map(Slot::of);
        for slot in slots.chain([SUPERVISOR]) {
            let satp = self.processes.get(slot).satp;
            let mut addresses = Vec::new();
            self.machine.mappings(satp, &mut |mapping| {
                if mapping.pte & USER != 0 && mapping.physical & !(FRAME_BYTES - 1) == frame {
                    addresses.push(mapping.virtual_address);
                }
            });
            let at = |address: u64| self.entry_at(satp, address);
            entries.extend(addresses.into_iter().filter_map(at));
        }
        entries
    }
}
