//! Whether a booting kernel is in an endless loop: its registers return to earlier values.

use crate::guest::FIRST_HART;
use emulator::{Exit, Machine};

/// Instructions of the longest loop that is noticed: a scan of the whole process table.
const LONGEST: usize = 20_000;

/// How many checks in a row, millions of instructions apart, must find the same state before it counts as a
/// loop. A kernel may count in memory, so that for a while no register changes.
const CHECKS: u32 = 20;

const REGISTERS: usize = 32;

/// What is known of a loop.
#[derive(Default)]
pub(super) struct Spin {
    state: Option<(u64, [u64; REGISTERS])>,
    checks: u32,
}

impl Spin {
    /// Checks once more whether the machine has been in one loop for long. The machine runs during the check,
    /// at most once round the loop.
    pub(super) fn goes_on(&mut self, machine: &mut Machine) -> bool {
        let wanted = *self.state.get_or_insert_with(|| state(machine));
        for _ in 0..LONGEST {
            if machine.run_hart(FIRST_HART, 1) != Exit::Budget {
                break;
            }
            if machine.pc(FIRST_HART) == wanted.0 && state(machine) == wanted {
                self.checks += 1;
                return self.checks == CHECKS;
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
