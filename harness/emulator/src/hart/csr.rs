//! Control and status registers: which exist, which modes may access them, which bits a write keeps.

use super::Hart;
use crate::isa::Privilege;
use crate::isa::csr::{self, environment, interrupt, status, translation};
use crate::memory::Bus;

/// UXL and SXL: 64 bits, read-only.
const STATUS_LENGTHS: u64 = 2 << 32 | 2 << 34;
const SSTATUS_WRITABLE: u64 = status::SIE | status::SPIE | status::SPP | status::SUM | status::MXR;
const SSTATUS_VISIBLE: u64 = SSTATUS_WRITABLE | 3 << 32;
const MSTATUS_WRITABLE: u64 = SSTATUS_WRITABLE
    | status::MIE
    | status::MPIE
    | status::MPP
    | status::MPRV
    | status::TVM
    | status::TW
    | status::TSR;

/// RV64, extensions A C I M S U.
const MISA_VALUE: u64 = 2 << 62 | 1 << 20 | 1 << 18 | 1 << 12 | 1 << 8 | 1 << 2 | 1;
const SUPERVISOR_INTERRUPTS: u64 =
    interrupt::SUPERVISOR_SOFTWARE | interrupt::SUPERVISOR_TIMER | interrupt::SUPERVISOR_EXTERNAL;
const ALL_INTERRUPTS: u64 = SUPERVISOR_INTERRUPTS
    | interrupt::MACHINE_SOFTWARE
    | interrupt::MACHINE_TIMER
    | interrupt::MACHINE_EXTERNAL;
/// Exceptions that can occur below M-mode: all but `ecall` from M-mode and the reserved ones.
const DELEGABLE: u64 = 0xb3ff;
const COUNTER_TIME: u64 = 1 << 1;
const COUNTERS: u64 = 0xffff_ffff;
/// The supported modes of `satp`: bare and Sv39.
const SATP_MODES: [u64; 2] = [translation::BARE, translation::SV39];

/// The registers that hold separate state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Csrs {
    pub(crate) hartid: u64,
    pub(super) status: u64,
    pub(super) mip: u64,
    pub(super) mie: u64,
    pub(super) medeleg: u64,
    pub(super) mideleg: u64,
    pub(super) mtvec: u64,
    pub(super) mcounteren: u64,
    pub(super) menvcfg: u64,
    mscratch: u64,
    pub(super) mepc: u64,
    pub(super) mcause: u64,
    pub(super) mtval: u64,
    pub(super) stvec: u64,
    scounteren: u64,
    senvcfg: u64,
    pub(super) sscratch: u64,
    pub(super) sepc: u64,
    pub(super) scause: u64,
    pub(super) stval: u64,
    pub(super) stimecmp: u64,
    pub(super) satp: u64,
    /// The bits that an address-space identifier has.
    pub(super) identifier_mask: u16,
    /// What was written to `mcycle` and `minstret`, less the count at that moment.
    cycle_offset: u64,
    instret_offset: u64,
}

impl Csrs {
    pub(super) fn new(hartid: u64, identifier_bits: u32) -> Csrs {
        Csrs {
            hartid,
            status: 0,
            mip: 0,
            mie: 0,
            medeleg: 0,
            mideleg: 0,
            mtvec: 0,
            mcounteren: 0,
            menvcfg: 0,
            mscratch: 0,
            mepc: 0,
            mcause: 0,
            mtval: 0,
            stvec: 0,
            scounteren: 0,
            senvcfg: 0,
            sscratch: 0,
            sepc: 0,
            scause: 0,
            stval: 0,
            stimecmp: u64::MAX,
            satp: 0,
            identifier_mask: ((1u32 << identifier_bits) - 1) as u16,
            cycle_offset: 0,
            instret_offset: 0,
        }
    }

    /// Does `stimecmp` drive the supervisor timer interrupt?
    pub(super) fn has_supervisor_timer(&self) -> bool {
        self.menvcfg & environment::SUPERVISOR_TIMER != 0
    }
}

/// The privilege that MPP names.
pub(super) fn previous_privilege(status: u64) -> Privilege {
    Privilege::from_bits(status >> status::MPP_SHIFT & 3).unwrap_or(Privilege::User)
}

/// The first region that a `pmpcfg` register configures: on RV64 there are even ones only, for
/// eight regions each.
fn pmp_regions(number: u16) -> usize {
    usize::from(number - csr::PMPCFG0) * 4
}

