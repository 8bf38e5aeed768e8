//! Control and status registers: which exist, who may touch them, what writing keeps.

use super::interrupts::{MEI, MSI, MTI, SEI, SSI, STI};
use super::{Hart, Privilege};
use crate::memory::Bus;

/// Register numbers (privileged specification, "CSR Listing").
pub(crate) mod number {
    pub(crate) const SSTATUS: u16 = 0x100;
    pub(crate) const SIE: u16 = 0x104;
    pub(crate) const STVEC: u16 = 0x105;
    pub(crate) const SCOUNTEREN: u16 = 0x106;
    pub(crate) const SENVCFG: u16 = 0x10a;
    pub(crate) const SSCRATCH: u16 = 0x140;
    pub(crate) const SEPC: u16 = 0x141;
    pub(crate) const SCAUSE: u16 = 0x142;
    pub(crate) const STVAL: u16 = 0x143;
    pub(crate) const SIP: u16 = 0x144;
    pub(crate) const STIMECMP: u16 = 0x14d;
    pub(crate) const SATP: u16 = 0x180;
    pub(crate) const MSTATUS: u16 = 0x300;
    pub(crate) const MISA: u16 = 0x301;
    pub(crate) const MEDELEG: u16 = 0x302;
    pub(crate) const MIDELEG: u16 = 0x303;
    pub(crate) const MIE: u16 = 0x304;
    pub(crate) const MTVEC: u16 = 0x305;
    pub(crate) const MCOUNTEREN: u16 = 0x306;
    pub(crate) const MENVCFG: u16 = 0x30a;
    pub(crate) const MCOUNTINHIBIT: u16 = 0x320;
    pub(crate) const MHPMEVENT3: u16 = 0x323;
    pub(crate) const MHPMEVENT31: u16 = 0x33f;
    pub(crate) const MSCRATCH: u16 = 0x340;
    pub(crate) const MEPC: u16 = 0x341;
    pub(crate) const MCAUSE: u16 = 0x342;
    pub(crate) const MTVAL: u16 = 0x343;
    pub(crate) const MIP: u16 = 0x344;
    pub(crate) const PMPCFG0: u16 = 0x3a0;
    pub(crate) const PMPCFG2: u16 = 0x3a2;
    pub(crate) const PMPADDR0: u16 = 0x3b0;
    pub(crate) const PMPADDR15: u16 = 0x3bf;
    pub(crate) const MCYCLE: u16 = 0xb00;
    pub(crate) const MINSTRET: u16 = 0xb02;
    pub(crate) const MHPMCOUNTER3: u16 = 0xb03;
    pub(crate) const MHPMCOUNTER31: u16 = 0xb1f;
    pub(crate) const CYCLE: u16 = 0xc00;
    pub(crate) const TIME: u16 = 0xc01;
    pub(crate) const INSTRET: u16 = 0xc02;
    pub(crate) const HPMCOUNTER31: u16 = 0xc1f;
    pub(crate) const MVENDORID: u16 = 0xf11;
    pub(crate) const MARCHID: u16 = 0xf12;
    pub(crate) const MIMPID: u16 = 0xf13;
    pub(crate) const MHARTID: u16 = 0xf14;
    pub(crate) const MCONFIGPTR: u16 = 0xf15;
}
use number as n;

pub(super) const STATUS_SIE: u64 = 1 << 1;
pub(super) const STATUS_MIE: u64 = 1 << 3;
pub(super) const STATUS_SPIE: u64 = 1 << 5;
pub(super) const STATUS_MPIE: u64 = 1 << 7;
pub(super) const STATUS_SPP: u64 = 1 << 8;
pub(super) const STATUS_MPP_SHIFT: u32 = 11;
pub(super) const STATUS_MPP: u64 = 3 << STATUS_MPP_SHIFT;
pub(super) const STATUS_MPRV: u64 = 1 << 17;
pub(super) const STATUS_SUM: u64 = 1 << 18;
pub(super) const STATUS_MXR: u64 = 1 << 19;
pub(super) const STATUS_TVM: u64 = 1 << 20;
pub(super) const STATUS_TW: u64 = 1 << 21;
pub(super) const STATUS_TSR: u64 = 1 << 22;
/// UXL and SXL: 64 bits, read-only.
const STATUS_LENGTHS: u64 = 2 << 32 | 2 << 34;
const SSTATUS_WRITABLE: u64 = STATUS_SIE | STATUS_SPIE | STATUS_SPP | STATUS_SUM | STATUS_MXR;
const SSTATUS_VISIBLE: u64 = SSTATUS_WRITABLE | 3 << 32;
const MSTATUS_WRITABLE: u64 = SSTATUS_WRITABLE
    | STATUS_MIE
    | STATUS_MPIE
    | STATUS_MPP
    | STATUS_MPRV
    | STATUS_TVM
    | STATUS_TW
    | STATUS_TSR;

