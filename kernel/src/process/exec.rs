//! `exec`: makes an address space from a program file and its arguments.

use abi::layout::{PAGE_SIZE, TRAPFRAME};
use abi::limits::{ARGUMENTS, GROWING_STACK_PAGES, PROCESS_NAME, STACK_PAGES};

use super::elf::{BadProgram, HEADER_SIZE, Header, PROGRAM_HEADER_SIZE, ProgramHeader, Segment};
use super::program_image::ProgramImage;
use super::trapframe::Trapframe;
use super::{AddressSpace, Name, Process};
use crate::address::{Page, UserAddress};
use crate::file_system::program_file::ProgramFile;
use crate::file_system::{self, Failed, Inode, InodeReference};
use crate::memory::region::{Backing, BadRegion, Kind, Permissions, Region, Regions};
use crate::memory::{Access, Fault, OutOfFrames};

/// A program could not be loaded. The caller is not told why.
#[derive(Debug)]
pub struct CannotExec;

macro_rules! reasons {
    ($($error:ty),*) => {$(
        impl From<$error> for CannotExec {
            fn from(_: $error) -> CannotExec {
                CannotExec
            }
        }
    )*};
}

reasons!(BadProgram, BadRegion, Failed, Fault, OutOfFrames);

/// The arguments of a new program.
pub trait Arguments {
    /// Copies argument `index` to the new program's stack, below `stack`, and returns the address
    /// of its first byte. `None` if there is no such argument.
    fn push(
        &mut self,
        index: usize,
        space: &mut AddressSpace,
        stack: u64,
    ) -> Result<Option<u64>, CannotExec>;
}

/// The arguments of the first program: its path.
pub struct OnePath;

impl Arguments for OnePath {
    fn push(
        &mut self,
        index: usize,
        space: &mut AddressSpace,
        stack: u64,
    ) -> Result<Option<u64>, CannotExec> {
        const PATH: &[u8] = b"/init\0";
        if index > 0 {
            return Ok(None);
        }
        let place = room(stack, PATH.len())?;
        space.copy_out(UserAddress(place), PATH)?;
        Ok(Some(place))
    }
}

/// Where `bytes` bytes below `stack` begin: the stack pointer stays a multiple of 16, as RISC-V's
/// calling convention wants it.
pub fn room(stack: u64, bytes: usize) -> Result<u64, CannotExec> {
    let place = stack.checked_sub(bytes as u64).ok_or(CannotExec)?;
    Ok(place & !15)
}

/// A program that is ready to run.
pub struct Loaded {
    /// Its memory.
    pub space: AddressSpace,
    /// Its name.
    pub name: Name,
    /// Where it begins.
    entry: u64,
    stack: u64,
    /// Number of its arguments.
    pub argument_count: usize,
}

impl Loaded {
    /// Sets the registers so that the process begins with the program when it goes to user mode.
    /// (`a0`, the number of arguments, is what `exec` returns.)
    pub fn enter(&self, trapframe: &mut Trapframe) {
        trapframe.program_counter = self.entry;
        trapframe.set_stack_pointer(self.stack);
        trapframe.set_argument::<0>(self.argument_count as u64);
        trapframe.set_argument::<1>(self.stack);
    }
}

/// Makes the program at `path` ready to run in `process`, with `arguments` on its stack. Of its
/// file only the headers are read: pages come when they are touched.
pub fn program(
    process: &'static Process,
    directory: Option<&InodeReference>,
    path: &[u8],
    arguments: &mut dyn Arguments,
) -> Result<Loaded, CannotExec> {
    let (image, entry) = file_system::transaction(|| {
        let reference = file_system::find(directory, path)?;
        // Locked until there is a program file, which lets the file change.
        let mut file = reference.lock()?;
        let mut bytes = [0; HEADER_SIZE];
        file.read_exact(0, &mut bytes)?;
        let header = Header::decode(&bytes)?;
        let regions = lay_out(&header, &mut file)?;
        let image = ProgramImage::share(ProgramFile::new(reference.clone()), regions);
        Ok::<_, CannotExec>((image, header.entry))
    })?;
    let mut space = AddressSpace::new(process.fixtures(), image)?;
    let stack_end = space.program_break();
    let (stack, argument_count) = push_arguments(&mut space, stack_end, arguments)?;
    Ok(Loaded {
        space,
        name: name_of(path),
        entry,
        stack,
        argument_count,
    })
}

