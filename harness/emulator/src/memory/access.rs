//! Loads, stores and fetches that the TLB does not answer: translation, protection, devices,
//! straddled pages, and the entries that make the next access cheap.

use super::kept::Kept;
use super::late::Late;
use super::ram::Ram;
use super::sv39::{self, Access, Leaf, Reach, WalkError};
use super::tlb::{Table, writer_with};
use super::view::View;
use super::{PAGE_BYTES, PAGE_MASK};
use crate::clock::Time;
use crate::defect::Defect;
use crate::devices::{CLINT_BASE, Devices, GuestMemory, MAX_HARTS};
use crate::hart::{Exception, Pmp};
use crate::isa::{Privilege, page_table};
use crate::variations::Variations;

/// The tables and rules by which one hart accesses data.
pub(crate) struct Data<'a> {
    pub(crate) view: View,
    pub(crate) read: &'a mut Table,
    pub(crate) write: &'a mut Table,
    pub(crate) guarded: &'a mut Table,
    /// The hart's number.
    pub(crate) hart: usize,
    /// The place of the context of these tables.
    pub(crate) context: usize,
}

/// Where an access leads.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// A physical address, or an offset in RAM.
    pub(crate) at: u64,
    /// What the translation is good for.
    pub(crate) reach: Reach,
}

/// Why an access failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// By the rules: the instruction traps.
    Exception(Exception),
    /// By a mistake of ours: the machine stops.
    Defect(Defect),
}

impl From<Exception> for Stop {
    fn from(exception: Exception) -> Stop {
        Stop::Exception(exception)
    }
}

impl From<Defect> for Stop {
    fn from(defect: Defect) -> Stop {
        Stop::Defect(defect)
    }
}

/// Everything that a physical address can reach.
pub(crate) struct Bus {
    pub(crate) ram: Ram,
    pub(crate) devices: Devices,
    pub(crate) time: Time,
    /// The aligned doubleword in RAM that each hart has reserved by `lr`.
    pub(crate) reservations: [Option<u64>; MAX_HARTS],
    /// Steps that the running hart has taken beyond those that `time` has counted: set before any
    /// access that may reach a device, for devices see and set the time.
    pub(crate) uncounted: u64,
    /// A device was accessed: the time and interrupt lines may have changed.
    pub(crate) device_accessed: bool,
    /// How often a bit A or D of a page-table entry was set.
    pub(crate) bits_set: u64,
    /// What the machine may do otherwise than usual.
    pub(crate) variations: Variations,
    /// What each hart's TLB keeps, if variations say that it keeps more than translations.
    pub(crate) kept: [Kept; MAX_HARTS],
    /// What other harts have not seen of each hart's stores, if variations say so.
    pub(crate) late: [Late; MAX_HARTS],
}

const CLINT_BYTES: u64 = 0x1_0000;

impl Bus {
    /// Translates and checks one access of a hart that lies inside a page; returns a physical address.
    pub(crate) fn translate(
        &mut self,
        hart: usize,
        view: View,
        pmp: &Pmp,
        address: u64,
        access: Access,
    ) -> Result<Place, Exception> {
        let physical = match view.satp() {
            Some(satp) => self.translate_sv39(hart, satp, view, pmp, address, access)?,
            None => Place {
                at: address,
                reach: Reach::default(),
            },
        };
        if pmp.permits(physical.at, access, view.privilege()) {
            Ok(physical)
        } else {
            Err(Exception::access_fault(access, address))
        }
    }

    fn translate_sv39(
        &mut self,
        hart: usize,
        satp: u64,
        view: View,
        pmp: &Pmp,
        address: u64,
        access: Access,
    ) -> Result<Place, Exception> {
        let refused = Exception::page_fault(access, address);
        let permits = |pte: u64| {
            let is_user = view.privilege() == Privilege::User;
            sv39::permits(pte, access, is_user, view.sum(), view.mxr())
        };
        let wanted = match access {
            Access::Store => page_table::ACCESSED | page_table::DIRTY,
            Access::Load | Access::Fetch => page_table::ACCESSED,
        };
        let (identifier, _) = view.space().unwrap_or_default();
        if self.variations.keep_entries()
            && let Some(kept) = self.kept[hart].find(identifier, address)
        {
            let kept = kept.filter(|kept| permits(kept.pte())).ok_or(refused)?;
            // Before a bit is set, the entry in memory is looked at again.
            if kept.pte() & wanted == wanted {
                return Ok(kept.place(address));
            }
        }
        let mut leaf = self.walk(hart, satp, identifier, pmp, address, access)?;
        let pte = leaf.mapping.pte;
        let is_permitted = permits(pte);
        if is_permitted && pte & wanted != wanted && !self.variations.leaves_bits {
            if !pmp.permits_offset(leaf.entry, Access::Store, Privilege::Supervisor) {
                return Err(Exception::access_fault(access, address));
            }
            leaf.mapping.pte |= wanted;
            self.ram.update_entry(leaf.entry, leaf.mapping.pte);
            self.bits_set = self.bits_set.saturating_add(1);
        }
        if self.variations.keeps_permissions {
            self.kept[hart].keep(identifier, &leaf);
        }
        if !is_permitted || leaf.mapping.pte & wanted != wanted {
            return Err(refused);
        }
        Ok(Place {
            at: leaf.mapping.physical,
            reach: leaf.reach,
        })
    }

