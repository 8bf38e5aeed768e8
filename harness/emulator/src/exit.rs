//! Why a run ended, and what a guest's trap was.

use crate::defect::Defect;

/// Why [`Machine::run`](crate::Machine::run) came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// A hart is at a hint call in U-mode; the hint has not retired, so running on finds it
    /// again until the program counter is moved.
    Hint {
        /// The hart at the hint.
        hart: usize,
        /// The immediate of the `slti x0, x0, code`.
        code: i32,
    },
    /// A hart is at a breakpoint. Running on executes the instruction.
    Breakpoint {
        /// The hart at the breakpoint.
        hart: usize,
        /// The virtual address of the breakpoint.
        pc: u64,
    },
    /// The budget is spent.
    Budget,
    /// Every hart sleeps in `wfi`, and nothing inside the machine can wake one.
    Idle,
    /// A hart can never do anything again: it jumps to itself, or its trap handler faults, with
    /// every interrupt off; and no other hart can do better.
    Stuck {
        /// The first such hart.
        hart: usize,
        /// Where it spins.
        pc: u64,
    },
    /// The guest wrote to the test finisher.
    Finished {
        /// 0 for success or a reset request, else the guest's failure code (1 if it gave none).
        code: u16,
    },
    /// The machine met a state that only a mistake in itself can lead to, and never runs again:
    /// not after a reset either. Nothing that it computed since the last snapshot can be trusted.
    /// A debug build panics instead.
    Defect(Defect),
}

/// A trap that a hart took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Exception code or interrupt number, as in `scause` without its top bit.
    pub cause: u64,
    /// What went to `stval` or `mtval`.
    pub value: u64,
    /// Virtual address of the instruction that trapped or was interrupted.
    pub pc: u64,
    /// Whether this was an interrupt.
    pub is_interrupt: bool,
    /// The address space in which it happened: `satp` before the handler changed it.
    pub satp: u64,
}

/// A physical access that is not entirely inside RAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("physical range {address:#x}+{length:#x} is not inside RAM")]
pub struct OutOfRange {
    /// First physical address asked for.
    pub address: u64,
    /// Bytes asked for.
    pub length: usize,
}

/// Why a machine could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A value of the configuration is outside its range.
    #[error(
        "a machine needs 1 to 8 harts, RAM in whole pages between 64 KiB and 4 GiB, and a quantum above 0"
    )]
    Config,
    /// The command line cannot be passed to the program.
    #[error("the command line holds a zero byte, or leaves no room for a device tree in RAM")]
    CommandLine,
    /// The kernel is not an RV64 ELF file that this machine can run.
    #[error("the kernel is not an ELF file for RV64 that can be loaded: {0}")]
    Elf(&'static str),
    /// A loadable segment of the kernel does not fit into RAM.
    #[error(
        "a segment of the kernel at physical {address:#x}, {bytes:#x} bytes long, is not inside RAM"
    )]
    SegmentOutsideRam {
        /// Physical address of the segment.
        address: u64,
        /// Its length in memory.
        bytes: u64,
    },
}