/// RV64, extensions A C I M S U.
const MISA_VALUE: u64 = 2 << 62 | 1 << 20 | 1 << 18 | 1 << 12 | 1 << 8 | 1 << 2 | 1;
const SUPERVISOR_INTERRUPTS: u64 = SSI | STI | SEI;
const ALL_INTERRUPTS: u64 = SUPERVISOR_INTERRUPTS | MSI | MTI | MEI;
/// Exceptions that can occur below M-mode: all but `ecall` from M-mode and the reserved ones.
const DELEGABLE: u64 = 0xb3ff;
const ENVCFG_FIOM: u64 = 1;
const ENVCFG_STCE: u64 = 1 << 63;
const COUNTER_TIME: u64 = 1 << 1;
const COUNTERS: u64 = 0xffff_ffff;
/// The supported modes of `satp`: bare and Sv39.
const SATP_MODES: [u64; 2] = [0, 8];

/// The registers that hold state of their own.
#[derive(Clone, Debug)]
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
    /// What was written to `mcycle` and `minstret`, less the count at that moment.
    cycle_offset: u64,
    instret_offset: u64,
}

impl Csrs {
    pub(super) fn new(hartid: u64) -> Csrs {
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
            cycle_offset: 0,
            instret_offset: 0,
        }
    }

    /// Does `stimecmp` drive the supervisor timer interrupt?
    pub(super) fn has_supervisor_timer(&self) -> bool {
        self.menvcfg & ENVCFG_STCE != 0
    }
}

/// The privilege that MPP names.
pub(super) fn previous_privilege(status: u64) -> Privilege {
    Privilege::from_bits(status >> STATUS_MPP_SHIFT & 3).unwrap_or(Privilege::User)
}

/// The first region that a `pmpcfg` register configures: on RV64 there are even ones only, for
/// eight regions each.
fn pmp_regions(number: u16) -> usize {
    usize::from(number - n::PMPCFG0) * 4
}

