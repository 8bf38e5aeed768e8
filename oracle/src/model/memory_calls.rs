//! Operations on memory: `sbrk`, loads, stores, fetches, touches.

use super::{Access, Death, FAILED, KILLED_STATUS, Leave, Model, Outcome, Witness};
use crate::case::{Amount, Flavour, Process, StoredValue, Stride, Text, Width};
use crate::dialect::{BelowZero, Bits, Bound, Growth};
use crate::layout::{PAGE_SIZE, RETURN};
use crate::model::Answer;

/// Pages that an eager growth may have while frames are plenty: allocating them takes a kernel time.
pub(crate) const EAGER_PAGES: u64 = 64;
/// The same where growth is lazy unless said otherwise.
const ASKED_EAGER_PAGES: u64 = 2048;

/// What an `sbrk` must do to the break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BreakMove {
    /// It moves there.
    To(u64),
    /// Nothing happens, and the old break is returned.
    Ignored,
    /// -1.
    Refused,
}

impl Model {
    /// What asking for `amount` must do.
    pub(crate) fn break_move(&self, process: Process, amount: Amount) -> BreakMove {
        let world = &self.world;
        let layout = self.layout(process);
        let before = self.program_break(process);
        let amount = amount.resolve(layout, self.counted_from(process));
        let amount = match world.dialect.sbrk.amount_bits {
            Bits::ThirtyTwo => i64::from(amount as i32),
            Bits::SixtyFour => amount,
        };
        match before.checked_add_signed(amount) {
            None if amount < 0 => match world.dialect.sbrk.below_zero {
                BelowZero::Refused => BreakMove::Refused,
                BelowZero::Ignored => BreakMove::Ignored,
            },
            Some(after) if after < layout.heap => match world.dialect.sbrk.below_heap {
                Bound::Refused => BreakMove::Refused,
                Bound::Granted => BreakMove::To(after),
            },
            Some(after) if after <= layout.trapframe => BreakMove::To(after),
            _ => BreakMove::Refused,
        }
    }

    /// A break below the heap would take the agent's own code away; a kernel that allocates all
    /// growth at once may take its time for a large one, and refuse it before or after.
    pub(super) fn sbrk_can_be_driven(
        &self,
        process: Process,
        amount: Amount,
        flavour: Flavour,
    ) -> bool {
        let at_once = self.world.dialect.sbrk.growth == Growth::AtOnce;
        let most = if at_once {
            EAGER_PAGES
        } else {
            ASKED_EAGER_PAGES
        };
        match self.break_move(process, amount) {
            BreakMove::To(after) if after < self.layout(process).heap => false,
            // Cases do not ask whether a heap may grow over a page of the kernel's own.
            BreakMove::To(after) if self.is_shared_page(process, after.saturating_sub(1)) => false,
            BreakMove::To(_) => self.eager_pages(process, amount, flavour) <= most,
            BreakMove::Refused => {
                let counted_from = self.counted_from(process);
                !at_once || amount.resolve(self.layout(process), counted_from) < 0
            }
            BreakMove::Ignored => true,
        }
    }

    /// Whether asking for `amount` raises the break by more than so many pages.
    pub(crate) fn grows_beyond(&self, process: Process, amount: Amount, pages: u64) -> bool {
        let before = self.program_break(process);
        self.break_after(process, amount).saturating_sub(before) > pages * PAGE_SIZE
    }

    /// The program break after a move that succeeds or does nothing.
    pub(crate) fn break_after(&self, process: Process, amount: Amount) -> u64 {
        match self.break_move(process, amount) {
            BreakMove::To(after) => after,
            BreakMove::Ignored | BreakMove::Refused => self.program_break(process),
        }
    }

    /// Pages that a growth gets at once.
    pub(super) fn eager_pages(&self, process: Process, amount: Amount, flavour: Flavour) -> u64 {
        match self.break_move(process, amount) {
            BreakMove::To(after) if self.world.dialect.sbrk.is_eager(flavour) => {
                let grown = after.saturating_sub(self.program_break(process));
                grown.div_ceil(PAGE_SIZE)
            }
            _ => 0,
        }
    }

    pub(super) fn sbrk(
        &mut self,
        process: Process,
        amount: Amount,
        flavour: Flavour,
        witness: &Witness,
    ) {
        let before = self.program_break(process);
        let eager = self.world.dialect.sbrk.is_eager(flavour);
        match self.break_move(process, amount) {
            BreakMove::Refused => self.returns(process, FAILED),
            BreakMove::Ignored => self.returns(process, before),
            BreakMove::To(after)
                if eager && after > before && witness.excused_return(process, FAILED) =>
            {
                self.excused(process, Outcome::Returns(Answer::Exactly(FAILED)));
            }
            BreakMove::To(after) => {
                let space = &mut self.of_mut(process).space;
                space.set_break(after);
                if eager && after > before {
                    space.populate(before);
                }
                self.returns(process, before);
            }
        }
    }

