//! Where things lie in a user address space, and what memory holds when a case starts.

use std::ops::Range;

/// Bytes in a page.
pub const PAGE_SIZE: u64 = abi::layout::PAGE_SIZE;

/// The page-aligned address at or below `address`.
pub fn page_floor(address: u64) -> u64 {
    address & !(PAGE_SIZE - 1)
}

/// The page-aligned address at or above `address`; saturates at the last page of the 64-bit space.
pub fn page_ceiling(address: u64) -> u64 {
    page_floor(address.saturating_add(PAGE_SIZE - 1))
}

/// The addresses that regions of the case language stand for.
///
/// Ranges are page aligned. The harness discovers them on the booted kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The agent's code.
    pub text: Range<u64>,
    /// The agent's writable data.
    pub data: Range<u64>,
    /// The page below the stack that no program may touch.
    pub guard: Range<u64>,
    /// The stack.
    pub stack: Range<u64>,
    /// Where the heap begins: the first program break, page aligned.
    pub heap: u64,
    /// The trapframe page; the program break may not pass it.
    pub trapframe: u64,
    /// The trampoline page.
    pub trampoline: u64,
    /// One past the largest virtual address that the kernel uses (`MAXVA`).
    pub max_va: u64,
    /// Where the kernel lies in its own address space.
    pub kernel: u64,
}

impl Layout {
    /// The layout of the agent under xv6, as the harness lays it out: what repair and generation
    /// assume when no kernel was booted.
    pub fn nominal() -> Layout {
        Layout {
            text: 0..0x2000,
            data: 0x2000..0x4000,
            guard: 0x4000..0x5000,
            stack: 0x5000..0x6000,
            heap: 0x6000,
            trapframe: abi::layout::TRAPFRAME,
            trampoline: abi::layout::TRAMPOLINE,
            max_va: abi::layout::MAX_VIRTUAL,
            kernel: abi::layout::RAM_START,
        }
    }
}

bitflags::bitflags! {
    /// What a user program may do with a page.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Permissions: u8 {
        /// Load.
        const READ = 1;
        /// Store.
        const WRITE = 2;
        /// Fetch instructions.
        const EXECUTE = 4;
        /// Code.
        const READ_EXECUTE = Self::READ.bits() | Self::EXECUTE.bits();
        /// Data.
        const READ_WRITE = Self::READ.bits() | Self::WRITE.bits();
    }
}

/// A stretch of user memory with one set of permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First address, page aligned.
    pub address: u64,
    /// How many bytes, whole pages.
    pub length: u64,
    /// What it begins with, at most `length` bytes; the rest is zero.
    pub bytes: Vec<u8>,
    /// What the program may do with it.
    pub permissions: Permissions,
}

impl Segment {
    /// One past the last page of the segment.
    pub fn end(&self) -> u64 {
        self.address.saturating_add(self.length)
    }
}

/// The compressed instruction `c.jr ra`, which the agent's text is filled with beyond its code: what
/// a fetch operation may jump to (unprivileged specification, "C" extension).
pub const RETURN: u16 = 0x8082;

/// Bytes at the start of the agent's text that hold its own code; returns follow.
pub const AGENT_CODE: usize = 0x800;

/// Where in the agent's text a second entry point is, for programs that do not begin at the first.
pub const SECOND_ENTRY: u64 = AGENT_CODE as u64 - 4;

/// What a program's memory holds when it starts: text, data and stack (the heap is empty).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialMemory {
    /// The mapped stretches, in ascending order of address, not overlapping.
    pub segments: Vec<Segment>,
}

impl InitialMemory {
    /// The segment whose pages hold `address`, if one does.
    pub fn segment(&self, address: u64) -> Option<&Segment> {
        self.segments
            .iter()
            .find(|segment| segment.address <= address && address < segment.end())
    }

    /// The byte at `address`; 0 if there is none.
    pub fn byte(&self, address: u64) -> u8 {
        let byte = |segment: &Segment| {
            let at = usize::try_from(address - segment.address).ok()?;
            segment.bytes.get(at).copied()
        };
        self.segment(address).and_then(byte).unwrap_or(0)
    }

    /// Fills `bytes` with what lies at `address`; 0 where there is nothing.
    pub fn read(&self, address: u64, bytes: &mut [u8]) {
        bytes.fill(0);
        let end = address.saturating_add(bytes.len() as u64);
        for segment in &self.segments {
            let content = segment.address + segment.bytes.len() as u64;
            let (from, to) = (segment.address.max(address), content.min(end));
            if from < to {
                let length = (to - from) as usize;
                bytes[(from - address) as usize..][..length]
                    .copy_from_slice(&segment.bytes[(from - segment.address) as usize..][..length]);
            }
        }
    }
}