/// What a write may have changed besides the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// Which interrupts are enabled or pending.
    Interrupts,
    /// How addresses are translated or protected.
    Translation,
    /// `satp`, so how addresses are translated.
    AddressSpace,
    /// Physical memory protection.
    Protection,
    /// When timers are due.
    Timer,
}

impl Hart {
    /// May the running program access this register, for writing too if `write`?
    pub(super) fn may_access(&self, number: u16, write: bool) -> bool {
        let level = match number >> 8 & 3 {
            0 => Privilege::User,
            1 => Privilege::Supervisor,
            _ => Privilege::Machine,
        };
        let is_read_only = number >> 10 == 3;
        if self.privilege < level || write && is_read_only {
            return false;
        }
        let supervisor = self.privilege == Privilege::Supervisor;
        match number {
            csr::SATP => !(supervisor && self.csr.status & status::TVM != 0),
            csr::STIMECMP => {
                self.privilege == Privilege::Machine
                    || self.csr.has_supervisor_timer() && self.csr.mcounteren & COUNTER_TIME != 0
            }
            csr::CYCLE..=csr::HPMCOUNTER31 => {
                let bit = 1 << (number - csr::CYCLE);
                let below_machine = self.csr.mcounteren & bit != 0;
                let below_supervisor = self.csr.scounteren & bit != 0;
                match self.privilege {
                    Privilege::Machine => true,
                    Privilege::Supervisor => below_machine,
                    Privilege::User => below_machine && below_supervisor,
                }
            }
            _ => true,
        }
    }

    /// The value of a register, as M-mode reads it; `None` if there is no such register.
    pub(crate) fn read_csr(&self, number: u16, bus: &Bus) -> Option<u64> {
        let csr = &self.csr;
        Some(match number {
            csr::SSTATUS => (csr.status | STATUS_LENGTHS) & SSTATUS_VISIBLE,
            csr::SIE => csr.mie & csr.mideleg,
            csr::STVEC => csr.stvec,
            csr::SCOUNTEREN => csr.scounteren,
            csr::SENVCFG => csr.senvcfg,
            csr::SSCRATCH => csr.sscratch,
            csr::SEPC => csr.sepc,
            csr::SCAUSE => csr.scause,
            csr::STVAL => csr.stval,
            csr::SIP => self.pending_interrupts() & csr.mideleg,
            csr::STIMECMP => csr.stimecmp,
            csr::SATP => csr.satp,
            csr::MSTATUS => csr.status | STATUS_LENGTHS,
            csr::MISA => MISA_VALUE,
            csr::MEDELEG => csr.medeleg,
            csr::MIDELEG => csr.mideleg,
            csr::MIE => csr.mie,
            csr::MTVEC => csr.mtvec,
            csr::MCOUNTEREN => csr.mcounteren,
            csr::MENVCFG => csr.menvcfg,
            csr::MSCRATCH => csr.mscratch,
            csr::MEPC => csr.mepc,
            csr::MCAUSE => csr.mcause,
            csr::MTVAL => csr.mtval,
            csr::MIP => self.pending_interrupts(),
            csr::PMPCFG0 | csr::PMPCFG2 => self.pmp.config(pmp_regions(number)),
            csr::PMPADDR0..=csr::PMPADDR15 => self.pmp.address(usize::from(number - csr::PMPADDR0)),
            csr::MCYCLE | csr::CYCLE => self.steps.wrapping_add(csr.cycle_offset),
            csr::MINSTRET | csr::INSTRET => self.retired().wrapping_add(csr.instret_offset),
            csr::TIME => bus.time.now(),
            csr::MHARTID => csr.hartid,
            // Registers that exist and are zero: no events are counted, and the hart has no vendor.
            csr::MCOUNTINHIBIT
            | csr::MHPMEVENT3..=csr::MHPMEVENT31
            | csr::MHPMCOUNTER3..=csr::MHPMCOUNTER31
            | csr::HPMCOUNTER3..=csr::HPMCOUNTER31
            | csr::MVENDORID
            | csr::MARCHID
            | csr::MIMPID
            | csr::MCONFIGPTR => 0,
            _ => return None,
        })
    }

    /// What `csrrs` and `csrrc` modify, of a register that reads as `value`: SEIP is taken without
    /// the line of the interrupt controller.
    pub(super) fn without_lines(&self, number: u16, value: u64) -> u64 {
        match number {
            csr::MIP | csr::SIP => {
                value & !interrupt::SUPERVISOR_EXTERNAL
                    | self.csr.mip & interrupt::SUPERVISOR_EXTERNAL
            }
            _ => value,
        }
    }