    /// Whether the process may touch `length` bytes. If not, or if the kernel legally refused, it dies.
    pub(super) fn may_access(
        &mut self,
        process: Process,
        address: u64,
        length: u64,
        access: Access,
        witness: &Witness,
    ) -> bool {
        let space = &self.of(process).space;
        let leave = space.leave_to_program(address, length, access, &self.world);
        let died = witness.silent(process);
        if leave == Leave::Refused || (leave == Leave::Either && died && !witness.out_of_frames) {
            self.end(process, KILLED_STATUS, Death::ForbiddenAccess);
            self.reply(process, Outcome::Dies(Death::ForbiddenAccess));
            return false;
        }
        let needless = witness.refused_needlessly == Some(process);
        let excused = witness.excused_silence(process) && !needless;
        if excused && space.may_need_frame(address, length, access) {
            self.dies_out_of_frames(process);
            return false;
        }
        true
    }

    pub(super) fn load(&mut self, process: Process, address: u64, width: Width, witness: &Witness) {
        if self.may_access(process, address, width.bytes(), Access::Load, witness) {
            let model = &mut self.processes[process.index()];
            let value = model.space.load(address, width);
            self.returns(process, value);
        }
    }

    pub(super) fn store(
        &mut self,
        process: Process,
        address: u64,
        width: Width,
        value: StoredValue,
        witness: &Witness,
    ) {
        let bytes = value.bits().to_le_bytes();
        self.store_bytes(process, address, &bytes[..width.bytes() as usize], witness);
    }

    /// Stores a string, and the zero that ends it if it is `terminated`.
    pub(super) fn store_string(
        &mut self,
        process: Process,
        address: u64,
        text: Text,
        terminated: bool,
        witness: &Witness,
    ) {
        let bytes = text.bytes();
        let length = bytes.len() as u64 + u64::from(terminated);
        if self.may_access(process, address, length, Access::Store, witness) {
            let space = &mut self.of_mut(process).space;
            space.write(address, bytes);
            if terminated {
                space.write(address.wrapping_add(bytes.len() as u64), &[0]);
            }
            self.reply(process, Outcome::Returns(Answer::Anything));
        }
    }

    pub(super) fn store_bytes(
        &mut self,
        process: Process,
        address: u64,
        bytes: &[u8],
        witness: &Witness,
    ) {
        if self.may_access(process, address, bytes.len() as u64, Access::Store, witness) {
            self.of_mut(process).space.write(address, bytes);
            self.reply(process, Outcome::Returns(Answer::Anything));
        }
    }

    /// Jumps can be judged where nothing may be executed, where a `ret` lies, and where zeros lie,
    /// which are an illegal instruction (unprivileged specification, "C" extension). Where a program
    /// has stored, a hart may fetch the new or the old bytes: the agent has no `fence.i`.
    pub(super) fn fetch_is_known(&self, process: Process, address: u64) -> bool {
        let space = &self.of(process).space;
        let target = address & !1;
        space.leave(target, 2, Access::Fetch, &self.world) == Leave::Refused
            || matches!(self.instruction(process, target), RETURN | 0)
                && !space.was_changed(target, 2)
    }

    fn instruction(&self, process: Process, address: u64) -> u16 {
        let space = &self.of(process).space;
        let byte = |address| space.byte(address);
        u16::from_le_bytes([byte(address), byte(address.wrapping_add(1))])
    }

    pub(super) fn fetch(&mut self, process: Process, address: u64, witness: &Witness) {
        let target = address & !1;
        if !self.may_access(process, target, 2, Access::Fetch, witness) {
            return;
        }
        self.of_mut(process).space.note_load(target, 2);
        if self.instruction(process, target) == RETURN {
            self.reply(process, Outcome::Returns(Answer::Anything));
        } else {
            self.end(process, KILLED_STATUS, Death::ForbiddenAccess);
            self.reply(process, Outcome::Dies(Death::ForbiddenAccess));
        }
    }

    pub(super) fn touch(
        &mut self,
        process: Process,
        address: u64,
        count: u8,
        stride: Stride,
        write: bool,
        witness: &Witness,
    ) {
        let access = if write { Access::Store } else { Access::Load };
        let addresses =
            (0..u64::from(count)).map(|step| address.wrapping_add(step * stride.bytes()));
        let mut sum = 0u64;
        for address in addresses {
            if !self.may_access(process, address, 1, access, witness) {
                return;
            }
            if !write {
                let space = &self.of(process).space;
                sum = sum.wrapping_add(u64::from(space.byte(address)));
                self.of_mut(process).space.note_load(address, 1);
            }
        }
        if write {
            self.of_mut(process)
                .space
                .store_touches(address, stride, count);
            self.reply(process, Outcome::Returns(Answer::Anything));
        } else {
            self.returns(process, sum);
        }
    }
}
