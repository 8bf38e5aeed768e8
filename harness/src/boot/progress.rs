//! How far a kernel got before it stopped.

use crate::guest::FIRST_HART;
use emulator::Machine;
use emulator::isa::csr;
use std::fmt;

/// How far a kernel got before it stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether addresses are translated.
    pub paging: bool,
    /// Requests that the disk has completed.
    pub disk_requests: u16,
    /// Whether a program has run in user mode, up to its first trap.
    pub user_mode: bool,
}

impl Progress {
    pub(super) fn of(machine: &Machine) -> Self {
        Self {
            paging: machine.csr(FIRST_HART, csr::SATP) != Some(0),
            disk_requests: machine.disk_requests(),
            user_mode: machine.last_user_trap(FIRST_HART).is_some(),
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paging = if self.paging { "on" } else { "off" };
        let user = if self.user_mode {
            "a program has run in user mode"
        } else {
            "no program has run in user mode"
        };
        write!(
            f,
            "paging is {paging}, {} disk requests are done, {user}",
            self.disk_requests
        )
    }
}
