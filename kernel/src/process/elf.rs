//! ELF files: as much of the format as it takes to load a program. Nothing in a file is trusted.

use abi::layout::{PAGE_SIZE, TRAPFRAME};

use crate::memory::region::Permissions;

/// Bytes of the file header.
pub const HEADER_SIZE: usize = 64;
/// Bytes of a program header.
pub const PROGRAM_HEADER_SIZE: usize = 56;

const MAGIC: [u8; 4] = *b"\x7fELF";
/// `p_type` of a segment that is loaded.
const LOAD: u32 = 1;
/// `p_type` of the header that describes the stack. Its `p_memsz` is the size that the program asks
/// for, as linkers set it with `-z stack-size`; zero if the program asks for no size.
const GNU_STACK: u32 = 0x6474_e551;
/// `p_flags`: executable, writable.
const EXECUTE: u32 = 1;
const WRITE: u32 = 2;

/// What is wrong with a file.
#[derive(Debug)]
pub struct BadProgram;

/// The file header.
pub struct Header {
    /// Where the program begins.
    pub entry: u64,
    /// Offset of the program headers in the file.
    pub program_headers: u64,
    /// How many there are.
    pub count: u16,
}

/// What a program header asks for.
pub enum ProgramHeader {
    /// A segment to load.
    Load(Segment),
    /// A stack of at most this many bytes.
    Stack(u64),
    /// Nothing.
    Other,
}

/// A segment to load.
pub struct Segment {
    /// Its offset in the file; 0 if it has no bytes there.
    pub offset: u32,
    /// Bytes in the file; the rest of its memory is zero.
    pub file_size: u32,
    /// Address of its first byte: the start of a page.
    pub address: u64,
    /// One beyond its last byte; at most the trapframe.
    pub end: u64,
    /// What may be done there.
    pub permissions: Permissions,
}

fn word(bytes: &[u8; PROGRAM_HEADER_SIZE], offset: usize) -> u64 {
    bytes[offset..]
        .first_chunk()
        .map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

fn half(bytes: &[u8; PROGRAM_HEADER_SIZE], offset: usize) -> u32 {
    (word(bytes, offset) & u64::from(u32::MAX)) as u32
}

impl Header {
    /// Reads the file header.
    pub fn decode(bytes: &[u8; HEADER_SIZE]) -> Result<Header, BadProgram> {
        if bytes[..4] != MAGIC {
            return Err(BadProgram);
        }
        let quad = |offset: usize| {
            bytes[offset..]
                .first_chunk()
                .map_or(0, |chunk| u64::from_le_bytes(*chunk))
        };
        Ok(Header {
            entry: quad(24),
            program_headers: quad(32),
            count: u16::from_le_bytes([bytes[56], bytes[57]]),
        })
    }

    /// Offset in the file of program header `index`; files are smaller than 4 GiB.
    pub fn offset_of(&self, index: u16) -> Result<u32, BadProgram> {
        u64::from(index)
            .checked_mul(PROGRAM_HEADER_SIZE as u64)
            .and_then(|offset| self.program_headers.checked_add(offset))
            .and_then(|offset| u32::try_from(offset).ok())
            .ok_or(BadProgram)
    }
}

impl ProgramHeader {
    /// Reads a program header.
    pub fn decode(bytes: &[u8; PROGRAM_HEADER_SIZE]) -> Result<ProgramHeader, BadProgram> {
        match half(bytes, 0) {
            LOAD => Segment::decode(bytes).map(ProgramHeader::Load),
            GNU_STACK => Ok(ProgramHeader::Stack(word(bytes, 40))),
            _ => Ok(ProgramHeader::Other),
        }
    }
}

impl Segment {
    fn decode(bytes: &[u8; PROGRAM_HEADER_SIZE]) -> Result<Segment, BadProgram> {
        let flags = half(bytes, 4);
        let address = word(bytes, 16);
        let file_size = u32::try_from(word(bytes, 32)).map_err(|_| BadProgram)?;
        let memory_size = word(bytes, 40);
        let end = address.checked_add(memory_size).ok_or(BadProgram)?;
        if memory_size < u64::from(file_size)
            || !address.is_multiple_of(PAGE_SIZE)
            || end > TRAPFRAME
        {
            return Err(BadProgram);
        }
        let mut permissions = Permissions::READ;
        if flags & EXECUTE != 0 {
            permissions = permissions.and(Permissions::EXECUTE);
        }
        if flags & WRITE != 0 {
            permissions = permissions.and(Permissions::WRITE);
        }
        // If the segment has no bytes in the file, their offset does not matter.
        let offset = match file_size {
            0 => 0,
            _ => u32::try_from(word(bytes, 8)).map_err(|_| BadProgram)?,
        };
        Ok(Segment {
            offset,
            file_size,
            address,
            end,
            permissions,
        })
    }
}
