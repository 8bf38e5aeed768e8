//! Races on kernels on which processes have to sleep so that others get a turn.
//!
//! Racers share one hart. A racer that has not begun sleeps. The tick that interrupts the first racer wakes it, and it
//! begins its operation when the scheduler runs it. The scheduler chooses which of them continues.

use super::super::race::Racer;
use super::super::{Driver, Pause};
use super::TICKS;
use crate::guest::FIRST_HART;
use oracle::{Failure, Race};

/// The most stops of the hart in a race: a kernel may wake sleeping processes too early, again and again.
const MOST_STOPS: u32 = 256;

impl Driver {
    /// Runs `racers`, in the order of their priorities, and interrupts them at the schedule's change points. Returns
    /// whether one has not reported.
    pub(in super::super) fn race_by_sleep(
        &mut self,
        race: &Race,
        racers: &[Racer],
    ) -> Result<bool, Failure> {
        let mut waiting = racers.to_vec();
        let mut under_way: Vec<Racer> = Vec::new();
        let Some(first) = waiting.first().copied() else {
            return Ok(false);
        };
        if self.bring_to_front(first.slot)?.is_none() {
            waiting.remove(0);
        }
        self.count_holders(race);
        let switches = race.schedule.switches().iter().copied().map(u64::from);
        let mut switches = switches.peekable();
        self.begin_recording(true);
        self.begin_meeting();
        let begin = self.machine.steps();
        let mut ticks = 0;
        for _ in 0..MOST_STOPS {
            if let Some(front) = self.fronts[FIRST_HART] {
                let is_front = |racer: &Racer| racer.slot == front;
                if let Some(at) = waiting.iter().position(is_front) {
                    let racer = waiting.remove(at);
                    self.prepare(FIRST_HART, front, &race.steps[racer.step].action);
                    under_way.push(racer);
                } else if waiting.is_empty() && under_way.is_empty() {
                    break;
                } else {
                    self.prepare_nap(FIRST_HART, front);
                }
            }
            let gone = self.machine.steps() - begin;
            let budget = match switches.peek() {
                Some(switch) => switch.saturating_sub(gone),
                None => self.budget(),
            };
            match self.run_racer(budget, switches.peek().is_some())? {
                Pause::Hint(slot) => {
                    self.arrive(FIRST_HART, Some(slot))?;
                    let front = self.fronts[FIRST_HART];
                    under_way.retain(|racer| Some(racer.slot) != front);
                }
                Pause::Budget => {
                    self.fronts[FIRST_HART] = None;
                    switches.next();
                    self.raise_timer(FIRST_HART);
                }
                Pause::Asleep => {
                    self.arrive(FIRST_HART, None)?;
                    if waiting.is_empty() || ticks == TICKS {
                        break;
                    }
                    ticks += 1;
                    self.raise_timer(FIRST_HART);
                }
            }
        }
        self.end_recording();
        self.end_meeting(1);
        Ok(!under_way.is_empty())
    }

    /// Runs the hart up to the next change point or, if there is none, until it stops.
    fn run_racer(&mut self, budget: u64, is_interrupted: bool) -> Result<Pause, Failure> {
        if is_interrupted {
            self.run_hart(FIRST_HART, budget)
        } else {
            self.run_patiently(FIRST_HART, budget)
        }
    }
}
