//! System calls about open files.

use abi::file_system::BLOCK_SIZE;
use abi::limits::{CONSOLE, OPERATION_BLOCKS};

use super::{Answer, Refused, argument};
use crate::address::UserAddress;
use crate::file::pipe::{End, Pipe};
use crate::file::{File, Target, console};
use crate::file_system::{Failed, Inode, InodeReference, transaction};
use crate::memory::{Access, Origin};
use crate::process::{AddressSpace, Task};

pub(super) fn dup(task: &mut Task<'_>) -> Answer {
    let file = task.files.get(argument::int::<0>(task))?.duplicate();
    Ok(add(task, file)? as u64)
}

/// Gives `file` a descriptor, or closes it.
///
/// # Errors
/// The process has no descriptor left.
pub(super) fn add(task: &mut Task<'_>, file: File) -> Result<i32, Refused> {
    match task.files.add(file) {
        Ok(descriptor) => Ok(descriptor),
        Err(file) => {
            file.close();
            Err(Refused)
        }
    }
}

pub(super) fn close(task: &mut Task<'_>) -> Answer {
    task.files.take(argument::int::<0>(task))?.close();
    Ok(0)
}

pub(super) fn read(task: &mut Task<'_>) -> Answer {
    let to = argument::address::<1>(task);
    let length = argument::int::<2>(task);
    let file = task.files.get(argument::int::<0>(task))?;
    if !file.readable {
        return Err(Refused);
    }
    // A negative number of bytes is refused, whatever the descriptor leads to.
    let count = usize::try_from(length).map_err(|_| Refused)?;
    let done = match &file.target {
        Target::Pipe(pipe, _) => pipe.read(task.thread, task.space, to, count),
        Target::Device(CONSOLE, _) => console::read(task.thread, task.space, to, count),
        Target::Device(..) => None,
        Target::Inode(inode) => Some(read_inode(file, inode, task.space, to, length as u32)?),
    };
    Ok(done.ok_or(Refused)? as u64)
}

fn read_inode(
    file: &File,
    inode: &InodeReference,
    space: &mut AddressSpace,
    to: UserAddress,
    length: u32,
) -> Result<usize, Failed> {
    loop {
        let mut inode = inode.lock()?;
        let offset = file.offset();
        let count = length.min(inode.size().saturating_sub(offset));
        if let Some(page) = space.first_not_loaded(to, count as usize) {
            // The page may come from this file, so the inode must not be locked.
            drop(inode);
            let loaded = space.load(page.start(), Access::Store, Origin::SystemCall);
            loaded.map_err(|_| Failed)?;
            continue;
        }
        let done = copy_to_user(&mut inode, offset, space, to, length)?;
        file.advance(done);
        return Ok(done);
    }
}

/// Copies at most `length` bytes of a file, from `offset` on, to user memory, and returns how many.
///
/// # Errors
/// The user memory cannot be written, or the file cannot be read.
fn copy_to_user(
    inode: &mut Inode<'_>,
    offset: u32,
    space: &mut AddressSpace,
    to: UserAddress,
    length: u32,
) -> Result<usize, Failed> {
    let mut bad_address = false;
    let done = inode.read(offset, length, |position, part| {
        let place = to.checked_add(position as u64);
        let copied = place.is_some_and(|place| space.copy_out(place, part).is_ok());
        bad_address = !copied;
        if copied { Ok(()) } else { Err(Failed) }
    })?;
    if bad_address { Err(Failed) } else { Ok(done) }
}

pub(super) fn write(task: &mut Task<'_>) -> Answer {
    let from = argument::address::<1>(task);
    let length = argument::int::<2>(task);
    let file = task.files.get(argument::int::<0>(task))?;
    if !file.writable {
        return Err(Refused);
    }
    let count = usize::try_from(length).map_err(|_| Refused)?;
    let done = match &file.target {
        Target::Pipe(pipe, _) => pipe.write(task.thread, task.space, from, count),
        Target::Device(CONSOLE, _) => Some(console::write(task.space, from, count)),
        Target::Device(..) => None,
        Target::Inode(inode) => Some(write_inode(file, inode, task.space, from, count)?),
    };
    Ok(done.ok_or(Refused)? as u64)
}

/// Bytes that one transaction may write. Besides them it may change the inode, the indirect block
/// and two bitmap blocks; and the bytes may begin and end in the middle of a block.
const TRANSACTION_BYTES: usize = (OPERATION_BLOCKS - 1 - 1 - 2) / 2 * BLOCK_SIZE;

/// Writes all bytes, or fails; then some may have been written.
fn write_inode(
    file: &File,
    inode: &InodeReference,
    space: &mut AddressSpace,
    from: UserAddress,
    length: usize,
) -> Result<usize, Failed> {
    let mut done = 0;
    while done < length {
        let wanted = TRANSACTION_BYTES.min(length - done);
        let start = from.checked_add(done as u64).ok_or(Failed)?;
        space.load_all(start, wanted).map_err(|_| Failed)?;
        let written = transaction(|| {
            let mut inode = inode.lock()?;
            let written = inode.write(file.offset(), wanted, |position, part| {
                let place = start.checked_add(position as u64).ok_or(Failed)?;
                space.copy_in(place, part).map_err(|_| Failed)
            })?;
            file.advance(written);
            Ok(written)
        })?;
        if written != wanted {
            return Err(Failed);
        }
        done += written;
    }
    Ok(done)
}

pub(super) fn fstat(task: &mut Task<'_>) -> Answer {
    let to = argument::address::<1>(task);
    let file = task.files.get(argument::int::<0>(task))?;
    let stat = match &file.target {
        Target::Pipe(..) => return Err(Refused),
        Target::Device(_, inode) | Target::Inode(inode) => inode.lock()?.stat(),
    };
    let bytes = stat.encode();
    task.space
        .with_loading(|space| space.copy_out(to, &bytes))?;
    Ok(0)
}

pub(super) fn pipe(task: &mut Task<'_>) -> Answer {
    let to = argument::address::<0>(task);
    let (read_end, write_end) = open_pipe().ok_or(Refused)?;
    let read_descriptor = match task.files.add(read_end) {
        Ok(descriptor) => descriptor,
        Err(read_end) => {
            read_end.close();
            write_end.close();
            return Err(Refused);
        }
    };
    let write_descriptor = match task.files.add(write_end) {
        Ok(descriptor) => descriptor,
        Err(write_end) => {
            write_end.close();
            task.files.take(read_descriptor)?.close();
            return Err(Refused);
        }
    };
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&read_descriptor.to_le_bytes());
    bytes[4..].copy_from_slice(&write_descriptor.to_le_bytes());
    let told = task.space.with_loading(|space| space.copy_out(to, &bytes));
    if told.is_err() {
        task.files.take(read_descriptor)?.close();
        task.files.take(write_descriptor)?.close();
        return Err(Refused);
    }
    Ok(0)
}

/// Makes a pipe and opens its ends.
fn open_pipe() -> Option<(File, File)> {
    let pipe = Pipe::make()?;
    let Ok(read_end) = File::open(Target::Pipe(pipe, End::Read), true, false) else {
        pipe.close(End::Read);
        pipe.close(End::Write);
        return None;
    };
    match File::open(Target::Pipe(pipe, End::Write), false, true) {
        Ok(write_end) => Some((read_end, write_end)),
        Err(_) => {
            read_end.close();
            pipe.close(End::Write);
            None
        }
    }
}
