//! Habits of a process. A kernel must not depend on them.

use super::Model;
use crate::case::{Amount, Process};
use crate::dialect::Bits;

/// No kernel has a system call of this number or a larger one. (Labs add calls from 22 on.)
pub(crate) const NO_CALL: i16 = 64;

/// What an `int` argument of a system call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Int {
    /// A file descriptor.
    Descriptor,
    /// A number of bytes.
    Length,
    /// A process identifier.
    Pid,
    /// A number of ticks.
    Ticks,
    /// A mode of `open`, a device number, or a flavour of `sbrk`.
    Mode,
    /// An exit status. Every kernel uses 32 bits of it, because `wait` stores 32 bits.
    Status,
}

impl Model {
    /// What `process` puts into the register of an `int` argument. It sign-extends the `int`, as C does. If it has the
    /// habit of passing another high half, it does that where the kernel uses only the low half.
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

    /// What `process` puts into the register of the amount of an `sbrk`.
    pub(crate) fn register_of_amount(&self, process: Process, amount: Amount) -> u64 {
        let amount = amount.resolve(self.layout(process), self.counted_from(process));
        match self.world.dialect.sbrk.amount_bits {
            Bits::ThirtyTwo if self.of(process).high_half.is_some() => {
                self.register_of(process, Int::Status, amount as i32)
            }
            Bits::ThirtyTwo | Bits::SixtyFour => amount as u64,
        }
    }

    /// From now on `process` puts `word` into the high half of each register with an `int` argument.
    pub(super) fn set_high_half(&mut self, process: Process, word: u32) {
        self.of_mut(process).high_half = Some(word);
    }
}

/// Whether no kernel has a system call with this number, no matter whether it uses the low half of the register or
/// all of it.
pub(crate) fn is_no_call(number: u64) -> bool {
    !(1..NO_CALL.into()).contains(&(number as i32))
}
