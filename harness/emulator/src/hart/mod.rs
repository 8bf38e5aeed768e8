//! A hart: its registers, its privilege, and the state that decides when it is interrupted.

mod csr;
mod interrupts;
mod pmp;
mod system;
mod trap;

pub(crate) use pmp::Pmp;
pub(crate) use system::{Outcome, execute};
pub(crate) use trap::Exception;

use crate::exit::Trap;
use crate::isa::csr::status;
use crate::isa::{Privilege, register};
use crate::memory::View;
use csr::Csrs;

/// Registers by number, with room to index them without a check: writes to `x0` are sent to
/// [`X_DISCARD`].
pub(crate) const REGISTERS: usize = 64;
/// The register that nobody reads.
pub(crate) const X_DISCARD: u8 = 32;

/// The architectural state of one hart, and what is derived from it.
#[derive(Clone)]
pub(crate) struct Hart {
    pub(crate) x: [u64; REGISTERS],
    pub(crate) pc: u64,
    pub(crate) privilege: Privilege,
    pub(crate) csr: Csrs,
    pub(crate) pmp: Pmp,
    /// Asleep in `wfi`.
    pub(crate) is_waiting: bool,
    /// Spinning where no interrupt can reach it.
    pub(crate) is_stuck: bool,
    /// Instructions begun, trapping ones included.
    pub(crate) steps: u64,
    /// Instructions that trapped, and so did not retire.
    pub(crate) trapped: u64,
    pub(crate) last_user_trap: Option<Trap>,
    /// The breakpoint that the last run stopped at, to be passed over now.
    pub(crate) passed_breakpoint: Option<u64>,
    /// An interrupt is pending, enabled, and to be taken before the next instruction.
    pub(crate) interrupt_ready: bool,
    /// Interrupt lines of devices and timers, as bits of `mip`.
    lines: u64,
    /// How instructions are fetched.
    pub(crate) fetch_view: View,
    /// How data is accessed.
    pub(crate) data_view: View,
    /// One of the two views has changed since this was last cleared.
    pub(crate) view_changed: bool,
}

impl Hart {
    /// A hart as it comes out of reset, about to execute at `entry` in M-mode. It has identifiers of address spaces of so
    /// many bits. The address of the device tree; 0 means none.
    pub(crate) fn new(number: u64, entry: u64, device_tree: u64, identifier_bits: u32) -> Hart {
        let mut x = [0; REGISTERS];
        let view = View::new(0, Privilege::Machine, false, false);
        // The boot protocol: hart number in a0, device tree in a1.
        x[register::A0] = number;
        x[register::A1] = device_tree;
        Hart {
            x,
            pc: entry,
            privilege: Privilege::Machine,
            csr: Csrs::new(number, identifier_bits),
            pmp: Pmp::default(),
            is_waiting: false,
            is_stuck: false,
            steps: 0,
            trapped: 0,
            last_user_trap: None,
            passed_breakpoint: None,
            interrupt_ready: false,
            lines: 0,
            fetch_view: view,
            data_view: view,
            view_changed: true,
        }
    }

    /// Instructions retired.
    pub(crate) fn retired(&self) -> u64 {
        self.steps.wrapping_sub(self.trapped)
    }

    /// Whether another hart would do the same from now on: it differs at most in its counters.
    pub(crate) fn is_as(&self, other: &Hart) -> bool {
        let registers = usize::from(X_DISCARD);
        self.pc == other.pc
            && self.x[..registers] == other.x[..registers]
            && self.privilege == other.privilege
            && self.csr == other.csr
            && self.pmp == other.pmp
            && self.is_waiting == other.is_waiting
            && self.lines == other.lines
    }

    /// Computes again how memory is seen, and whether an interrupt must be taken: after any
    /// change of privilege, `mstatus` or `satp`.
    pub(crate) fn update_mode(&mut self) {
        let status = self.csr.status;
        let fetch = View::new(self.csr.satp, self.privilege, false, false);
        // With MPRV, data is accessed as if in the mode that MPP names.
        let privilege = if status & status::MPRV != 0 && self.privilege == Privilege::Machine {
            csr::previous_privilege(status)
        } else {
            self.privilege
        };
        let has = |bit: u64| status & bit != 0;
        let satp = self.csr.satp;
        let data = View::new(satp, privilege, has(status::SUM), has(status::MXR));
        self.view_changed |= fetch != self.fetch_view || data != self.data_view;
        self.fetch_view = fetch;
        self.data_view = data;
        self.update_interrupts();
    }
}
