//! The smallest ELF file that holds given bytes at given physical addresses.

const HEADER_BYTES: usize = 64;
const SEGMENT_HEADER_BYTES: usize = 56;
const EXECUTABLE: u16 = 2;
const RISCV: u16 = 243;
const LOAD: u32 = 1;
const READ_WRITE_EXECUTE: u32 = 7;

/// An executable for RV64 whose segments are `(physical address, bytes)`.
pub fn executable(entry: u64, segments: &[(u64, &[u8])]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    file.extend(EXECUTABLE.to_le_bytes());
    file.extend(RISCV.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    file.extend(entry.to_le_bytes());
    file.extend((HEADER_BYTES as u64).to_le_bytes());
    file.extend(0_u64.to_le_bytes());
    file.extend(0_u32.to_le_bytes());
    for half in [HEADER_BYTES, SEGMENT_HEADER_BYTES, segments.len(), 64, 0, 0] {
        file.extend((half as u16).to_le_bytes());
    }
    let mut offset = (HEADER_BYTES + SEGMENT_HEADER_BYTES * segments.len()) as u64;
    for (address, bytes) in segments {
        file.extend(LOAD.to_le_bytes());
        file.extend(READ_WRITE_EXECUTE.to_le_bytes());
        for field in [
            offset,
            *address,
            *address,
            bytes.len() as u64,
            bytes.len() as u64,
            1,
        ] {
            file.extend(field.to_le_bytes());
        }
        offset += bytes.len() as u64;
    }
    for (_, bytes) in segments {
        file.extend(*bytes);
    }
    file
}
