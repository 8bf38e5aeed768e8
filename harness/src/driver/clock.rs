//! The time that has passed for programs, in ticks of the clock.
//!
//! The clock is held: only the driver lets it go on, by raising the timer of a hart. A kernel may count the timer
//! interrupts of its first hart, as xv6 does, or read the clock. A kernel that counts right counts no more ticks
//! than the larger of the two numbers.

use super::Driver;
use crate::guest::FIRST_HART;
use crate::guest::clock::Moment;
use emulator::isa::csr;

impl Driver {
    /// Raises the timer of a hart.
    pub(super) fn raise_timer(&mut self, hart: usize) {
        self.raises += u64::from(hart == FIRST_HART);
        self.machine.raise_timer(hart);
    }

    /// This moment.
    pub(super) fn moment(&self) -> Moment {
        Moment {
            raises: self.raises,
            time: self.machine.csr(FIRST_HART, csr::TIME).unwrap_or(0),
        }
    }

    /// How many ticks may have passed since `then`. `None`: the kernel's timer tells no length of a tick.
    pub(super) fn ticks_since(&self, then: Moment) -> Option<u64> {
        let now = self.moment();
        let by_clock = now
            .time
            .wrapping_sub(then.time)
            .checked_div(self.guest.tick)?;
        Some(by_clock.max(now.raises - then.raises))
    }
}
