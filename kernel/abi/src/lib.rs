//! The binary interface that the kernel and its users share: numbers, layout, structures.
//!
//! Everything here is xv6-riscv's interface of 2025, so programs and disk images of the C kernel
//! and of this one can be exchanged; one system call is added to it. The crate has no dependencies
//! and builds for guest and host.
#![no_std]
#![forbid(unsafe_code)]

pub mod file_system;
pub mod layout;
pub mod limits;
mod memory_usage;
pub mod open;
pub mod sbrk;
pub mod stat;
pub mod system_call;

pub use memory_usage::MemoryUsage;
pub use system_call::SystemCall;
