//! Conformance tests: what the RISC-V specifications say of each instruction and each trap.
//!
//! Volume I (unprivileged) and volume II (privileged), version 20240411 and later; "I:" and "II:"
//! in comments cite them.

#[path = "../support/mod.rs"]
mod support;

mod assembler;
mod atomic;
mod branches;
mod compressed;
mod csr;
mod fences;
mod integer;
mod interrupts;
mod memory;
mod multiply;
mod privilege;
mod protection;
mod translation;
mod traps;
mod variations;
