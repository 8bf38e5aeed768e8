//! A deterministic RV64 machine with snapshots: harts, memory management, devices.
//!
//! [`Machine`] is the whole of it: build one from an ELF file and a disk image, run it for a number
//! of instructions, look into it from outside, take a snapshot and go back to it. It knows nothing
//! of the program it runs.
//!
//! Inside, an instruction is decoded once (`code`) and executed by the block (`execute`), against
//! memory behind software TLBs (`memory`); what a block cannot decide by itself (traps,
//! interrupts, which hart runs) is decided between blocks (`run`).
//!
//! # Where to find things
//!
//! | to find | look into |
//! |---|---|
//! | what an operation does | `execute/body.rs`, one line for each; loads and stores in `access.rs`, branches in `control.rs`, arithmetic in `integer.rs` |
//! | encodings: formats of instructions, compressed ones, CSR numbers, page-table entries, causes | `isa/`, public for hosts that read or write machine code |
//! | how an instruction becomes an operation | `code/decode.rs`; the codes and their pairs in `code/codes.rs`; blocks in `code/translate.rs` and `code/cache.rs` |
//! | how execution goes from block to block | `execute/chain.rs`; loops executed in bulk in `code/loops.rs` and `execute/bulk.rs` |
//! | traps, CSRs, interrupts, memory protection | `hart/` |
//! | translation, TLBs, fences, dirty pages | `memory/`: `access.rs` first, then `sv39.rs`, `tlb.rs`, `fence.rs`, `ram.rs` |
//! | what the machine does otherwise on request | `variations.rs`; `memory/kept.rs` for TLBs, `memory/old_code.rs` for code |
//! | devices of the board | `devices/` |
//! | whose turn it is, and when a run ends | `run.rs`, `exit.rs`; time in `clock.rs` |
//! | snapshots and resets | `snapshot.rs`, `machine.rs` and `memory/ram.rs` |
//! | whether a state comes back | `moment.rs` |
//! | coverage of the guest | `coverage.rs` |
//! | what happens when this crate meets a mistake in itself | `defect.rs` |

#![forbid(unsafe_code)]

mod clock;
mod code;
mod config;
mod coverage;
mod defect;
mod device_tree;
pub mod devices;
mod elf;
mod execute;
mod exit;
mod hart;
pub mod isa;
mod machine;
mod memory;
mod moment;
mod run;
mod snapshot;
#[cfg(test)]
mod test_support;
mod translations;
mod variations;

pub use config::{Clock, Config, Coverage, RAM_BASE, RAM_BYTES_MAX, RAM_BYTES_MIN};
pub use defect::Defect;
pub use devices::{DiskFlavour, SECTOR_BYTES, SectorWrite};
pub use exit::{BuildError, Exit, OutOfRange, Trap};
pub use isa::Privilege;
pub use machine::Machine;
pub use memory::Mapping;
pub use moment::Moment;
pub use snapshot::{ResetStats, Snapshot};
pub use variations::Variations;
