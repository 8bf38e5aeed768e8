//! Writes the agent's ELF file: a header, two loadable segments, nothing else.
//!
//! Field layout: System V ABI, "ELF-64 Object File Format". There is no `PT_GNU_STACK` header, so
//! a kernel that reads one gives the agent xv6's single stack page with its guard page.

use super::{DATA_BYTES, DATA_START, PAGE, TEXT_BYTES, TEXT_START};

const HEADER_BYTES: u16 = 64;
const PROGRAM_HEADER_BYTES: u16 = 56;
const TYPE_EXECUTABLE: u16 = 2;
const MACHINE_RISCV: u16 = 243;
const SEGMENT_LOAD: u32 = 1;
const EXECUTE: u32 = 1;
const WRITE: u32 = 2;
const READ: u32 = 4;

/// The file: `text` readable and executable at [`TEXT_START`], `data` readable and writable at
/// [`DATA_START`] with zeroes up to [`DATA_BYTES`].
pub(super) fn write(text: &[u8], data: &[u8], entry: u64) -> Vec<u8> {
    let text_offset = PAGE;
    let data_offset = text_offset + TEXT_BYTES;
    let mut file = Vec::with_capacity(data_offset as usize + data.len());

    file.extend_from_slice(b"\x7fELF\x02\x01\x01");
    file.resize(16, 0);
    file.extend_from_slice(&TYPE_EXECUTABLE.to_le_bytes());
    file.extend_from_slice(&MACHINE_RISCV.to_le_bytes());
    file.extend_from_slice(&1_u32.to_le_bytes());
    file.extend_from_slice(&entry.to_le_bytes());
    file.extend_from_slice(&u64::from(HEADER_BYTES).to_le_bytes());
    file.extend_from_slice(&0_u64.to_le_bytes()); // no section headers
    file.extend_from_slice(&0_u32.to_le_bytes()); // flags: no compressed, soft float
    for half in [HEADER_BYTES, PROGRAM_HEADER_BYTES, 2, 64, 0, 0] {
        file.extend_from_slice(&half.to_le_bytes());
    }

    let mut segment = |flags: u32, offset: u64, address: u64, bytes: &[u8], memory: u64| {
        file.extend_from_slice(&SEGMENT_LOAD.to_le_bytes());
        file.extend_from_slice(&flags.to_le_bytes());
        for field in [offset, address, address, bytes.len() as u64, memory, PAGE] {
            file.extend_from_slice(&field.to_le_bytes());
        }
    };
    segment(READ | EXECUTE, text_offset, TEXT_START, text, TEXT_BYTES);
    segment(READ | WRITE, data_offset, DATA_START, data, DATA_BYTES);

    file.resize(text_offset as usize, 0);
    file.extend_from_slice(text);
    file.extend_from_slice(data);
    file
}
