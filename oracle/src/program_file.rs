//! Program files: what `exec` makes of a file's bytes, or that it refuses them.
//!
//! The rules are xv6's (`kernel/exec.c`), which looks at little of an ELF file (System V ABI,
//! "ELF-64 Object File Format"): the first four bytes, the entry point, where the program headers
//! are and how many; of these the ones to load, and in ours the one that describes the stack.

use crate::dialect::{Bits, Dialect, Loading, SegmentRule, StackRequest};
use crate::layout::{
    AGENT_CODE, InitialMemory, Layout, PAGE_SIZE, Permissions, SECOND_ENTRY, Segment, page_ceiling,
};
use abi::limits::GROWING_STACK_PAGES;

/// The first bytes of a program file.
const MAGIC: &[u8] = b"\x7fELF";
/// Bytes of the file header, and of a program header.
const HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: usize = 56;
/// `p_type` of a segment that is loaded, and of the header that describes the stack, whose `p_memsz`
/// linkers set with `-z stack-size`.
const LOAD: u32 = 1;
const GNU_STACK: u32 = 0x6474_e551;
/// Bits of `p_flags`. All pages can be loaded from.
const EXECUTE: u32 = 1;
const WRITE: u32 = 2;

/// Pages of a program from which on a kernel that loads all at once takes too long to be waited for,
/// or finds out only with its last frame that they are too many.
const TOO_MANY_AT_ONCE: u64 = 64;

/// A program in memory, as it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it begins.
    pub entry: u64,
    /// Where its parts lie.
    pub layout: Layout,
    /// What they hold.
    pub memory: InitialMemory,
}

/// What a program does first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// It asks for its first operation.
    Agent,
    /// It dies: there is no instruction.
    Death,
    /// This is not known.
    Unknown,
}

impl Program {
    /// What the program does first, if `agent` is a program that asks for operations. Another program
    /// does so too if it begins at one of the agent's entry points and has the agent's code, with the agent's
    /// permissions.
    pub fn beginning(&self, agent: &Program) -> Beginning {
        // Bit 0 of a program counter is always zero (privileged specification, "sepc").
        let entry = self.entry & !1;
        let mut instruction = [0; 2];
        self.memory.read(entry, &mut instruction);
        let executable = |segment: &Segment| segment.permissions.contains(Permissions::EXECUTE);
        if !self.memory.segment(entry).is_some_and(executable) || instruction == [0; 2] {
            return Beginning::Death;
        }
        let [mut own, mut code] = [[0; AGENT_CODE]; 2];
        self.memory.read(0, &mut own);
        agent.memory.read(0, &mut code);
        let permissions = |program: &Program| {
            let segment = program.memory.segment(0);
            segment.map(|segment| segment.permissions)
        };
        let intact = permissions(self) == permissions(agent) && own == code;
        if intact && [agent.entry, SECOND_ENTRY].contains(&entry) {
            Beginning::Agent
        } else {
            Beginning::Unknown
        }
    }
}

/// Why a file is not executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It has no ELF header.
    NoProgram,
    /// It ends before its last program header.
    HeadersMissing,
    /// It ends before the last byte of a segment.
    BytesMissing,
    /// A segment has more bytes in the file than in memory.
    MoreThanMemory,
    /// A segment wraps around the end of all addresses.
    Wraps,
    /// A segment does not begin with a page.
    Unaligned,
    /// A segment begins below the end of the one before.
    Overlaps,
    /// It has more segments than the kernel takes.
    TooManySegments,
    /// A segment or the stack reaches beyond what programs can have.
    TooHigh,
    /// It has more pages than can be waited for: not known whether it is refused.
    TooSlow,
}

