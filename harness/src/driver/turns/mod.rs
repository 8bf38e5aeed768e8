//! How processes get their turns, on kernels with any scheduler.
//!
//! Under xv6's own scheduler a timer interrupt brings the next process, in turn. Other schedulers have levels,
//! priorities or a lottery, or always run the first process that is runnable. A process that waits at its hint is
//! runnable, so it may keep all others away for ever. On such a kernel, each process that is not wanted makes a system
//! call in which it *sleeps* until the next tick. In the end only the wanted process is runnable. That works under any
//! scheduler.

mod order;
mod race;

use super::Driver;
use crate::guest::FIRST_HART;
use crate::guest::hardware::Turns;
use crate::guest::processes::{SUPERVISOR, Slot, SlotSet, State};
use abi::SystemCall;
use oracle::{Action, Failure, Observation, Process, Step};

pub(crate) use order::Order;

/// Children that are forked to find out how turns are given.
const CHILDREN: usize = 2;
/// Timer interrupts in which they, their parent and the supervisor take turns: eight for each.
const INTERRUPTS: usize = 32;
/// Ticks after which a process that is runnable must have come to its hint.
const TICKS: u32 = 3;

/// Sleep for one tick.
pub(super) const NAP: Action = Action::SystemCall {
    number: SystemCall::Pause.number(),
    arguments: [1, 0, 0],
    child: None,
};

impl Driver {
    /// The order in which timer interrupts bring up to four processes that are all runnable. `None` if this kernel has
    /// another problem, which the cases show.
    pub(crate) fn order_of_turns(&mut self) -> Option<Order> {
        self.make_children()?;
        // A parent that the scheduler keeps away makes no second fork.
        let there = |slot: &Slot| self.processes.get(*slot).state != State::Unused;
        let processes = self.processes.slots().filter(there).count();
        let turns = (0..INTERRUPTS).map(|_| {
            let comes = self.tick(FIRST_HART).ok()?;
            self.fronts[FIRST_HART].filter(|_| comes)
        });
        Some(Order::of(&turns.collect::<Option<Vec<Slot>>>()?, processes))
    }

    /// Whether each of four processes comes to the front while the others sleep.
    pub(crate) fn all_come_by_sleep(&mut self) -> bool {
        if self.make_children().is_none() {
            return false;
        }
        let comes = |slot| matches!(self.bring_by_sleep(slot), Ok(Some(_)));
        let processes = Process::all().take(CHILDREN + 1).filter_map(Slot::of);
        std::iter::once(SUPERVISOR).chain(processes).all(comes)
    }

    fn make_children(&mut self) -> Option<()> {
        for child in Process::all().skip(1).take(CHILDREN) {
            let fork = Step {
                process: Process::FIRST,
                action: Action::SystemCall {
                    number: SystemCall::Fork.number(),
                    arguments: [0; 3],
                    child: Some(child),
                },
                rounds: 0,
                pages: 0,
                looks_at_disk: false,
            };
            let mut observation = Observation::default();
            self.perform(&fork, &mut observation);
            if observation.failure.is_some() {
                return None;
            }
        }
        Some(())
    }

    /// Whether processes have to sleep so that others get a turn.
    pub(super) fn turns_by_sleep(&self) -> bool {
        self.guest.hardware.turns.value == Turns::Sleep
    }

    /// Whether no process that the driver knows waits at its hint, so that a hart may have nothing to run.
    pub(super) fn may_be_idle(&self) -> bool {
        let mut slots = self.processes.slots();
        self.turns_by_sleep() && slots.all(|slot| self.processes.get(slot).state != State::Parked)
    }

    /// Raises the timer interrupt and notes which process comes to its hint. Returns false if none is runnable.
    pub(super) fn tick(&mut self, hart: usize) -> Result<bool, Failure> {
        self.raise_timer(hart);
        let arrived = self.run_to_hint(hart)?;
        self.arrive(hart, arrived)?;
        Ok(arrived.is_some())
    }

    /// Puts `slot`, which waits at its hint on `hart`, to sleep until the next tick. Returns false if no other process
    /// is runnable.
    pub(super) fn nap(&mut self, hart: usize, slot: Slot) -> Result<bool, Failure> {
        self.prepare_nap(hart, slot);
        let arrived = self.run_to_hint(hart)?;
        self.arrive(hart, arrived)?;
        Ok(arrived.is_some())
    }

    /// Makes `slot` sleep when its hart runs again.
    fn prepare_nap(&mut self, hart: usize, slot: Slot) {
        self.prepare(hart, slot, &NAP);
        self.processes.get_mut(slot).state = State::Napping;
    }

    /// Brings `slot` to its hint while all others that come first sleep. `None` if it never comes.
    pub(super) fn bring_by_sleep(&mut self, slot: Slot) -> Result<Option<usize>, Failure> {
        for _ in 0..TICKS {
            self.nap_until(Some(slot))?;
            if self.fronts[FIRST_HART] == Some(slot) {
                return Ok(Some(FIRST_HART));
            }
            self.tick(FIRST_HART)?;
        }
        Ok((self.fronts[FIRST_HART] == Some(slot)).then_some(FIRST_HART))
    }

    /// One round: all wake, and each that comes to its hint sleeps again, until the next round begins.
    pub(super) fn round_by_sleep(&mut self) -> Result<SlotSet, Failure> {
        self.tick(FIRST_HART)?;
        let mut met = self.nap_until(None)?;
        self.tick(FIRST_HART)?;
        let is_missing = |slot| self.processes.get(slot).state.is_at_hand() && !met.contains(slot);
        if self.processes.slots().any(is_missing) {
            // It was interrupted on its way to sleep, or it is dead.
            met.add(self.nap_until(None)?);
            self.tick(FIRST_HART)?;
        }
        Ok(met)
    }

    /// Puts one process after another to sleep, until `wanted` or a process that has already slept is at the front, or
    /// no process is. Returns those that came to the front.
    fn nap_until(&mut self, wanted: Option<Slot>) -> Result<SlotSet, Failure> {
        let mut met = SlotSet::default();
        while let Some(front) = self.fronts[FIRST_HART]
            && met.insert(front)
            && wanted != Some(front)
        {
            self.nap(FIRST_HART, front)?;
        }
        Ok(met)
    }
}