    /// Finds the leaf for `address`.
    fn walk(
        &mut self,
        hart: usize,
        satp: u64,
        identifier: u16,
        pmp: &Pmp,
        address: u64,
        access: Access,
    ) -> Result<Leaf, Exception> {
        let mut visited = [(0, false); 3];
        let mut count = 0;
        let walked = sv39::walk(&self.ram, satp, address, |entry, is_upper| {
            visited[count] = (entry, is_upper);
            count += 1;
        });
        for (entry, is_upper) in &visited[..count] {
            self.ram.note_table(*entry, *is_upper);
            if !pmp.permits_offset(*entry, Access::Load, Privilege::Supervisor) {
                return Err(Exception::access_fault(access, address));
            }
        }
        walked.map_err(|error| match error {
            WalkError::NotMapped => {
                if self.variations.keeps_absences {
                    self.kept[hart].keep_absence(identifier, address);
                }
                Exception::page_fault(access, address)
            }
            WalkError::NotInRam => Exception::access_fault(access, address),
        })
    }

    /// As [`Bus::translate`], for `width` bytes in RAM; returns their offset.
    pub(crate) fn translate_to_ram(
        &mut self,
        hart: usize,
        view: View,
        pmp: &Pmp,
        address: u64,
        width: u64,
        access: Access,
    ) -> Result<Place, Exception> {
        let Place { at, reach } = self.translate(hart, view, pmp, address, access)?;
        match self.ram.offset(at, width) {
            Some(at) => Ok(Place { at, reach }),
            None => Err(Exception::access_fault(access, address)),
        }
    }

    /// The offset of an instruction at `address`, in RAM or in a copy of what was there, entered into `table`.
    pub(crate) fn fetch(
        &mut self,
        hart: usize,
        view: View,
        pmp: &Pmp,
        table: &mut Table,
        address: u64,
    ) -> Result<u64, Stop> {
        let entry = table.probe(address);
        if entry.covers(address, 2) {
            return Ok(entry.offset(address));
        }
        let found = self.translate_to_ram(hart, view, pmp, address, 2, Access::Fetch)?;
        let at = self.ram.seen_code(hart, found.at);
        self.ram.present(at, 2)?;
        table.insert(address, at, found.reach);
        Ok(at)
    }

    /// A load that the TLB did not answer; the value is zero-extended.
    #[cold]
    #[inline(never)]
    pub(crate) fn load_slow(
        &mut self,
        data: &mut Data<'_>,
        pmp: &Pmp,
        address: u64,
        width: u64,
    ) -> Result<u64, Stop> {
        let room = PAGE_BYTES - (address & PAGE_MASK);
        if width <= room {
            let Place { at, reach } =
                self.translate(data.hart, data.view, pmp, address, Access::Load)?;
            let Some(offset) = self.ram.offset(at, width) else {
                return Ok(self.load_device(at, address, width)?);
            };
            data.read.insert(address, offset, reach);
            Ok(self.ram.value(offset, width)?)
        } else {
            let mut bytes = [0; 8];
            let second = address.wrapping_add(room);
            let parts = [
                self.translate_to_ram(data.hart, data.view, pmp, address, room, Access::Load)?,
                self.translate_to_ram(
                    data.hart,
                    data.view,
                    pmp,
                    second,
                    width - room,
                    Access::Load,
                )?,
            ];
            let (low, high) = bytes[..width as usize].split_at_mut(room as usize);
            low.copy_from_slice(self.ram.present(parts[0].at, room)?);
            high.copy_from_slice(self.ram.present(parts[1].at, width - room)?);
            Ok(u64::from_le_bytes(bytes))
        }
    }