/// The regions of the program in `file`: its segments, a guard page, the stack.
fn lay_out(header: &Header, file: &mut Inode<'_>) -> Result<Regions, CannotExec> {
    let mut regions = Regions::new();
    let mut stack_bytes = 0;
    for index in 0..header.count {
        match program_header(file, header, index)? {
            ProgramHeader::Load(segment) => push_segment(&mut regions, &segment, file.size())?,
            ProgramHeader::Stack(bytes) => stack_bytes = bytes,
            ProgramHeader::Other => {}
        }
    }
    push_stack(&mut regions, stack_bytes)?;
    Ok(regions)
}

fn program_header(
    file: &mut Inode<'_>,
    header: &Header,
    index: u16,
) -> Result<ProgramHeader, CannotExec> {
    let mut bytes = [0; PROGRAM_HEADER_SIZE];
    file.read_exact(header.offset_of(index)?, &mut bytes)?;
    Ok(ProgramHeader::decode(&bytes)?)
}

/// A segment's bytes must all be in the file, which has `size` bytes.
fn push_segment(regions: &mut Regions, segment: &Segment, size: u32) -> Result<(), CannotExec> {
    let file_end = segment.offset.checked_add(segment.file_size);
    if file_end.is_none_or(|end| end > size) {
        return Err(CannotExec);
    }
    let kind = if segment.permissions.allow(Access::Fetch) {
        Kind::Text
    } else {
        Kind::Data
    };
    let backing = match segment.file_size {
        0 => Backing::Zeros,
        length => Backing::File {
            offset: segment.offset,
            length,
        },
    };
    Ok(regions.push(Region {
        kind,
        pages: Page::containing(segment.address)..Page::at_or_after(segment.end),
        permissions: segment.permissions,
        backing,
    })?)
}

/// The guard page and the stack follow the program; together they end at most at the trapframe. The
/// stack has room for `bytes`, within limits. Most of its pages are holes: it grows when they are
/// touched.
fn push_stack(regions: &mut Regions, bytes: u64) -> Result<(), CannotExec> {
    let pages = bytes
        .div_ceil(PAGE_SIZE)
        .clamp(STACK_PAGES, GROWING_STACK_PAGES);
    let guard = regions.end();
    let stack = guard.next();
    let end = stack.start().0 + pages * PAGE_SIZE;
    if end > TRAPFRAME {
        return Err(CannotExec);
    }
    regions.push(Region {
        kind: Kind::Guard,
        pages: guard..stack,
        permissions: Permissions::NONE,
        backing: Backing::Nothing,
    })?;
    regions.push(Region {
        kind: Kind::Stack,
        pages: stack..Page::at_or_after(end),
        permissions: Permissions::READ_WRITE,
        backing: Backing::Zeros,
    })?;
    Ok(())
}

/// Puts the arguments and the array of their addresses on the new stack, in its uppermost page,
/// which is the only one in the C kernel. Returns the stack pointer and the number of arguments.
fn push_arguments(
    space: &mut AddressSpace,
    stack_end: u64,
    arguments: &mut dyn Arguments,
) -> Result<(u64, usize), CannotExec> {
    let stack_start = stack_end.saturating_sub(PAGE_SIZE);
    let mut stack = stack_end;
    let mut addresses = [[0; 8]; ARGUMENTS];
    let mut count = 0;
    while let Some(place) = arguments.push(count, space, stack)? {
        // The last address stays null.
        if count + 1 >= ARGUMENTS || place < stack_start {
            return Err(CannotExec);
        }
        addresses[count] = place.to_le_bytes();
        stack = place;
        count += 1;
    }
    let array = addresses[..=count].as_flattened();
    stack = room(stack, array.len())?;
    if stack < stack_start {
        return Err(CannotExec);
    }
    space.copy_out(UserAddress(stack), array)?;
    Ok((stack, count))
}

/// A process has the name of its program: the last part of the path.
fn name_of(path: &[u8]) -> Name {
    let last = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let mut name = [0; PROCESS_NAME];
    for (to, from) in name.iter_mut().zip(last.iter().take(PROCESS_NAME - 1)) {
        *to = *from;
    }
    name
}
