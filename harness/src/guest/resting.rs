//! Where a hart rests that has no process to run and does not sleep (`wfi`): its scheduler searches the process table
//! again and again. xv6's scheduler did so until 2024.

use emulator::Machine;

/// A place in the scheduler's loop that a hart passes once in each round. Interrupts are on there, so the hart
/// holds no lock and can stand there while other harts run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RestingPlace {
    /// The virtual address of the instruction.
    pub(crate) pc: u64,
    /// Instructions of a round in which no process is found.
    pub(crate) round: u64,
}

/// The rounds that one hart has made.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rounds {
    last: Option<Passage>,
}

/// A hart at a place in a loop.
#[derive(Clone, Copy)]
struct Passage {
    steps: u64,
    /// Traps that all harts have taken.
    traps: u64,
    registers: [u64; 32],
    /// Instructions since the passage before, if the registers were the same then and no trap was taken in between.
    round: Option<u64>,
}

impl Rounds {
    /// Notes that `hart` passes the place once more. Returns the length of its last two rounds, if they were the same:
    /// of so many instructions, without a trap, and with the same registers at the end. (A process that runs in a round
    /// comes from a trap or ends in one, because it waits for its next operation in user mode.)
    pub(crate) fn pass(&mut self, machine: &Machine, hart: usize) -> Option<u64> {
        let (steps, registers) = (machine.steps(), machine.registers(hart));
        let traps = steps - machine.retired();
        let is_same = |last: &Passage| last.registers == registers && last.traps == traps;
        let last = self.last.filter(is_same);
        let round = last.map(|last| steps - last.steps);
        let before = last.and_then(|last| last.round);
        self.last = Some(Passage {
            steps,
            traps,
            registers,
            round,
        });
        round.filter(|_| round == before)
    }

    /// Notes that `hart` passes `place` once more. Returns whether it has found no process since it was last there.
    pub(crate) fn comes_back_idle(
        &mut self,
        machine: &Machine,
        hart: usize,
        place: RestingPlace,
    ) -> bool {
        let repeated = self.pass(machine, hart).is_some();
        let round = self.last.and_then(|last| last.round);
        repeated || round == Some(place.round)
    }
}