/// What a write may have changed beside the register.
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
            n::SATP => !(supervisor && self.csr.status & STATUS_TVM != 0),
            n::STIMECMP => {
                self.privilege == Privilege::Machine
                    || self.csr.has_supervisor_timer() && self.csr.mcounteren & COUNTER_TIME != 0
            }
            n::CYCLE..=n::HPMCOUNTER31 => {
                let bit = 1 << (number - n::CYCLE);
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
            n::SSTATUS => (csr.status | STATUS_LENGTHS) & SSTATUS_VISIBLE,
            n::SIE => csr.mie & csr.mideleg,
            n::STVEC => csr.stvec,
            n::SCOUNTEREN => csr.scounteren,
            n::SENVCFG => csr.senvcfg,
            n::SSCRATCH => csr.sscratch,
            n::SEPC => csr.sepc,
            n::SCAUSE => csr.scause,
            n::STVAL => csr.stval,
            n::SIP => self.pending_interrupts() & csr.mideleg,
            n::STIMECMP => csr.stimecmp,
            n::SATP => csr.satp,
            n::MSTATUS => csr.status | STATUS_LENGTHS,
            n::MISA => MISA_VALUE,
            n::MEDELEG => csr.medeleg,
            n::MIDELEG => csr.mideleg,
            n::MIE => csr.mie,
            n::MTVEC => csr.mtvec,
            n::MCOUNTEREN => csr.mcounteren,
            n::MENVCFG => csr.menvcfg,
            n::MSCRATCH => csr.mscratch,
            n::MEPC => csr.mepc,
            n::MCAUSE => csr.mcause,
            n::MTVAL => csr.mtval,
            n::MIP => self.pending_interrupts(),
            n::PMPCFG0 | n::PMPCFG2 => self.pmp.config(pmp_regions(number)),
            n::PMPADDR0..=n::PMPADDR15 => self.pmp.address(usize::from(number - n::PMPADDR0)),
            n::MCYCLE | n::CYCLE => self.steps.wrapping_add(csr.cycle_offset),
            n::MINSTRET | n::INSTRET => self.retired().wrapping_add(csr.instret_offset),
            n::TIME => bus.time.now(),
            n::MHARTID => csr.hartid,
            // Registers that exist and are zero: no events are counted, nobody made this hart.
            n::MCOUNTINHIBIT
            | n::MHPMEVENT3..=n::MHPMEVENT31
            | n::MHPMCOUNTER3..=n::MHPMCOUNTER31
            | 0xc03..=n::HPMCOUNTER31
            | n::MVENDORID
            | n::MARCHID
            | n::MIMPID
            | n::MCONFIGPTR => 0,
            _ => return None,
        })
    }

    /// What `csrrs` and `csrrc` modify, of a register that reads as `value`: SEIP is taken without
    /// the line of the interrupt controller.
    pub(super) fn without_lines(&self, number: u16, value: u64) -> u64 {
        match number {
            n::MIP | n::SIP => value & !SEI | self.csr.mip & SEI,
            _ => value,
        }
    }

    /// Writes a register, keeping what is legal; `None` if there is no such register.
    pub(crate) fn write_csr(&mut self, number: u16, value: u64) -> Option<Effect> {
        let csr = &mut self.csr;
        match number {
            n::SSTATUS => {
                csr.status = csr.status & !SSTATUS_WRITABLE | value & SSTATUS_WRITABLE;
                return Some(Effect::Translation);
            }
            n::MSTATUS => {
                let mut new = csr.status & !MSTATUS_WRITABLE | value & MSTATUS_WRITABLE;
                if Privilege::from_bits(new >> STATUS_MPP_SHIFT & 3).is_none() {
                    new = new & !STATUS_MPP | csr.status & STATUS_MPP;
                }
                csr.status = new;
                return Some(Effect::Translation);
            }
            n::SIE => {
                let mask = csr.mideleg & ALL_INTERRUPTS;
                csr.mie = csr.mie & !mask | value & mask;
                return Some(Effect::Interrupts);
            }
            n::MIE => {
                csr.mie = value & ALL_INTERRUPTS;
                return Some(Effect::Interrupts);
            }
            n::SIP => {
                let mask = csr.mideleg & SSI;
                csr.mip = csr.mip & !mask | value & mask;
                return Some(Effect::Interrupts);
            }
            n::MIP => {
                let mut mask = SUPERVISOR_INTERRUPTS;
                if csr.has_supervisor_timer() {
                    mask &= !STI;
                }
                csr.mip = csr.mip & !mask | value & mask;
                return Some(Effect::Interrupts);
            }
            n::MIDELEG => {
                csr.mideleg = value & SUPERVISOR_INTERRUPTS;
                return Some(Effect::Interrupts);
            }
            n::MEDELEG => csr.medeleg = value & DELEGABLE,
            // Direct or vectored; bit 1 is always zero.
            n::MTVEC => csr.mtvec = value & !2,
            n::STVEC => csr.stvec = value & !2,
            n::MCOUNTEREN => csr.mcounteren = value & COUNTERS,
            n::SCOUNTEREN => csr.scounteren = value & COUNTERS,
            n::MENVCFG => {
                csr.menvcfg = value & (ENVCFG_FIOM | ENVCFG_STCE);
                return Some(Effect::Timer);
            }
            n::SENVCFG => csr.senvcfg = value & ENVCFG_FIOM,
            n::MSCRATCH => csr.mscratch = value,
            n::SSCRATCH => csr.sscratch = value,
            n::MEPC => csr.mepc = value & !1,
            n::SEPC => csr.sepc = value & !1,
            n::MCAUSE => csr.mcause = value,
            n::SCAUSE => csr.scause = value,
            n::MTVAL => csr.mtval = value,
            n::STVAL => csr.stval = value,
            n::STIMECMP => {
                csr.stimecmp = value;
                return Some(Effect::Timer);
            }
            n::SATP => {
                // A write of an unsupported mode has no effect at all.
                if SATP_MODES.contains(&(value >> 60)) {
                    csr.satp = value;
                }
                return Some(Effect::AddressSpace);
            }
            n::PMPCFG0 | n::PMPCFG2 => {
                self.pmp.set_config(pmp_regions(number), value);
                return Some(Effect::Protection);
            }
            n::PMPADDR0..=n::PMPADDR15 => {
                let region = usize::from(number - n::PMPADDR0);
                self.pmp.set_address(region, value);
                return Some(Effect::Protection);
            }
            // The write takes the place of this instruction's own increment.
            n::MCYCLE => csr.cycle_offset = value.wrapping_sub(self.steps.wrapping_add(1)),
            n::MINSTRET => {
                let retired = self.steps.wrapping_sub(self.trapped);
                csr.instret_offset = value.wrapping_sub(retired.wrapping_add(1));
            }
            n::MISA
            | n::MCOUNTINHIBIT
            | n::MHPMEVENT3..=n::MHPMEVENT31
            | n::MHPMCOUNTER3..=n::MHPMCOUNTER31 => {}
            _ => return None,
        }
        Some(Effect::None)
    }
}
