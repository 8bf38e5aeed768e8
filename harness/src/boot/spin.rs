//! Whether a kernel that boots goes round in a loop: its registers come back to what they were.

use crate::guest::FIRST_HART;
use emulator::{Exit, Machine};

/// Instructions of the longest loop that is noticed: a look at a whole table of processes.
const LONGEST: usize = 20_000;

/// Looks in a row that must find the same state, millions of instructions apart, before a loop is
/// believed to be one: a counter in memory may be in no register for a while.
const LOOKS: u32 = 20;

const REGISTERS: usize = 32;

/// What is known of a loop.
#[derive(Default)]
pub(super) struct Spin {
    state: Option<(u64, [u64; REGISTERS])>,
    looks: u32,
}

impl Spin {
    /// Looks at the machine once more: whether it has been in one loop for long. The machine runs on
    /// meanwhile, at most once round the loop.
    pub(super) fn goes_on(&mut self, machine: &mut Machine) -> bool {
        let wanted = *self.state.get_or_insert_with(|| state(machine));
        for _ in 0..LONGEST {
            if machine.run_hart(FIRST_HART, 1) != Exit::Budget {
                break;
            }
            if machine.pc(FIRST_HART) == wanted.0 && state(machine) == wanted {
                self.looks += 1;
                return self.looks == LOOKS;
            }
        }
        *self = Spin::default();
        false
    }
}

fn state(machine: &Machine) -> (u64, [u64; REGISTERS]) {
    let registers = std::array::from_fn(|register| machine.x(FIRST_HART, register));
    (machine.pc(FIRST_HART), registers)
}
