//! The time that has passed for programs, in ticks of the clock.
//!
//! The clock is held: only the driver lets it go on, by raising the timer of a hart. A kernel may count the timer
//! interrupts of its first hart, as xv6 does, or read the clock. A correct kernel counts no more ticks than the larger
//! of the two numbers.

use super::Driver;
use crate::guest::FIRST_HART;
use crate::guest::clock::{ClockCall, Moment};
use crate::guest::processes::Slot;
use emulator::isa::csr;
use oracle::Event;

/// The first `uptime` of a case.
#[derive(Clone, Copy, Debug)]
pub(super) struct FirstUptime {
    /// When it was called.
    since: Moment,
    /// What it returned.
    ticks: u64,
}

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

    /// The most ticks that can have passed since `then`. `None` if the length of a tick of the kernel's timer is not
    /// known.
    pub(super) fn ticks_since(&self, then: Moment) -> Option<u64> {
        let now = self.moment();
        let by_clock = now
            .time
            .wrapping_sub(then.time)
            .checked_div(self.guest.tick)?;
        Some(by_clock.max(now.raises - then.raises))
    }

    /// Adds the event that a process comes back with `value` from a system call about time, if it does.
    pub(super) fn note_time(&mut self, slot: Slot, value: u64) {
        let called = self.processes.get_mut(slot).clock_call.take();
        let (Some((call, since)), Some(process)) = (called, slot.process()) else {
            return;
        };
        let event = match call {
            ClockCall::Pause => {
                let ticks = self.ticks_since(since);
                ticks.map(|ticks| Event::Paused { process, ticks })
            }
            ClockCall::Uptime => {
                let first = *self.first_uptime.get_or_insert(FirstUptime {
                    since,
                    ticks: value,
                });
                let passed = self.ticks_since(first.since);
                let counted = value.checked_sub(first.ticks);
                counted.zip(passed).map(|(counted, passed)| Event::Clocked {
                    process,
                    counted,
                    // One tick may have been due when the first call was made.
                    passed: passed + 1,
                })
            }
        };
        self.events.extend(event);
    }
}
