//! How much memory an operation touches, and what it costs, in numbers.

use super::{AddressSpace, Leave, Model, ProcessModel, ProcessState};
use crate::case::{Bytes, Call, Operation, Process, Reach};
use crate::layout::PAGE_SIZE;

impl Model {
    /// How many bytes `process` touches at each place of `reach`, if it may touch them.
    pub(crate) fn bytes_of(&self, process: Process, bytes: Bytes) -> u64 {
        match bytes {
            Bytes::Exactly(bytes) => bytes,
            Bytes::Buffer(length) => u64::try_from(length).unwrap_or(0),
            Bytes::ReadFrom { fd, length } => self.readable(process, fd, length),
            Bytes::Path | Bytes::NewPath => Reach::PATH_BYTES,
        }
    }

    /// The virtual addresses of the places of `reach`, in order.
    pub(crate) fn places_of(
        &self,
        process: Process,
        reach: &Reach,
    ) -> impl Iterator<Item = u64> + Clone + use<> {
        let first = self.resolve(process, reach.address);
        let stride = reach.stride.bytes();
        (0..u64::from(reach.count.get())).map(move |step| first.wrapping_add(step * stride))
    }

    /// Whether an operation has the right to touch all the memory that it touches.
    pub(super) fn may_touch_all(&self, operation: &Operation) -> bool {
        let process = operation.process;
        let space = self.space(process);
        operation.call.reaches().all(|reach| {
            let bytes = self.bytes_of(process, reach.bytes);
            self.places_of(process, &reach)
                .all(|place| space.leave(place, bytes, reach.access, &self.world) == Leave::Granted)
        })
    }

    /// The most pages that a kernel may have to fill, copy or give back for an operation: those that
    /// it asks for, and those that some process holds, because a process may end.
    pub(crate) fn pages_at_stake(&self, operation: &Operation) -> u64 {
        let spaces = self.spaces_in_use();
        let held: u64 = spaces.map(|space| space.touched().count()).sum();
        let counts = operation.call.reaches().map(|reach| reach.count.get());
        let touched: u64 = counts.filter(|count| *count > 1).map(u64::from).sum();
        let grown = if let Call::Sbrk { amount, flavour } = operation.call {
            self.eager_pages(operation.process, amount, flavour)
        } else {
            0
        };
        held + touched + grown
    }

    /// Pages below the program breaks of all processes that nobody has touched.
    pub(crate) fn untouched_pages(&self) -> u64 {
        let untouched = self.spaces_in_use().map(|space| {
            let below = space.program_break().div_ceil(PAGE_SIZE);
            below.saturating_sub(space.touched().count())
        });
        untouched.sum()
    }

    fn spaces_in_use(&self) -> impl Iterator<Item = &AddressSpace> {
        let there = |process: &&ProcessModel| process.state != ProcessState::Gone;
        let there = self.processes.iter().filter(there);
        there.map(|process| &process.space)
    }
}
