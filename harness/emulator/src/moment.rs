//! Moments: whether a machine is again in a state that it was in before.
//!
//! What a machine does next depends on its registers, its memory and its devices, and on nothing else. A
//! machine that comes back to a state does for ever what it did since.

use crate::Machine;
use crate::devices::{Devices, MAX_HARTS};
use crate::hart::Hart;
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// All that the future of a machine depends on, as it was at one moment. Memory is a hash: of the pages
/// written since the snapshot, the only ones that can differ.
///
/// Counters of instructions are left out, and so are translations that a hart keeps in use: a program can
/// observe either, but hardly by accident. A caller that needs to be sure compares several times.
pub struct Moment {
    harts: Vec<Hart>,
    reservations: [Option<u64>; MAX_HARTS],
    devices: Devices,
    time: u64,
    memory: u64,
}

impl Machine {
    /// The present state. The cost follows the pages written since the snapshot.
    pub fn moment(&self) -> Moment {
        Moment {
            harts: self.harts.clone(),
            reservations: self.bus.reservations,
            devices: self.bus.devices.clone(),
            time: self.bus.time.now(),
            memory: self.written_memory(),
        }
    }

    /// Whether the harts are in the same state now. This costs little.
    pub fn has_registers_of(&self, moment: &Moment) -> bool {
        let mut harts = self.harts.iter().zip(&moment.harts);
        harts.all(|(now, then)| now.is_as(then))
    }

    /// Whether the machine is in the same state now. The cost follows the pages written since the snapshot,
    /// unless a register differs.
    pub fn is_as_at(&self, moment: &Moment) -> bool {
        self.has_registers_of(moment)
            && self.bus.time.now() == moment.time
            && self.bus.reservations == moment.reservations
            && self.bus.devices == moment.devices
            && self.written_memory() == moment.memory
    }

    /// A hash of the pages written since the snapshot, and of their addresses.
    fn written_memory(&self) -> u64 {
        let mut hasher = FxHasher::default();
        for address in self.dirty_pages() {
            hasher.write_u64(address);
            let offset = self.bus.ram.offset(address, 1);
            hasher.write(
                offset
                    .and_then(|offset| self.bus.ram.page(offset))
                    .unwrap_or(&[]),
            );
        }
        hasher.finish()
    }
}
