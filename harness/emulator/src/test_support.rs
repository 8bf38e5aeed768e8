//! What the unit tests of this crate share: a machine that runs a few instructions.

use crate::config::{Config, RAM_BASE};
use crate::machine::Machine;

/// A RISC-V executable with one segment, `code` at `address`, which is also its entry.
pub(crate) fn executable(address: u64, code: &[u8]) -> Vec<u8> {
    let mut elf = Vec::new();
    elf.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    // An executable (2) for RISC-V (243), version 1.
    elf.extend_from_slice(&[2, 0, 243, 0, 1, 0, 0, 0]);
    for value in [address, 64, 0] {
        elf.extend_from_slice(&value.to_le_bytes());
    }
    // Flags; sizes of the header and of a program header; one program header; no sections.
    elf.extend_from_slice(&[0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
    elf.extend_from_slice(&[1, 0, 0, 0, 7, 0, 0, 0]);
    let length = code.len() as u64;
    for value in [120, address, address, length, length, 4096] {
        elf.extend_from_slice(&value.to_le_bytes());
    }
    elf.extend_from_slice(code);
    elf
}

/// A machine about to execute `instructions` at the start of RAM.
pub(crate) fn machine(config: &Config, instructions: &[u32]) -> Machine {
    let code: Vec<u8> = instructions
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    Machine::new(config, &executable(RAM_BASE, &code), Vec::new())
        .unwrap_or_else(|error| panic!("{error}"))
}
