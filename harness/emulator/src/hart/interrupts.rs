//! When a hart is interrupted (privileged specification, sections on `mip`, `mie` and `mideleg`).
//!
//! Whether an interrupt must be taken is computed when something changes that decides it, and
//! not looked at again until then.

use super::Hart;
use crate::devices::Context;
use crate::isa::Privilege;
use crate::isa::csr::{interrupt, status};
use crate::memory::Bus;

/// Interrupts in the order in which they are taken.
const PRIORITY: [u64; 6] = [
    interrupt::MACHINE_EXTERNAL,
    interrupt::MACHINE_SOFTWARE,
    interrupt::MACHINE_TIMER,
    interrupt::SUPERVISOR_EXTERNAL,
    interrupt::SUPERVISOR_SOFTWARE,
    interrupt::SUPERVISOR_TIMER,
];

impl Hart {
    /// `mip`: what software set, and the lines of devices and timers.
    pub(crate) fn pending_interrupts(&self) -> u64 {
        let mut pending = self.csr.mip;
        if self.csr.has_supervisor_timer() {
            // The comparator drives the bit; what software left there does not count.
            pending &= !interrupt::SUPERVISOR_TIMER;
        }
        pending | self.lines
    }

    /// Looks at the devices and the time again.
    pub(crate) fn update_lines(&mut self, bus: &Bus) {
        let number = self.csr.hartid as usize;
        let now = bus.time.reached_by(number);
        let clint = &bus.devices.clint;
        let when = |condition: bool, line: u64| if condition { line } else { 0 };
        self.lines = when(now >= clint.deadline(number), interrupt::MACHINE_TIMER)
            | when(
                clint.software_interrupt(number),
                interrupt::MACHINE_SOFTWARE,
            )
            | when(
                bus.devices.external_interrupt(number, Context::Machine),
                interrupt::MACHINE_EXTERNAL,
            )
            | when(
                bus.devices.external_interrupt(number, Context::Supervisor),
                interrupt::SUPERVISOR_EXTERNAL,
            )
            | when(
                self.csr.has_supervisor_timer() && now >= self.csr.stimecmp,
                interrupt::SUPERVISOR_TIMER,
            );
        self.update_interrupts();
    }

    /// Computes again whether an interrupt must be taken.
    #[inline]
    pub(crate) fn update_interrupts(&mut self) {
        self.interrupt_ready = self.pending_interrupts() & self.enabled_interrupts() != 0;
    }

    /// The interrupts that would be taken at once if they were pending.
    pub(crate) fn enabled_interrupts(&self) -> u64 {
        let csr = &self.csr;
        let machine = self.privilege < Privilege::Machine || csr.status & status::MIE != 0;
        let supervisor = match self.privilege {
            Privilege::User => true,
            Privilege::Supervisor => csr.status & status::SIE != 0,
            Privilege::Machine => false,
        };
        let mut enabled = 0;
        if machine {
            enabled |= csr.mie & !csr.mideleg;
        }
        if supervisor {
            enabled |= csr.mie & csr.mideleg;
        }
        enabled
    }

    /// Takes the interrupt that is ready, if there is one.
    pub(crate) fn take_ready_interrupt(&mut self) {
        let ready = self.pending_interrupts() & self.enabled_interrupts();
        // Those for M-mode come before any for S-mode.
        let machine = ready & !self.csr.mideleg;
        let ready = if machine != 0 { machine } else { ready };
        if let Some(line) = PRIORITY.iter().find(|line| ready & **line != 0) {
            self.is_stuck = false;
            self.take_interrupt(line.trailing_zeros().into());
        }
    }

    /// Would `wfi` resume now? Global enables do not matter.
    pub(crate) fn is_awakened(&self) -> bool {
        self.pending_interrupts() & self.csr.mie != 0
    }

    /// Steps until a timer line of this hart rises, whether or not it is enabled.
    pub(crate) fn steps_to_timer(&self, bus: &Bus) -> Option<u64> {
        let mut first: Option<u64> = None;
        for deadline in self.deadlines(bus, false).into_iter().flatten() {
            if let Some(steps) = bus.time.steps_until(deadline)
                && steps > 0
            {
                first = Some(first.map_or(steps, |other| other.min(steps)));
            }
        }
        first
    }

    /// The timer deadlines that are set: machine timer, supervisor timer.
    pub(crate) fn deadlines(&self, bus: &Bus, only_enabled: bool) -> [Option<u64>; 2] {
        let wanted = |line: u64| !only_enabled || self.csr.mie & line != 0;
        let machine = bus.devices.clint.deadline(self.csr.hartid as usize);
        let supervisor = self.csr.stimecmp;
        [
            (machine != u64::MAX && wanted(interrupt::MACHINE_TIMER)).then_some(machine),
            (self.csr.has_supervisor_timer()
                && supervisor != u64::MAX
                && wanted(interrupt::SUPERVISOR_TIMER))
            .then_some(supervisor),
        ]
    }
}
