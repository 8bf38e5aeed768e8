//! Control and status registers: their numbers (privileged specification, "CSR Listing") and the
//! bits in them.

/// Supervisor status.
pub const SSTATUS: u16 = 0x100;
/// Interrupts that the supervisor has enabled.
pub const SIE: u16 = 0x104;
/// Where traps go in S-mode; the low two bits say how.
pub const STVEC: u16 = 0x105;
/// Counters that U-mode may read.
pub const SCOUNTEREN: u16 = 0x106;
/// What U-mode may do.
pub const SENVCFG: u16 = 0x10a;
/// A word for the supervisor's trap handler.
pub const SSCRATCH: u16 = 0x140;
/// Where the supervisor's last trap came from.
pub const SEPC: u16 = 0x141;
/// Why the supervisor's last trap was taken.
pub const SCAUSE: u16 = 0x142;
/// The address or the instruction that caused it.
pub const STVAL: u16 = 0x143;
/// Interrupts of the supervisor that are pending.
pub const SIP: u16 = 0x144;
/// When the supervisor's timer is due (extension Sstc).
pub const STIMECMP: u16 = 0x14d;
/// How addresses are translated.
pub const SATP: u16 = 0x180;
/// Machine status.
pub const MSTATUS: u16 = 0x300;
/// Width and extensions.
pub const MISA: u16 = 0x301;
/// Exceptions that go to S-mode.
pub const MEDELEG: u16 = 0x302;
/// Interrupts that go to S-mode.
pub const MIDELEG: u16 = 0x303;
/// Interrupts that are enabled.
pub const MIE: u16 = 0x304;
/// Where traps go in M-mode; the low two bits say how.
pub const MTVEC: u16 = 0x305;
/// Counters that S-mode may read.
pub const MCOUNTEREN: u16 = 0x306;
/// What S-mode may do.
pub const MENVCFG: u16 = 0x30a;
/// Counters that never change.
pub const MCOUNTINHIBIT: u16 = 0x320;
/// The first of the registers that choose events to count.
pub const MHPMEVENT3: u16 = 0x323;
/// The last of them.
pub const MHPMEVENT31: u16 = 0x33f;
/// A word for the machine's trap handler.
pub const MSCRATCH: u16 = 0x340;
/// Where the machine's last trap came from.
pub const MEPC: u16 = 0x341;
/// Why the machine's last trap was taken.
pub const MCAUSE: u16 = 0x342;
/// The address or the instruction that caused it.
pub const MTVAL: u16 = 0x343;
/// Interrupts that are pending.
pub const MIP: u16 = 0x344;
/// Configuration of the first eight regions of protected memory.
pub const PMPCFG0: u16 = 0x3a0;
/// Configuration of the next eight.
pub const PMPCFG2: u16 = 0x3a2;
/// Address of the first region of protected memory.
pub const PMPADDR0: u16 = 0x3b0;
/// Address of the last region that there is here.
pub const PMPADDR15: u16 = 0x3bf;
/// Cycles.
pub const MCYCLE: u16 = 0xb00;
/// Instructions retired.
pub const MINSTRET: u16 = 0xb02;
/// The first counter of events.
pub const MHPMCOUNTER3: u16 = 0xb03;
/// The last one.
pub const MHPMCOUNTER31: u16 = 0xb1f;
/// Cycles, to be read below M-mode.
pub const CYCLE: u16 = 0xc00;
/// Time, to be read below M-mode.
pub const TIME: u16 = 0xc01;
/// Instructions retired, to be read below M-mode.
pub const INSTRET: u16 = 0xc02;
/// The first counter of events, to be read below M-mode.
pub const HPMCOUNTER3: u16 = 0xc03;
/// The last one.
pub const HPMCOUNTER31: u16 = 0xc1f;
/// Who made the hart.
pub const MVENDORID: u16 = 0xf11;
/// Which design it is.
pub const MARCHID: u16 = 0xf12;
/// Which version of that.
pub const MIMPID: u16 = 0xf13;
/// Number of the hart.
pub const MHARTID: u16 = 0xf14;
/// Where its configuration is described.
pub const MCONFIGPTR: u16 = 0xf15;

/// Bits of `mstatus`; `sstatus` shows those of the supervisor.
pub mod status {
    /// S-mode takes interrupts.
    pub const SIE: u64 = 1 << 1;
    /// M-mode takes interrupts.
    pub const MIE: u64 = 1 << 3;
    /// What SIE was before the last trap.
    pub const SPIE: u64 = 1 << 5;
    /// What MIE was before the last trap.
    pub const MPIE: u64 = 1 << 7;
    /// The last trap into S-mode came from there.
    pub const SPP: u64 = 1 << 8;
    /// Place of the mode that the last trap into M-mode came from.
    pub const MPP_SHIFT: u32 = 11;
    /// That mode.
    pub const MPP: u64 = 3 << MPP_SHIFT;
    /// Data is accessed as in the mode of MPP.
    pub const MPRV: u64 = 1 << 17;
    /// S-mode may use the pages of programs.
    pub const SUM: u64 = 1 << 18;
    /// Pages that may be executed may be loaded from.
    pub const MXR: u64 = 1 << 19;
    /// S-mode may not change how addresses are translated.
    pub const TVM: u64 = 1 << 20;
    /// S-mode may not wait for interrupts.
    pub const TW: u64 = 1 << 21;
    /// S-mode may not return from a trap.
    pub const TSR: u64 = 1 << 22;
}

/// Bits of `mip` and `mie`, and of `sip` and `sie`: interrupts by their numbers.
pub mod interrupt {
    /// Another hart, or this one, calls the supervisor.
    pub const SUPERVISOR_SOFTWARE: u64 = 1 << 1;
    /// Another hart calls the machine mode.
    pub const MACHINE_SOFTWARE: u64 = 1 << 3;
    /// The supervisor's timer is due.
    pub const SUPERVISOR_TIMER: u64 = 1 << 5;
    /// The machine's timer is due.
    pub const MACHINE_TIMER: u64 = 1 << 7;
    /// A device calls the supervisor.
    pub const SUPERVISOR_EXTERNAL: u64 = 1 << 9;
    /// A device calls the machine mode.
    pub const MACHINE_EXTERNAL: u64 = 1 << 11;
}

/// Bits of `menvcfg` and `senvcfg`.
pub mod environment {
    /// Fences of device memory are fences of all memory.
    pub const FENCE_ALL: u64 = 1;
    /// The supervisor has its own timer (extension Sstc).
    pub const SUPERVISOR_TIMER: u64 = 1 << 63;
}

/// The fields of `satp`: how addresses are translated.
pub mod translation {
    /// Place of the mode, the top four bits.
    pub const MODE_SHIFT: u32 = 60;
    /// Place of the address-space identifier, of up to sixteen bits.
    pub const IDENTIFIER_SHIFT: u32 = 44;
    /// The mode in which addresses are not translated.
    pub const BARE: u64 = 0;
    /// The mode of Sv39.
    pub const SV39: u64 = 8;
}

/// The bits of `stvec` and `mtvec` that say how traps are dispatched, and no address.
pub const VECTOR_MODE: u64 = 3;
