//! What the host knows of RISC-V's encodings, for the machine and for anyone who looks into it:
//! names of registers, numbers of control and status registers, causes of traps, bits of page-table
//! entries, and instructions.
//!
//! Everything here is a table of the specifications (unprivileged and privileged, version 20240411)
//! and knows nothing of the machine.

pub mod assemble;
pub mod cause;
pub(crate) mod compressed;
pub mod csr;
pub(crate) mod format;
mod instruction;
pub mod page_table;
mod privilege;
pub mod register;
mod rewrite;

pub use instruction::{Effect, Instruction, MemoryAccess};
pub use privilege::Privilege;
