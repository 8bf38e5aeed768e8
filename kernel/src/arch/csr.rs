//! Control and status registers, and the bits of them that the kernel uses.
//!
//! Numbers and bits: The RISC-V Instruction Set Manual, volume II (privileged), chapters 2, 3, 10;
//! `stimecmp` and `menvcfg.STCE`: extension Sstc.

macro_rules! registers {
    ($($(#[$doc:meta])* $module:ident = $number:literal;)*) => {$(
        $(#[$doc])*
        #[allow(dead_code, reason = "every register gets the same four operations")]
        pub mod $module {
            use core::arch::asm;

            /// Reads the register.
            #[inline(always)]
            pub fn read() -> u64 {
                let value;
                // SAFETY: reading any of the registers listed here changes nothing.
                unsafe {
                    asm!(concat!("csrr {}, ", $number), out(reg) value, options(nomem, nostack));
                }
                value
            }

            /// Writes the register.
            ///
            /// # Safety
            /// The caller answers for what the new value makes the processor do.
            #[inline(always)]
            pub unsafe fn write(value: u64) {
                // SAFETY: the caller's promise.
                unsafe { asm!(concat!("csrw ", $number, ", {}"), in(reg) value, options(nostack)) }
            }

            /// Sets the bits of `mask`, and returns the value before.
            ///
            /// # Safety
            /// The caller answers for what the new value makes the processor do.
            #[inline(always)]
            pub unsafe fn set(mask: u64) -> u64 {
                let before;
                // SAFETY: the caller's promise.
                unsafe {
                    asm!(concat!("csrrs {}, ", $number, ", {}"), out(reg) before, in(reg) mask,
                         options(nostack));
                }
                before
            }

            /// Clears the bits of `mask`, and returns the value before.
            ///
            /// # Safety
            /// The caller answers for what the new value makes the processor do.
            #[inline(always)]
            pub unsafe fn clear(mask: u64) -> u64 {
                let before;
                // SAFETY: the caller's promise.
                unsafe {
                    asm!(concat!("csrrc {}, ", $number, ", {}"), out(reg) before, in(reg) mask,
                         options(nostack));
                }
                before
            }
        }
    )*};
}

registers! {
    /// Number of this hart.
    mhartid = "0xf14";
    /// Machine status.
    mstatus = "0x300";
    /// Exceptions that go to supervisor mode.
    medeleg = "0x302";
    /// Interrupts that go to supervisor mode.
    mideleg = "0x303";
    /// Counters that supervisor mode may read.
    mcounteren = "0x306";
    /// Environment of the modes below machine mode.
    menvcfg = "0x30a";
    /// Where `mret` goes.
    mepc = "0x341";
    /// Physical memory protection: configuration of the first eight ranges.
    pmpcfg0 = "0x3a0";
    /// Physical memory protection: top of the first range.
    pmpaddr0 = "0x3b0";
    /// Supervisor status.
    sstatus = "0x100";
    /// Enabled supervisor interrupts.
    sie = "0x104";
    /// Where traps to supervisor mode go.
    stvec = "0x105";
    /// Where `sret` goes; where a trap came from.
    sepc = "0x141";
    /// Why a trap was taken.
    scause = "0x142";
    /// The address or instruction that a trap is about.
    stval = "0x143";
    /// The time at which the timer interrupts.
    stimecmp = "0x14d";
    /// Address translation: mode, address-space identifier, root table.
    satp = "0x180";
    /// The clock.
    time = "0xc01";
}

/// `mstatus.MPP` = supervisor: `mret` goes to supervisor mode.
pub const MSTATUS_MPP_SUPERVISOR: u64 = 1 << 11;
/// `mstatus.MPP`, both bits.
pub const MSTATUS_MPP: u64 = 3 << 11;
/// `menvcfg.STCE`: `stimecmp` works.
pub const MENVCFG_STCE: u64 = 1 << 63;
/// `mcounteren.TM`: supervisor mode may read `time`.
pub const MCOUNTEREN_TIME: u64 = 1 << 1;
/// `pmpcfg`: a range up to `pmpaddr`, readable, writable, executable.
pub const PMP_TOP_OF_RANGE_RWX: u64 = 0x0f;
/// `sstatus.SIE`: interrupts are on in supervisor mode.
pub const SSTATUS_SIE: u64 = 1 << 1;
/// `sstatus.SPIE`: interrupts are on after `sret`.
pub const SSTATUS_SPIE: u64 = 1 << 5;
/// `sstatus.SPP`: the trap came from supervisor mode, and `sret` returns there.
pub const SSTATUS_SPP: u64 = 1 << 8;
/// `sie.STIE`: timer interrupts.
pub const SIE_TIMER: u64 = 1 << 5;
/// `sie.SEIE`: external interrupts.
pub const SIE_EXTERNAL: u64 = 1 << 9;
/// `satp.MODE` = Sv39.
pub const SATP_SV39: u64 = 8 << 60;
/// Position of `satp.ASID`.
pub const SATP_ASID_SHIFT: u32 = 44;