    /// Writes a register, keeping what is legal; `None` if there is no such register.
    pub(crate) fn write_csr(&mut self, number: u16, value: u64) -> Option<Effect> {
        let csr = &mut self.csr;
        match number {
            csr::SSTATUS => {
                csr.status = csr.status & !SSTATUS_WRITABLE | value & SSTATUS_WRITABLE;
                return Some(Effect::Translation);
            }
            csr::MSTATUS => {
                let mut new = csr.status & !MSTATUS_WRITABLE | value & MSTATUS_WRITABLE;
                if Privilege::from_bits(new >> status::MPP_SHIFT & 3).is_none() {
                    new = new & !status::MPP | csr.status & status::MPP;
                }
                csr.status = new;
                return Some(Effect::Translation);
            }
            csr::SIE => {
                let mask = csr.mideleg & ALL_INTERRUPTS;
                csr.mie = csr.mie & !mask | value & mask;
                return Some(Effect::Interrupts);
            }
            csr::MIE => {
                csr.mie = value & ALL_INTERRUPTS;
                return Some(Effect::Interrupts);
            }
            csr::SIP => {
                let mask = csr.mideleg & interrupt::SUPERVISOR_SOFTWARE;
                csr.mip = csr.mip & !mask | value & mask;
                return Some(Effect::Interrupts);
            }
            csr::MIP => {
                let mut mask = SUPERVISOR_INTERRUPTS;
                if csr.has_supervisor_timer() {
                    mask &= !interrupt::SUPERVISOR_TIMER;
                }
                csr.mip = csr.mip & !mask | value & mask;
                return Some(Effect::Interrupts);
            }
            csr::MIDELEG => {
                csr.mideleg = value & SUPERVISOR_INTERRUPTS;
                return Some(Effect::Interrupts);
            }
            csr::MEDELEG => csr.medeleg = value & DELEGABLE,
            // Direct or vectored; bit 1 is always zero.
            csr::MTVEC => csr.mtvec = value & !2,
            csr::STVEC => csr.stvec = value & !2,
            csr::MCOUNTEREN => csr.mcounteren = value & COUNTERS,
            csr::SCOUNTEREN => csr.scounteren = value & COUNTERS,
            csr::MENVCFG => {
                csr.menvcfg = value & (environment::FENCE_ALL | environment::SUPERVISOR_TIMER);
                return Some(Effect::Timer);
            }
            csr::SENVCFG => csr.senvcfg = value & environment::FENCE_ALL,
            csr::MSCRATCH => csr.mscratch = value,
            csr::SSCRATCH => csr.sscratch = value,
            csr::MEPC => csr.mepc = value & !1,
            csr::SEPC => csr.sepc = value & !1,
            csr::MCAUSE => csr.mcause = value,
            csr::SCAUSE => csr.scause = value,
            csr::MTVAL => csr.mtval = value,
            csr::STVAL => csr.stval = value,
            csr::STIMECMP => {
                csr.stimecmp = value;
                return Some(Effect::Timer);
            }
            csr::SATP => {
                // A write of an unsupported mode has no effect at all.
                if SATP_MODES.contains(&(value >> translation::MODE_SHIFT)) {
                    let absent = u64::from(!csr.identifier_mask);
                    csr.satp = value & !(absent << translation::IDENTIFIER_SHIFT);
                }
                return Some(Effect::AddressSpace);
            }
            csr::PMPCFG0 | csr::PMPCFG2 => {
                self.pmp.set_config(pmp_regions(number), value);
                return Some(Effect::Protection);
            }
            csr::PMPADDR0..=csr::PMPADDR15 => {
                let region = usize::from(number - csr::PMPADDR0);
                self.pmp.set_address(region, value);
                return Some(Effect::Protection);
            }
            // The write takes the place of this instruction's own increment.
            csr::MCYCLE => csr.cycle_offset = value.wrapping_sub(self.steps.wrapping_add(1)),
            csr::MINSTRET => {
                let retired = self.steps.wrapping_sub(self.trapped);
                csr.instret_offset = value.wrapping_sub(retired.wrapping_add(1));
            }
            csr::MISA
            | csr::MCOUNTINHIBIT
            | csr::MHPMEVENT3..=csr::MHPMEVENT31
            | csr::MHPMCOUNTER3..=csr::MHPMCOUNTER31 => {}
            _ => return None,
        }
        Some(Effect::None)
    }
}
