//! Loads and stores: directly if the TLB knows the page, else with all checks and their effects.

use super::atomic;
use super::body::{Body, Early, Flow, Way};
use crate::code::Operation;
use crate::defect::Defect;
use std::ops::ControlFlow::{Break, Continue};

impl<const COVERAGE: bool> Body<'_, '_, COVERAGE> {
    /// `rd` becomes the value at `rs1` plus the immediate. `extend` gets the value zero-extended.
    #[inline(always)]
    pub(super) fn load<const BYTES: usize>(
        &mut self,
        op: &Operation,
        extend: impl Fn(u64) -> u64,
    ) -> Flow {
        let address = self.x(op.rs1).wrapping_add(op.value());
        let width = BYTES as u64;
        let entry = self.data.read.probe(address);
        if entry.covers(address, width) {
            let offset = entry.offset(address);
            return match self.bus.ram.load::<BYTES>(offset) {
                Some(value) => self.set(op, extend(value)),
                None => self.stop_for(Defect::new("a load outside RAM", offset)),
            };
        }
        self.note_time();
        match self
            .bus
            .load_slow(self.data, &self.hart.pmp, address, width)
        {
            Ok(value) => self.set(op, extend(value))?,
            Err(stop) => return self.stop_for(stop),
        }
        self.go_on_if_settled()
    }

    /// Stores `narrow` of `rs2` at `rs1` plus the immediate.
    #[inline(always)]
    pub(super) fn store<const BYTES: usize>(
        &mut self,
        op: &Operation,
        narrow: impl Fn(u64) -> [u8; BYTES],
    ) -> Flow {
        let address = self.x(op.rs1).wrapping_add(op.value());
        let value = self.x(op.rs2);
        let width = BYTES as u64;
        let entry = self.data.write.probe(address);
        if entry.covers(address, width) {
            let offset = entry.offset(address);
            return match self.bus.ram.store(offset, narrow(value)) {
                Some(()) => Continue(()),
                None => self.stop_for(Defect::new("a store outside RAM", offset)),
            };
        }
        self.note_time();
        let pmp = &self.hart.pmp;
        if let Err(stop) = self.bus.store_slow(self.data, pmp, address, width, value) {
            return self.stop_for(stop);
        }
        self.go_on_if_settled()
    }

    /// An instruction of the A extension.
    #[inline(always)]
    pub(super) fn atomic(&mut self, op: &Operation) -> Flow {
        let instruction = op.immediate as u32;
        if let Err(stop) = atomic::execute(self.hart, self.data, self.bus, instruction) {
            return self.stop_for(stop);
        }
        self.go_on_if_settled()
    }

    /// After an access that may have had other effects: may the block go on?
    #[inline(always)]
    fn go_on_if_settled(&self) -> Flow {
        if self.bus.device_accessed || self.bus.ram.is_unsettled() {
            Break(Way::Early(Early::Unsettled))
        } else {
            Continue(())
        }
    }

    /// Before an access that may see the time: says how many steps are not counted yet.
    #[inline(always)]
    fn note_time(&mut self) {
        let ahead = self.block.count - self.marks[self.place()].before;
        self.bus.uncounted = self.counted - self.left - u64::from(ahead);
    }
}
