//! Traps: which exceptions there are, and what taking one does.

use super::Hart;
use crate::exit::Trap;
use crate::isa::csr::{VECTOR_MODE, status};
use crate::isa::{Privilege, cause};
use crate::memory::Access;

/// A synchronous exception: its code and what goes to `stval` or `mtval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exception {
    pub(crate) cause: u64,
    pub(crate) value: u64,
}

impl Exception {
    pub(crate) fn illegal(instruction: u32) -> Exception {
        Exception {
            cause: cause::ILLEGAL_INSTRUCTION,
            value: u64::from(instruction),
        }
    }

    pub(crate) fn breakpoint() -> Exception {
        Exception {
            cause: cause::BREAKPOINT,
            value: 0,
        }
    }

    /// `ecall` from this mode.
    pub(crate) fn environment_call(from: Privilege) -> Exception {
        Exception {
            cause: cause::USER_CALL + from as u64,
            value: 0,
        }
    }

    /// An `lr` (load) or another atomic operation (store) on a misaligned address.
    pub(crate) fn misaligned(access: Access, address: u64) -> Exception {
        let cause = if access == Access::Load {
            cause::LOAD_MISALIGNED
        } else {
            cause::STORE_MISALIGNED
        };
        Exception {
            cause,
            value: address,
        }
    }

    pub(crate) fn access_fault(access: Access, address: u64) -> Exception {
        let cause = match access {
            Access::Fetch => cause::INSTRUCTION_ACCESS_FAULT,
            Access::Load => cause::LOAD_ACCESS_FAULT,
            Access::Store => cause::STORE_ACCESS_FAULT,
        };
        Exception {
            cause,
            value: address,
        }
    }

    pub(crate) fn page_fault(access: Access, address: u64) -> Exception {
        let cause = match access {
            Access::Fetch => cause::INSTRUCTION_PAGE_FAULT,
            Access::Load => cause::LOAD_PAGE_FAULT,
            Access::Store => cause::STORE_PAGE_FAULT,
        };
        Exception {
            cause,
            value: address,
        }
    }
}

const VECTORED: u64 = 1;

impl Hart {
    /// Takes a synchronous exception of the instruction at `pc`.
    ///
    /// Returns whether the hart is now where it was, with nothing changed. Then the handler itself
    /// cannot be executed.
    pub(crate) fn take_exception(&mut self, exception: Exception) -> bool {
        self.trapped = self.trapped.wrapping_add(1);
        let before = self.trap_state();
        self.take_trap(exception.cause, exception.value, false);
        before == self.trap_state()
    }

    fn trap_state(&self) -> ([u64; 8], Privilege) {
        let csr = &self.csr;
        let registers = [
            self.pc, csr.status, csr.mepc, csr.mcause, csr.mtval, csr.sepc, csr.scause, csr.stval,
        ];
        (registers, self.privilege)
    }

    /// Takes interrupt number `cause`, before the instruction at `pc`.
    pub(crate) fn take_interrupt(&mut self, cause: u64) {
        self.take_trap(cause, 0, true);
    }

    fn take_trap(&mut self, cause: u64, value: u64, is_interrupt: bool) {
        if self.privilege == Privilege::User {
            self.last_user_trap = Some(Trap {
                cause,
                value,
                pc: self.pc,
                is_interrupt,
                satp: self.csr.satp,
            });
        }
        let delegated = if is_interrupt {
            self.csr.mideleg
        } else {
            self.csr.medeleg
        };
        let to_supervisor = self.privilege < Privilege::Machine && delegated >> cause & 1 != 0;
        let code = if is_interrupt {
            cause::INTERRUPT | cause
        } else {
            cause
        };
        let csr = &mut self.csr;
        let vector;
        if to_supervisor {
            csr.sepc = self.pc;
            csr.scause = code;
            csr.stval = value;
            let enabled = csr.status & status::SIE != 0;
            csr.status &= !(status::SIE | status::SPIE | status::SPP);
            csr.status |= if enabled { status::SPIE } else { 0 };
            if self.privilege == Privilege::Supervisor {
                csr.status |= status::SPP;
            }
            self.privilege = Privilege::Supervisor;
            vector = csr.stvec;
        } else {
            csr.mepc = self.pc;
            csr.mcause = code;
            csr.mtval = value;
            let enabled = csr.status & status::MIE != 0;
            csr.status &= !(status::MIE | status::MPIE | status::MPP);
            csr.status |= if enabled { status::MPIE } else { 0 };
            csr.status |= (self.privilege as u64) << status::MPP_SHIFT;
            self.privilege = Privilege::Machine;
            vector = csr.mtvec;
        }
        self.pc = vector & !VECTOR_MODE;
        if is_interrupt && vector & VECTOR_MODE == VECTORED {
            self.pc = self.pc.wrapping_add(4 * cause);
        }
        self.update_mode();
    }
}