    fn load_device(&mut self, physical: u64, address: u64, width: u64) -> Result<u64, Exception> {
        let now = self.time.now_after(self.uncounted);
        self.devices.clint.set_time(now);
        let value = self.devices.read(physical, width as u8);
        self.device_accessed = value.is_some();
        value.ok_or(Exception::access_fault(Access::Load, address))
    }

    /// A store that the TLB did not allow at once.
    #[cold]
    #[inline(never)]
    pub(crate) fn store_slow(
        &mut self,
        data: &mut Data<'_>,
        pmp: &Pmp,
        address: u64,
        width: u64,
        value: u64,
    ) -> Result<(), Stop> {
        let bytes = value.to_le_bytes();
        let known = data.guarded.probe(address);
        if known.covers(address, width) {
            let place = Place {
                at: known.offset(address),
                reach: data.guarded.reach(address),
            };
            self.store_ram(data, address, place, &bytes[..width as usize])?;
            return Ok(());
        }
        let room = PAGE_BYTES - (address & PAGE_MASK);
        if width <= room {
            let Place { at, reach } =
                self.translate(data.hart, data.view, pmp, address, Access::Store)?;
            let Some(at) = self.ram.offset(at, width) else {
                return Ok(self.store_device(at, address, width, value)?);
            };
            let place = Place { at, reach };
            self.store_ram(data, address, place, &bytes[..width as usize])?;
        } else {
            let second = address.wrapping_add(room);
            let low =
                self.translate_to_ram(data.hart, data.view, pmp, address, room, Access::Store)?;
            let high = self.translate_to_ram(
                data.hart,
                data.view,
                pmp,
                second,
                width - room,
                Access::Store,
            )?;
            let (now, later) = bytes[..width as usize].split_at(room as usize);
            self.store_ram(data, address, low, now)?;
            self.store_ram(data, second, high, later)?;
        }
        Ok(())
    }

    /// Stores to one page of RAM, and lets later stores to it be direct if they may.
    pub(crate) fn store_ram(
        &mut self,
        data: &mut Data<'_>,
        address: u64,
        Place { at, reach }: Place,
        bytes: &[u8],
    ) -> Result<(), Defect> {
        self.ram.check(at, bytes.len() as u64)?;
        let delays = self.variations.delays_stores;
        if delays {
            self.late[data.hart].note(&self.ram, at, bytes);
        }
        if self.ram.prepare_direct_write(at) && !delays {
            let place = data.write.insert(address, at, reach);
            let writer = writer_with(self.ram.writer(at), data.hart, data.context, place);
            self.ram.note_writer(at, writer);
        } else {
            data.guarded.insert(address, at, reach);
            self.break_reservations(Some(data.hart), at, bytes.len() as u64);
        }
        self.ram.write_guarded(at, bytes);
        Ok(())
    }

    fn store_device(
        &mut self,
        physical: u64,
        address: u64,
        width: u64,
        value: u64,
    ) -> Result<(), Exception> {
        let now = self.time.now_after(self.uncounted);
        self.devices.clint.set_time(now);
        // What a device writes to memory breaks any reservation on it.
        self.reservations = [None; MAX_HARTS];
        let done = self
            .devices
            .write(physical, width as u8, value, &mut self.ram);
        if physical.wrapping_sub(CLINT_BASE) < CLINT_BYTES && self.devices.clint.time() != now {
            let moved = self.devices.clint.time().wrapping_sub(now);
            self.time.move_by(moved);
        }
        self.device_accessed = done.is_some();
        done.ok_or(Exception::access_fault(Access::Store, address))
    }

    /// The stores that this hart has made so far are seen by all harts before those that follow.
    pub(crate) fn order_stores(&mut self, hart: usize) {
        self.late[hart].order();
    }

    /// Another hart takes over.
    pub(crate) fn switch_stores(&mut self, from: usize, to: usize) {
        self.late[from].hide(&mut self.ram);
        self.late[to].show(&mut self.ram);
    }

    /// A store to `length` bytes at `offset` ends the reservations of the other harts there.
    pub(crate) fn break_reservations(&mut self, by: Option<usize>, offset: u64, length: u64) {
        for (hart, reservation) in self.reservations.iter_mut().enumerate() {
            if let Some(at) = *reservation
                && Some(hart) != by
                && at < offset + length
                && offset < at + 8
            {
                *reservation = None;
            }
        }
    }

    /// Writes RAM from outside the guest; false, with nothing written, outside RAM.
    pub(crate) fn write_from_outside(&mut self, address: u64, bytes: &[u8]) -> bool {
        if let Some(offset) = self.ram.offset(address, bytes.len() as u64) {
            self.break_reservations(None, offset, bytes.len() as u64);
        }
        self.ram.write(address, bytes)
    }
}
