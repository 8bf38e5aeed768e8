//! Instructions of the SYSTEM opcode and fences: CSR accesses, traps and returns, `wfi`.

use super::csr::{Effect, previous_privilege};
use super::{Exception, Hart, X_DISCARD};
use crate::isa::Privilege;
use crate::isa::csr::status;
use crate::isa::format::{funct3, opcode, rd, rs1, rs2, system};
use crate::memory::{Bus, Scope};

/// Low bits of the function of a CSR instruction; clearing is the remaining one.
const SWAP: u32 = 1;
const SET: u32 = 2;
/// Its top bit: the operand is a number in place of a register.
const IMMEDIATE: u32 = 4;

/// The function of `fence.i` among the fences of memory.
const FENCE_I: u32 = 1;
/// In a `fence`: it orders stores before it.
const PREDECESSOR_WRITES: u32 = 1 << 24;

/// What an instruction did, as far as its caller must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Only its registers: execution continues after it.
    Next,
    /// As `Next`, and translation or interrupts may have changed.
    Changed,
    /// As `Changed`, and `satp` was written.
    AddressSpace,
    /// As `Changed`, and a register of physical memory protection was written.
    Protection,
    /// As `Changed`, and timers have to be looked at again.
    Timer,
    /// `pc` is already where execution continues.
    Jumped,
    /// `sfence.vma`.
    Fence(Scope),
    /// `fence.i`.
    FenceCode,
    /// A `fence` that orders stores.
    FenceStores,
    /// The hart sleeps, unless an interrupt is pending already.
    Wait,
}

/// Executes a SYSTEM instruction or a fence of memory at `hart.pc`, whose step is counted already.
pub(crate) fn execute(hart: &mut Hart, bus: &Bus, instruction: u32) -> Result<Outcome, Exception> {
    let illegal = Exception::illegal(instruction);
    let status = hart.csr.status;
    if opcode(instruction) == opcode::MISC_MEM {
        return Ok(if funct3(instruction) == FENCE_I {
            Outcome::FenceCode
        } else if instruction & PREDECESSOR_WRITES != 0 {
            Outcome::FenceStores
        } else {
            Outcome::Next
        });
    }
    if funct3(instruction) != 0 {
        return access_csr(hart, bus, instruction);
    }
    match instruction {
        system::ECALL => Err(Exception::environment_call(hart.privilege)),
        system::EBREAK => Err(Exception::breakpoint()),
        system::SRET => {
            let trapped = hart.privilege == Privilege::Supervisor && status & status::TSR != 0;
            if hart.privilege < Privilege::Supervisor || trapped {
                return Err(illegal);
            }
            hart.return_from_supervisor();
            Ok(Outcome::Jumped)
        }
        system::MRET => {
            if hart.privilege < Privilege::Machine {
                return Err(illegal);
            }
            hart.return_from_machine();
            Ok(Outcome::Jumped)
        }
        system::WFI => {
            let trapped = hart.privilege == Privilege::Supervisor && status & status::TW != 0;
            if hart.privilege == Privilege::User || trapped {
                return Err(illegal);
            }
            Ok(Outcome::Wait)
        }
        _ if instruction & system::SFENCE_VMA_MASK == system::SFENCE_VMA => {
            let trapped = hart.privilege == Privilege::Supervisor && status & status::TVM != 0;
            if hart.privilege == Privilege::User || trapped {
                return Err(illegal);
            }
            Ok(Outcome::Fence(hart.fence_scope(instruction)))
        }
        _ => Err(illegal),
    }
}

fn access_csr(hart: &mut Hart, bus: &Bus, instruction: u32) -> Result<Outcome, Exception> {
    let illegal = Exception::illegal(instruction);
    let number = (instruction >> 20) as u16;
    let source = rs1(instruction) as usize;
    let operand = if funct3(instruction) & IMMEDIATE != 0 {
        source as u64
    } else {
        hart.x[source]
    };
    let operation = funct3(instruction) & !IMMEDIATE;
    let destination = rd(instruction) as u8;
    let writes = operation == SWAP || source != 0;
    if operation == 0 || !hart.may_access(number, writes) {
        return Err(illegal);
    }
    let mut old = 0;
    if !(operation == SWAP && destination == 0) {
        old = hart.read_csr(number, bus).ok_or(illegal)?;
    }
    let mut effect = Effect::None;
    if writes {
        let new = match operation {
            SWAP => operand,
            SET => hart.without_lines(number, old) | operand,
            _ => hart.without_lines(number, old) & !operand,
        };
        effect = hart.write_csr(number, new).ok_or(illegal)?;
    }
    let destination = if destination == 0 {
        X_DISCARD
    } else {
        destination
    };
    hart.x[usize::from(destination)] = old;
    Ok(match effect {
        Effect::None => Outcome::Next,
        Effect::Interrupts => {
            hart.update_interrupts();
            Outcome::Changed
        }
        Effect::Translation => {
            hart.update_mode();
            Outcome::Changed
        }
        Effect::AddressSpace => {
            hart.update_mode();
            Outcome::AddressSpace
        }
        Effect::Protection => Outcome::Protection,
        Effect::Timer => Outcome::Timer,
    })
}

impl Hart {
    /// What an `sfence.vma` covers: `x0` means all addresses, or all address spaces.
    fn fence_scope(&self, instruction: u32) -> Scope {
        let operand = |register: u32| match register as usize {
            0 => None,
            register => Some(self.x[register]),
        };
        Scope {
            address: operand(rs1(instruction)),
            identifier: operand(rs2(instruction))
                .map(|identifier| identifier as u16 & self.csr.identifier_mask),
        }
    }

    fn return_from_supervisor(&mut self) {
        let csr = &mut self.csr;
        let to = if csr.status & status::SPP != 0 {
            Privilege::Supervisor
        } else {
            Privilege::User
        };
        let enabled = csr.status & status::SPIE != 0;
        // Leaving to a mode below M-mode ends MPRV.
        csr.status &= !(status::SIE | status::SPP | status::MPRV);
        csr.status |= status::SPIE | if enabled { status::SIE } else { 0 };
        self.pc = csr.sepc;
        self.privilege = to;
        self.update_mode();
    }

    fn return_from_machine(&mut self) {
        let csr = &mut self.csr;
        let to = previous_privilege(csr.status);
        let enabled = csr.status & status::MPIE != 0;
        csr.status &= !(status::MIE | status::MPP);
        if to != Privilege::Machine {
            csr.status &= !status::MPRV;
        }
        csr.status |= status::MPIE | if enabled { status::MIE } else { 0 };
        self.pc = csr.mepc;
        self.privilege = to;
        self.update_mode();
    }
}
