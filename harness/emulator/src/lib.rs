//! A deterministic RV64 machine with snapshots: harts, memory management, devices.
//!
//! [`Machine`] is the whole of it: build one from an ELF file and a disk image, run it for a number
//! of instructions, look into it from outside, take a snapshot and go back to it. It knows nothing
//! of the program it runs.
//!
//! Inside, an instruction is decoded once (`code`) and executed by the block (`execute`), against
//! memory behind software TLBs (`memory`); what a block cannot decide by itself (traps,
//! interrupts, whose turn it is) is decided between blocks (`run`).

#![forbid(unsafe_code)]

mod clock;
mod code;
mod config;
mod coverage;
mod device_tree;
pub mod devices;
mod elf;
mod execute;
mod exit;
mod hart;
pub mod isa;
mod machine;
mod memory;
mod run;
mod snapshot;
#[cfg(test)]
mod test_support;
mod translations;

pub use config::{Clock, Config, Coverage, RAM_BASE, RAM_BYTES_MAX, RAM_BYTES_MIN};
pub use devices::{DiskFlavour, SectorWrite};
pub use exit::{BuildError, Exit, OutOfRange, Trap};
pub use isa::Privilege;
pub use machine::Machine;
pub use memory::Mapping;
pub use snapshot::{ResetStats, Snapshot};
