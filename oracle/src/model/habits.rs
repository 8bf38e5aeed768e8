//! Habits of a process that say nothing: a kernel must not depend on them.

use super::Model;
use crate::case::{Amount, Process};
use crate::dialect::Bits;

/// No kernel has a system call of this number or a larger one. (Labs add calls from 22 on.)
pub(crate) const NO_CALL: i16 = 64;

/// What an `int` says that a system call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Int {
    /// A file descriptor.
    Descriptor,
    /// How many bytes are moved.
    Length,
    /// Which process.
    Pid,
    /// How long.
    Ticks,
    /// How a file is opened, which device it is, or which flavour memory has.
    Mode,
    /// How a process ends. Everywhere 32 bits are left of it: `wait` stores as many.
    Status,
}

impl Model {
    /// What the register of an `int` holds that `process` passes to a system call: sign extended, as C has
    /// it, or with another high half, if the process has that habit and the kernel takes the low half.
    pub(crate) fn register_of(&self, process: Process, what: Int, value: i32) -> u64 {
        let arguments = &self.world.dialect.arguments;
        let bits = match what {
            Int::Descriptor => arguments.descriptor_bits,
            Int::Length => arguments.length_bits,
            Int::Pid => arguments.pid_bits,
            Int::Ticks => arguments.ticks_bits,
            Int::Mode => arguments.mode_bits,
            Int::Status => Bits::ThirtyTwo,
        };
        match (self.of(process).high_half, bits) {
            (Some(word), Bits::ThirtyTwo) => u64::from(word) << 32 | u64::from(value as u32),
            (None, _) | (_, Bits::SixtyFour) => i64::from(value) as u64,
        }
    }

    /// What the register of the amount of an `sbrk` holds.
    pub(crate) fn register_of_amount(&self, process: Process, amount: Amount) -> u64 {
        let amount = amount.resolve(self.layout(process), self.counted_from(process));
        match self.world.dialect.sbrk.amount_bits {
            Bits::ThirtyTwo if self.of(process).high_half.is_some() => {
                self.register_of(process, Int::Status, amount as i32)
            }
            Bits::ThirtyTwo | Bits::SixtyFour => amount as u64,
        }
    }

    /// From now on `process` has this in the high half of each register that it passes an `int` in.
    pub(super) fn set_high_half(&mut self, process: Process, word: u32) {
        self.of_mut(process).high_half = Some(word);
    }
}

/// Whether every kernel takes `number` for that of no system call, whether it looks at the low half of the
/// register or at all of it.
pub(crate) fn is_no_call(number: u64) -> bool {
    !(1..NO_CALL.into()).contains(&(number as i32))
}
