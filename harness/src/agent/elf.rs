//! Writes the agent's ELF files: a header, two loadable segments, and in one of them a
//! `PT_GNU_STACK` header.
//!
//! Field layout: System V ABI, "ELF-64 Object File Format". A file without that header gets xv6's
//! single stack page with its guard page; in the other the header asks for a stack that grows.

use super::{DATA_BYTES, DATA_START, PAGE, TEXT_BYTES, TEXT_START};

const HEADER_BYTES: u16 = 64;
const PROGRAM_HEADER_BYTES: u16 = 56;
const TYPE_EXECUTABLE: u16 = 2;
const MACHINE_RISCV: u16 = 243;
const SEGMENT_LOAD: u32 = 1;
const SEGMENT_STACK: u32 = 0x6474_e551;
const EXECUTE: u32 = 1;
const WRITE: u32 = 2;
const READ: u32 = 4;

/// What the file holds behind the data.
const BEYOND_THE_DATA: u8 = 0xa5;

/// The file: `text` readable and executable at [`TEXT_START`], `data` readable and writable at
/// [`DATA_START`] with zeroes up to [`DATA_BYTES`]; `stack` is how many bytes of stack it asks for,
/// if it asks.
pub(super) fn write(text: &[u8], data: &[u8], entry: u64, stack: Option<u64>) -> Vec<u8> {
    let headers = 2 + u16::from(stack.is_some());
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
    for half in [HEADER_BYTES, PROGRAM_HEADER_BYTES, headers, 64, 0, 0] {
        file.extend_from_slice(&half.to_le_bytes());
    }

    let mut segment = |kind: u32, flags: u32, fields: [u64; 6]| {
        file.extend_from_slice(&kind.to_le_bytes());
        file.extend_from_slice(&flags.to_le_bytes());
        for field in fields {
            file.extend_from_slice(&field.to_le_bytes());
        }
    };
    let mut load = |flags, offset, address, bytes: &[u8], memory| {
        let fields = [offset, address, address, bytes.len() as u64, memory, PAGE];
        segment(SEGMENT_LOAD, flags, fields);
    };
    load(READ | EXECUTE, text_offset, TEXT_START, text, TEXT_BYTES);
    load(READ | WRITE, data_offset, DATA_START, data, DATA_BYTES);
    if let Some(bytes) = stack {
        segment(SEGMENT_STACK, READ | WRITE, [0, 0, 0, 0, bytes, 16]);
    }

    file.resize(text_offset as usize, 0);
    file.extend_from_slice(text);
    file.extend_from_slice(data);
    // What follows in the last page is no part of the data: a kernel that maps the whole page shows it.
    file.resize(file.len().next_multiple_of(PAGE as usize), BEYOND_THE_DATA);
    file
}
