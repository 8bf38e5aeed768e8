//! The registers of a process in user mode: what the harness plants in them, and which of them a trap changed.
//!
//! A trap changes no register of the program but a0, and a0 only in a system call. So each process holds values of
//! its own in all registers. They are new for each operation, so that a value of an earlier trap shows as well.

use super::processes::Slot;
use crate::agent::NAME_REGISTER;
use emulator::isa::register::{A0, A1, A2, A3, RA, SP, T0, ZERO};

/// Values of all registers, by number.
pub(crate) type Values = [u64; 32];

/// A set of registers: bit N for register N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RegisterSet(u32);

impl RegisterSet {
    /// Nothing.
    pub(crate) const NONE: Self = Self::of(&[]);
    /// What a system call changes: its result.
    pub(crate) const RESULT: Self = Self::of(&[A0]);
    /// What a loop over memory changes: its counters, the byte in hand, and the sum of what it read.
    pub(crate) const LOOP: Self = Self::of(&[A0, A1, A2, A3, T0]);
    /// What may change where a program jumps to code of its own.
    pub(crate) const JUMP: Self = Self::of(&[A0, A1, A2, A3, T0, RA]);

    const fn of(registers: &[usize]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < registers.len() {
            bits |= 1 << registers[at];
            at += 1;
        }
        Self(bits)
    }

    fn contains(self, register: usize) -> bool {
        self.0 >> register & 1 != 0
    }
}

/// What the registers of a process have to hold when it asks for its next operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    values: Values,
    /// Those that the program itself may have changed, and that may hold anything.
    free: RegisterSet,
}

/// A register that a trap changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Its number.
    pub(crate) register: usize,
    /// What it held.
    pub(crate) expected: u64,
    /// What it holds.
    pub(crate) seen: u64,
}

impl Registers {
    /// All of them have to hold these values, except those that are `free`.
    pub(crate) const fn new(values: Values, free: RegisterSet) -> Self {
        Self { values, free }
    }

    /// What they have to hold.
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    /// The first register that has changed, if one has: they hold `now`.
    pub(crate) fn changed(&self, now: &Values) -> Option<Changed> {
        let mut values = self.values.iter().zip(now).enumerate();
        values.find_map(|(register, (&expected, &seen))| {
            let is_wrong = seen != expected && !self.free.contains(register);
            is_wrong.then_some(Changed {
                register,
                expected,
                seen,
            })
        })
    }
}

/// Values of its own for the process in `slot` and its operation number `turn`, whose registers hold `before`. The stack
/// pointer stays, for a kernel may look at it.
pub(crate) fn planted(slot: Slot, turn: u32, before: &Values) -> Values {
    std::array::from_fn(|register| match register {
        ZERO | SP => before[register],
        NAME_REGISTER => slot.name(),
        _ => slot.witness(register, turn),
    })
}

#[cfg(test)]
mod tests {
    use super::{Changed, RegisterSet, Registers, Values, planted};
    use crate::agent::NAME_REGISTER;
    use crate::guest::processes::Slot;
    use emulator::isa::register::{A0, SP, T0};
    use oracle::Process;

    fn values(process: Process, turn: u32) -> Values {
        let mut before = [0; 32];
        before[SP] = 0x1234;
        planted(Slot::of(process).unwrap(), turn, &before)
    }

    #[test]
    fn each_process_and_each_turn_has_values_of_its_own() {
        let child = Process::from_letter('b').unwrap();
        let [first, later] = [7, 8].map(|turn| values(Process::FIRST, turn));
        let other = values(child, 7);
        assert_eq!((first[0], first[SP]), (0, 0x1234));
        assert_eq!(Slot::from_name(other[NAME_REGISTER]), Slot::of(child));
        for register in (1..32).filter(|register| *register != SP) {
            assert_ne!(first[register], other[register], "x{register}");
            let is_name = register == NAME_REGISTER;
            assert_eq!(first[register] == later[register], is_name, "x{register}");
        }
    }

    #[test]
    fn a_change_shows_unless_the_program_may_have_made_it() {
        let before = values(Process::FIRST, 1);
        let after = |free| Registers::new(before, free);
        assert_eq!(after(RegisterSet::NONE).changed(&before), None);
        for register in 0..32 {
            let mut now = before;
            now[register] ^= 1;
            let changed = Changed {
                register,
                expected: before[register],
                seen: now[register],
            };
            let of_call = after(RegisterSet::RESULT).changed(&now);
            assert_eq!(of_call, (register != A0).then_some(changed));
            let of_loop = after(RegisterSet::LOOP).changed(&now);
            let is_free = [A0, A0 + 1, A0 + 2, A0 + 3, T0].contains(&register);
            assert_eq!(of_loop, (!is_free).then_some(changed));
        }
    }
}
