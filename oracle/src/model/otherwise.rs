//! What a kernel may have done instead of what it had to do: the judge follows it there.

use super::{Answer, Death, KILLED_STATUS, Model, Outcome, Reply, Witness, pages_of};
use crate::case::{Call, Operation, Process};
use crate::layout::PAGE_SIZE;

impl Model {
    /// Performs an operation of a kernel that does nothing and answers `value`.
    pub(crate) fn leave_undone(&mut self, index: usize, operation: &Operation, value: u64) {
        self.begin(index, operation);
        self.returns(operation.process, value);
    }

    /// Performs an operation in which the kernel kills its process before it has done anything else.
    pub(crate) fn kill_instead(&mut self, index: usize, operation: &Operation, witness: &Witness) {
        self.begin(index, operation);
        self.end(operation.process, KILLED_STATUS, Death::Killed);
        self.reply(operation.process, Outcome::Dies(Death::Killed));
        self.wake_up(witness);
        self.free_nameless_files();
    }

    fn begin(&mut self, index: usize, operation: &Operation) {
        self.step = index;
        self.actor = operation.process;
        self.replies.clear();
    }

    /// Replaces the answer to `process` in the operation just performed, and nothing else.
    pub(crate) fn answer_otherwise(&mut self, process: Process, value: u64) {
        let outcome = Outcome::Returns(Answer::Exactly(value));
        let mut replies = self.replies.iter_mut();
        match replies.find(|reply| reply.process == process) {
            Some(reply) => reply.outcome = outcome,
            None => self.replies.push(Reply {
                process,
                outcome,
                excused: false,
            }),
        }
    }

    /// What a load, or a row of loads, loads now from memory; `None` for other operations.
    pub(crate) fn loads(&self, operation: &Operation) -> Option<u64> {
        let process = operation.process;
        let space = self.space(process);
        match operation.call {
            Call::Load { width, address } => {
                let mut bytes = [0; 8];
                let loaded = &mut bytes[..width.bytes() as usize];
                space.peek(self.resolve(process, address), loaded);
                Some(u64::from_le_bytes(bytes))
            }
            Call::TouchRead {
                address,
                count,
                stride,
            } => {
                let address = self.resolve(process, address);
                let places = (0..u64::from(count.get()))
                    .map(|step| address.wrapping_add(step * stride.bytes()));
                Some(places.map(|place| u64::from(space.byte(place))).sum())
            }
            _ => None,
        }
    }

    /// The pages, by virtual address, that an access of a program touches.
    pub(crate) fn pages_of_access(&self, operation: &Operation) -> Vec<u64> {
        let process = operation.process;
        let mut pages = Vec::new();
        for reach in operation.call.reaches() {
            let length = self.bytes_of(process, reach.bytes);
            for place in self.places_of(process, &reach) {
                pages.extend(pages_of(place, length).map(|page| page * PAGE_SIZE));
            }
        }
        pages.dedup();
        pages
    }

    /// The newborn child has that identifier.
    pub(crate) fn identify(&mut self, child: Process, pid: u64) {
        self.of_mut(child).pid = pid;
    }

    /// The break of `process` moves although it had to stay. False: no address can be there.
    pub(crate) fn move_break_otherwise(&mut self, process: Process, call: &Call) -> bool {
        let Call::Sbrk { amount, .. } = *call else {
            return false;
        };
        let layout = self.layout(process);
        let before = self.program_break(process);
        let by = amount.resolve(layout, self.counted_from(process));
        let (least, most) = (layout.heap, layout.trapframe);
        let after = before.checked_add_signed(by);
        let Some(after) = after.filter(|after| (least..=most).contains(after)) else {
            return false;
        };
        self.of_mut(process).space.set_break(after);
        true
    }

    /// In the next operation, addresses and amounts that are relative to the program break count from
    /// `program_break`, the one of the world that leads; `None`: from the process's own.
    pub fn count_from(&mut self, program_break: Option<u64>) {
        self.counted_from = program_break;
    }

    /// The break from which the addresses of a case count.
    pub(crate) fn counted_from(&self, process: Process) -> u64 {
        self.counted_from
            .unwrap_or_else(|| self.program_break(process))
    }
}