/// What `exec` makes of `bytes` on a kernel that speaks `dialect`.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse(bytes: &[u8], dialect: &Dialect) -> Result<Program, Refused> {
    let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(Refused::NoProgram)?;
    if !header.starts_with(MAGIC) {
        return Err(Refused::NoProgram);
    }
    let count = u16::from_le_bytes([header[56], header[57]]);
    let mut memory = Memory::new(bytes, dialect);
    let mut stack_bytes = 0;
    for index in 0..count {
        let header = program_header(bytes, quad(header, 32), index, dialect);
        let header = header.ok_or(Refused::HeadersMissing)?;
        match half(header, 0) {
            LOAD => memory.add(&Load::decode(header))?,
            GNU_STACK => stack_bytes = quad(header, 40),
            _ => {}
        }
    }
    memory.finish(quad(header, 24), stack_bytes)
}

fn quad(bytes: &[u8], at: usize) -> u64 {
    let chunk = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    chunk.map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

fn half(bytes: &[u8], at: usize) -> u32 {
    quad(bytes, at) as u32
}

/// Program header `index` of those that begin at `table`.
fn program_header<'b>(
    bytes: &'b [u8],
    table: u64,
    index: u16,
    dialect: &Dialect,
) -> Option<&'b [u8]> {
    let distance = u64::from(index) * PROGRAM_HEADER_BYTES as u64;
    let at = match dialect.exec.offset_bits {
        Bits::SixtyFour => table.checked_add(distance)?,
        Bits::ThirtyTwo => u64::from((table as u32).wrapping_add(distance as u32)),
    };
    part(bytes, at, PROGRAM_HEADER_BYTES as u64)
}

/// `length` bytes of the file from `offset` on.
fn part(bytes: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let from = usize::try_from(offset).ok()?;
    let to = usize::try_from(offset.checked_add(length)?).ok()?;
    bytes.get(from..to)
}

/// A header that asks for a segment to be loaded.
struct Load {
    permissions: Permissions,
    offset: u64,
    address: u64,
    file_size: u64,
    memory_size: u64,
}

impl Load {
    fn decode(header: &[u8]) -> Load {
        let flags = half(header, 4);
        let mut permissions = Permissions::READ;
        permissions.set(Permissions::EXECUTE, flags & EXECUTE != 0);
        permissions.set(Permissions::WRITE, flags & WRITE != 0);
        Load {
            permissions,
            offset: quad(header, 8),
            address: quad(header, 16),
            file_size: quad(header, 32),
            memory_size: quad(header, 40),
        }
    }
}

/// The memory of a program in the making.
struct Memory<'a> {
    file: &'a [u8],
    dialect: &'a Dialect,
    segments: Vec<Segment>,
    /// How many were to be loaded so far.
    loaded: u16,
    /// Where memory ends so far; need not be page aligned.
    end: u64,
}

