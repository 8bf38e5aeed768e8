//! Time: a function of the instructions executed, or a held clock.

use crate::config::Clock;
use crate::devices::MAX_HARTS;

/// The time, and what it is computed from.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    clock: Clock,
    /// Instructions that all harts together have begun.
    pub(crate) steps: u64,
    /// Steps that were skipped while every hart slept.
    skipped: u64,
    /// Ticks that were added to `mtime`. If the clock is held, `mtime` is nothing else.
    offset: u64,
    /// If the clock is held: the time that each hart's timer lines follow.
    reached: [u64; MAX_HARTS],
}

impl Time {
    pub(crate) fn new(clock: Clock) -> Time {
        Time {
            clock,
            steps: 0,
            skipped: 0,
            offset: 0,
            reached: [0; MAX_HARTS],
        }
    }

    fn steps_per_tick(&self) -> Option<u64> {
        match self.clock {
            Clock::Running {
                instructions_per_tick,
            } => Some(u64::from(instructions_per_tick.max(1))),
            Clock::Held => None,
        }
    }

    /// `mtime`, in ticks.
    pub(crate) fn now(&self) -> u64 {
        self.now_after(0)
    }

    /// `mtime` once `steps` more are counted, in ticks.
    pub(crate) fn now_after(&self, steps: u64) -> u64 {
        let steps = self.steps.wrapping_add(steps).wrapping_add(self.skipped);
        let counted = self.steps_per_tick().map_or(0, |per| steps / per);
        counted.wrapping_add(self.offset)
    }

    /// The time that the timer lines of a hart follow. If the clock is held, it may be earlier than
    /// `mtime`: a line rises only "eventually" after its deadline (privileged specification, `mip`
    /// and `stimecmp`).
    #[inline]
    pub(crate) fn reached_by(&self, hart: usize) -> u64 {
        match self.clock {
            Clock::Running { .. } => self.now(),
            Clock::Held => self.reached[hart],
        }
    }

    /// Sets the time to `ticks`, unless it is later already, for the timer lines of one hart.
    pub(crate) fn reach(&mut self, hart: usize, ticks: u64) {
        let now = self.now();
        self.offset = self.offset.wrapping_add(ticks.saturating_sub(now));
        self.reached[hart] = self.now();
    }

    /// Moves time by `ticks`, as a write to `mtime` does.
    pub(crate) fn move_by(&mut self, ticks: u64) {
        self.offset = self.offset.wrapping_add(ticks);
        self.reached = [self.now(); MAX_HARTS];
    }

    /// Steps until `mtime` is no longer below `ticks`; `None` if it never gets there by itself.
    pub(crate) fn steps_until(&self, ticks: u64) -> Option<u64> {
        let ahead = ticks.checked_sub(self.now())?;
        if ahead == 0 {
            return Some(0);
        }
        let per = self.steps_per_tick()?;
        let into_tick = self.steps.wrapping_add(self.skipped) % per;
        Some(
            (ahead - 1)
                .saturating_mul(per)
                .saturating_add(per - into_tick),
        )
    }

    /// Every hart sleeps: lets `steps` pass without an instruction.
    pub(crate) fn skip(&mut self, steps: u64) {
        self.skipped = self.skipped.wrapping_add(steps);
    }
}

#[cfg(test)]
mod tests {
    use super::Time;
    use crate::config::Clock;

    #[test]
    fn a_running_clock_counts_steps_and_skips() {
        let mut time = Time::new(Clock::Running {
            instructions_per_tick: 10,
        });
        time.steps = 25;
        assert_eq!(time.now(), 2);
        assert_eq!(time.steps_until(3), Some(5));
        assert_eq!(time.steps_until(4), Some(15));
        assert_eq!(time.steps_until(2), Some(0));
        assert_eq!(time.steps_until(1), None, "already past");
        time.skip(5);
        assert_eq!(time.now(), 3);
        time.reach(0, 100);
        assert_eq!((time.now(), time.reached_by(1)), (100, 100));
        assert_eq!(time.steps_until(101), Some(10));
        assert_eq!(time.steps_until(u64::MAX), Some(u64::MAX));
    }

    #[test]
    fn a_held_clock_moves_only_when_set() {
        let mut time = Time::new(Clock::Held);
        time.steps = 1_000_000;
        assert_eq!(time.now(), 0);
        assert_eq!(time.steps_until(1), None);
        time.reach(0, 7);
        assert_eq!(time.now(), 7);
        assert_eq!(time.steps_until(7), Some(0));
        time.reach(0, 3);
        assert_eq!(time.now(), 7, "never back");
    }

    #[test]
    fn a_held_clock_moves_the_lines_of_one_hart_only() {
        let mut time = Time::new(Clock::Held);
        time.reach(1, 5);
        assert_eq!([0, 1].map(|hart| time.reached_by(hart)), [0, 5]);
        time.reach(0, 3);
        assert_eq!([0, 1].map(|hart| time.reached_by(hart)), [5, 5]);
        time.move_by(2);
        assert_eq!([0, 1].map(|hart| time.reached_by(hart)), [7, 7]);
    }
}
