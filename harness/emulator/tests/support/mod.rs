//! What the emulator's tests and benchmarks share: an assembler, a program loader, a test bench.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(unreachable_pub, reason = "a test binary exports nothing")]

pub mod assembler;
pub mod compressed;
pub mod elf;
pub mod names;
pub mod rig;
pub mod table;