impl<'a> Memory<'a> {
    fn new(file: &'a [u8], dialect: &'a Dialect) -> Memory<'a> {
        Memory {
            file,
            dialect,
            segments: Vec::new(),
            loaded: 0,
            end: 0,
        }
    }

    fn add(&mut self, load: &Load) -> Result<(), Refused> {
        if load.memory_size < load.file_size {
            return Err(Refused::MoreThanMemory);
        }
        let end = load.address.checked_add(load.memory_size);
        let end = end.ok_or(Refused::Wraps)?;
        if !load.address.is_multiple_of(PAGE_SIZE) {
            return Err(Refused::Unaligned);
        }
        self.loaded += 1;
        if self.loaded > self.dialect.limits.segments {
            return Err(Refused::TooManySegments);
        }
        let at_once = self.dialect.exec.loading == Loading::AtOnce;
        if at_once && end > TOO_MANY_AT_ONCE * PAGE_SIZE {
            return Err(Refused::TooSlow);
        }
        if end > abi::layout::TRAPFRAME {
            return Err(Refused::TooHigh);
        }
        match self.dialect.exec.segments {
            SegmentRule::Separate => self.separate(load, end),
            SegmentRule::Contiguous => self.contiguous(load, end),
        }
    }

    /// The bytes of a segment, as the file has them.
    fn content(&self, load: &Load) -> Result<&'a [u8], Refused> {
        let offset = match self.dialect.exec.offset_bits {
            Bits::SixtyFour => load.offset,
            Bits::ThirtyTwo => u64::from(load.offset as u32),
        };
        match load.file_size {
            // If the file holds no byte of it, nothing is read.
            0 => Ok(&[]),
            length => part(self.file, offset, length).ok_or(Refused::BytesMissing),
        }
    }

    /// The segment shares no page with others, and lies above them.
    fn separate(&mut self, load: &Load, end: u64) -> Result<(), Refused> {
        let bytes = self.content(load)?.to_vec();
        if load.address < page_ceiling(self.end) {
            return Err(Refused::Overlaps);
        }
        self.end = end;
        self.push(load.address, page_ceiling(end), bytes, load.permissions);
        Ok(())
    }

    /// Memory grows to the segment's end if it does not reach so far; then the bytes go where they
    /// belong, even if these pages belong to another segment.
    fn contiguous(&mut self, load: &Load, end: u64) -> Result<(), Refused> {
        if end >= self.end {
            let from = page_ceiling(self.end);
            self.push(from, page_ceiling(end), Vec::new(), load.permissions);
            self.end = end;
        }
        let content = self.content(load)?;
        for segment in &mut self.segments {
            let from = load.address.max(segment.address);
            let to = (load.address + load.file_size).min(segment.end());
            if from < to {
                let place = (from - segment.address) as usize..(to - segment.address) as usize;
                if segment.bytes.len() < place.end {
                    segment.bytes.resize(place.end, 0);
                }
                let part = (from - load.address) as usize..(to - load.address) as usize;
                segment.bytes[place].copy_from_slice(&content[part]);
            }
        }
        Ok(())
    }

    fn push(&mut self, from: u64, to: u64, bytes: Vec<u8>, permissions: Permissions) {
        if from < to {
            self.segments.push(Segment {
                address: from,
                length: to - from,
                bytes,
                permissions: self.dialect.exec.permissions.granted(permissions),
            });
        }
    }

    /// The guard page and the stack follow.
    fn finish(mut self, entry: u64, stack_bytes: u64) -> Result<Program, Refused> {
        let pages = match self.dialect.exec.stack {
            StackRequest::Granted => {
                let asked = stack_bytes.div_ceil(PAGE_SIZE).min(GROWING_STACK_PAGES);
                asked.max(self.dialect.exec.stack_pages)
            }
            StackRequest::Ignored => self.dialect.exec.stack_pages,
        };
        let guard = page_ceiling(self.end);
        let stack = guard + PAGE_SIZE;
        let end = stack + pages * PAGE_SIZE;
        if end > abi::layout::TRAPFRAME {
            return Err(Refused::TooHigh);
        }
        let (text, data) = self.text_and_data();
        self.push(stack, end, Vec::new(), Permissions::READ_WRITE);
        Ok(Program {
            entry,
            layout: Layout {
                text,
                data,
                guard: guard..stack,
                stack: stack..end,
                heap: end,
                ..Layout::nominal()
            },
            memory: InitialMemory {
                segments: self.segments,
            },
        })
    }

    /// What cases call text and data: the first segment that may be executed, and the first other
    /// one that may be stored to, or the last if none may. Nothing at address 0 if there is none.
    fn text_and_data(&self) -> (std::ops::Range<u64>, std::ops::Range<u64>) {
        let pages = |segment: &Segment| segment.address..segment.end();
        let may = |segment: &&Segment, what| segment.permissions.contains(what);
        let segments = || self.segments.iter();
        let text = segments().find(|segment| may(segment, Permissions::EXECUTE));
        let others = || segments().filter(|other| text.is_none_or(|text| *other != text));
        let data = others().find(|segment| may(segment, Permissions::WRITE));
        let data = data.or_else(|| others().next_back());
        (text.map_or(0..0, pages), data.map_or(0..0, pages))
    }
}
