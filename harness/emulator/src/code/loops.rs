//! Loops that fill or copy memory element by element, as `memset` and `memcpy` are compiled.
//!
//! Kernels spend much of their time in them, so their iterations are executed in bulk. A loop is
//! recognised by what it does, not by its exact instructions: one block that jumps back to its own
//! start, stores one value an iteration, perhaps one that it has just loaded, and otherwise only
//! adds constants to registers.

use super::codes::Code;
use super::operation::{Exit, Operation};

/// Most registers that a loop adds constants to.
const MOST_STEPS: usize = 4;

/// A place in memory that moves on by one element in each iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The register that holds the address.
    pub(crate) base: u8,
    /// What to add to it, at the start of an iteration, to have the address of its element.
    pub(crate) displacement: i32,
}

/// The value that a loop stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// That of a register, the same in each iteration.
    Register(u8),
    /// What this operation has loaded, from this place.
    Loaded(Operation, Cursor),
}

/// When a loop goes round again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum While {
    /// The first register, which the loop steps, is not equal to the second.
    NotEqual(u8, u8),
    /// The first register, which the loop steps, is below the second.
    Below(u8, u8),
}

/// A loop that fills or copies memory upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loop {
    /// Bytes of an element: 1, 2, 4 or 8.
    pub(crate) width: u8,
    pub(crate) to: Cursor,
    pub(crate) stored: Stored,
    pub(crate) goes_on: While,
    /// The registers that change by a constant in each iteration; unused ones by 0.
    pub(crate) steps: [(u8, i32); MOST_STEPS],
    /// The number of the exit by which the loop goes round.
    pub(crate) exit: u8,
}

impl Loop {
    /// The loop that a block is, if it is one. The operations are not paired yet.
    pub(super) fn recognise(operations: &[Operation], exits: &[Exit]) -> Option<Loop> {
        let [body @ .., branch, last] = operations else {
            return None;
        };
        let exit = exits.get(usize::from(branch.rd))?;
        if last.code != Code::Next || exit.target != 0 {
            return None;
        }
        let mut found = Parts::default();
        for operation in body {
            found.add(*operation)?;
        }
        found.finish(*branch)
    }

    /// What the loop adds to a register in each iteration.
    pub(crate) fn step_of(&self, register: u8) -> i32 {
        step_of(&self.steps, register)
    }
}

fn step_of(steps: &[(u8, i32)], register: u8) -> i32 {
    let of_register = steps.iter().find(|(at, _)| *at == register);
    of_register.map_or(0, |(_, step)| *step)
}

/// What has been found in a loop's body so far.
#[derive(Default)]
struct Parts {
    steps: [(u8, i32); MOST_STEPS],
    step_count: usize,
    load: Option<(Operation, Cursor)>,
    store: Option<(Operation, Cursor)>,
}

impl Parts {
    fn add(&mut self, operation: Operation) -> Option<()> {
        // Steps that were taken before the access count for its displacement.
        let done = step_of(&self.steps, operation.rs1);
        let cursor = Cursor {
            base: operation.rs1,
            displacement: operation.immediate.checked_add(done)?,
        };
        match operation.code {
            Code::Addi => {
                let is_new = step_of(&self.steps, operation.rd) == 0;
                let is_step = operation.rd == operation.rs1 && operation.immediate != 0;
                if !is_new || !is_step {
                    return None;
                }
                *self.steps.get_mut(self.step_count)? = (operation.rd, operation.immediate);
                self.step_count += 1;
            }
            _ if load_width(operation.code).is_some() => {
                if self.load.is_some() || self.store.is_some() {
                    return None;
                }
                self.load = Some((operation, cursor));
            }
            _ if store_width(operation.code).is_some() => {
                if self.store.is_some() {
                    return None;
                }
                self.store = Some((operation, cursor));
            }
            _ => return None,
        }
        Some(())
    }

    fn finish(self, branch: Operation) -> Option<Loop> {
        let (store, to) = self.store?;
        let width = store_width(store.code)?;
        let step = |register| step_of(&self.steps, register);
        let moves_on = |cursor: Cursor| step(cursor.base) == i32::from(width);
        let loaded = self.load.map(|(load, _)| load.rd);
        let is_steady = |register: u8| step(register) == 0 && loaded != Some(register);
        let stored = match self.load {
            Some((load, from)) => {
                let fits = load_width(load.code) == Some(width) && moves_on(from);
                // Only the store may use the loaded value, and the loop must not step it.
                let is_apart = step(load.rd) == 0 && load.rd != to.base && load.rd != from.base;
                if !fits || !is_apart || store.rs2 != load.rd {
                    return None;
                }
                Stored::Loaded(load, from)
            }
            None if step(store.rs2) == 0 => Stored::Register(store.rs2),
            None => return None,
        };
        let stepped = step(branch.rs1) != 0 && is_steady(branch.rs2);
        let goes_on = match branch.code {
            Code::Bne if stepped => While::NotEqual(branch.rs1, branch.rs2),
            Code::Bltu if stepped && step(branch.rs1) > 0 => While::Below(branch.rs1, branch.rs2),
            _ => return None,
        };
        moves_on(to).then_some(Loop {
            width,
            to,
            stored,
            goes_on,
            steps: self.steps,
            exit: branch.rd,
        })
    }
}

fn load_width(code: Code) -> Option<u8> {
    match code {
        Code::Lb | Code::Lbu => Some(1),
        Code::Lh | Code::Lhu => Some(2),
        Code::Lw | Code::Lwu => Some(4),
        Code::Ld => Some(8),
        _ => None,
    }
}

fn store_width(code: Code) -> Option<u8> {
    match code {
        Code::Sb => Some(1),
        Code::Sh => Some(2),
        Code::Sw => Some(4),
        Code::Sd => Some(8),
        _ => None,
    }
}
