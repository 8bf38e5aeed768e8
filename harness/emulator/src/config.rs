//! What a machine is made of, chosen before it is built.

use crate::devices::{DiskFlavour, MAX_HARTS};

/// Physical address of the first byte of RAM.
pub const RAM_BASE: u64 = 0x8000_0000;

/// Smallest RAM a machine may have, in bytes.
pub const RAM_BYTES_MIN: u64 = 64 << 10;
/// Largest RAM a machine may have, in bytes.
pub const RAM_BYTES_MAX: u64 = 4 << 30;

/// How time passes. There is no host clock anywhere: two runs of one program are identical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Time is counted in instructions, of all harts together; `wfi` skips to the next deadline.
    Running {
        /// Instructions that make one tick of `mtime`; 0 counts as 1.
        instructions_per_tick: u32,
    },
    /// Time stands still, except that [`Machine::raise_timer`](crate::Machine::raise_timer) moves
    /// it to a hart's next deadline; only that hart's timer then interrupts.
    Held,
}

/// The privilege modes whose control-flow edges are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Count nothing.
    Off,
    /// Count edges taken in U-mode.
    User,
    /// Count edges taken in S-mode.
    Supervisor,
    /// Count edges taken in S-mode and in M-mode.
    Kernel,
    /// Count every edge.
    All,
}

/// Everything that decides what a machine is. Start from [`Config::default`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of RAM, from [`RAM_BASE`] up: a multiple of 4096 between [`RAM_BYTES_MIN`] and
    /// [`RAM_BYTES_MAX`]. 128 MiB by default.
    pub ram_bytes: u64,
    /// Number of harts, 1 to 8. One by default.
    pub harts: usize,
    /// Register layout of the virtio disk. Modern by default.
    pub disk: DiskFlavour,
    /// How time passes. Running, 100 instructions a tick, by default.
    pub clock: Clock,
    /// Whether `slti x0, x0, code` in U-mode is a hint call that ends
    /// [`Machine::run`](crate::Machine::run). Off by default.
    pub hints: bool,
    /// Whose control-flow edges are counted. Off by default.
    pub coverage: Coverage,
    /// Makes every `sfence.vma` and every write of `satp` forget all translations, to check the
    /// finer bookkeeping against. Off by default.
    pub strict_tlb: bool,
    /// Bits of an address-space identifier, 0 to 16: others of `satp` stay zero. 16 by default.
    pub identifier_bits: u32,
    /// Instructions one hart executes before the next has its turn, at least 1. 4096 by default.
    pub quantum: u32,
    /// What the program is told at boot, as `bootargs` in a device tree at the end of RAM whose
    /// address is in `a1`, on every hart. `None`, the default: there is no tree, and `a1` is 0.
    pub command_line: Option<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            ram_bytes: 128 << 20,
            harts: 1,
            disk: DiskFlavour::Modern,
            clock: Clock::Running {
                instructions_per_tick: 100,
            },
            hints: false,
            coverage: Coverage::Off,
            strict_tlb: false,
            identifier_bits: 16,
            quantum: 4096,
            command_line: None,
        }
    }
}

impl Config {
    /// Is every value inside its range?
    pub(crate) fn is_valid(&self) -> bool {
        (1..=MAX_HARTS).contains(&self.harts)
            && (RAM_BYTES_MIN..=RAM_BYTES_MAX).contains(&self.ram_bytes)
            && self.ram_bytes.is_multiple_of(4096)
            && self.identifier_bits <= 16
            && self.quantum > 0
    }
}
