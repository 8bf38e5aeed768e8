//! System calls that name files by their paths.

use abi::file_system::Kind;
use abi::limits::{DEVICES, PATH};
use abi::open;

use super::{Answer, Refused, argument, file};
use crate::address::UserAddress;
use crate::file::{File, Target};
use crate::file_system::{self, Failed, InodeReference, transaction};
use crate::memory::Access;
use crate::process::exec::{self, Arguments, CannotExec};
use crate::process::{AddressSpace, Task};

pub(super) fn open(task: &mut Task<'_>) -> Answer {
    let mut buffer = [0; PATH];
    let path = argument::path::<0>(task, &mut buffer)?;
    let mode = argument::int::<1>(task) as u32;
    let directory = task.directory.as_ref();
    let readable = mode & open::WRITE_ONLY == 0;
    let writable = mode & (open::WRITE_ONLY | open::READ_WRITE) != 0;
    let opened = transaction(|| {
        let target = open_target(directory, path, mode)?;
        File::open(target, readable, writable).map_err(|_| Failed)
    })?;
    let descriptor = file::add(task, opened)?;
    // Last, so that the contents are kept if there is no room for another open file.
    if mode & open::TRUNCATE != 0 && truncate(task.files.get(descriptor)?).is_err() {
        task.files.take(descriptor)?.close();
        return Err(Refused);
    }
    Ok(descriptor as u64)
}

/// Removes the contents of a file; directories and devices keep theirs.
fn truncate(opened: &File) -> Result<(), Failed> {
    let Target::Inode(reference) = &opened.target else {
        return Ok(());
    };
    transaction(|| {
        let mut inode = reference.lock()?;
        match inode.kind() {
            Kind::File => inode.truncate(),
            _ => Ok(()),
        }
    })
}

fn open_target(
    directory: Option<&InodeReference>,
    path: &[u8],
    mode: u32,
) -> Result<Target, Failed> {
    let reference = match mode & open::CREATE {
        0 => file_system::find(directory, path)?,
        _ => file_system::create(directory, path, Kind::File, 0, 0)?,
    };
    let (kind, major) = {
        let inode = reference.lock()?;
        (inode.kind(), inode.major())
    };
    match kind {
        Kind::Directory if mode != open::READ_ONLY => Err(Failed),
        Kind::Device if usize::from(major) >= DEVICES => Err(Failed),
        Kind::Device => Ok(Target::Device(major, reference)),
        _ => Ok(Target::Inode(reference)),
    }
}

pub(super) fn mkdir(task: &mut Task<'_>) -> Answer {
    make(task, Kind::Directory, 0, 0)
}

pub(super) fn mknod(task: &mut Task<'_>) -> Answer {
    let major = argument::int::<1>(task) as u16;
    let minor = argument::int::<2>(task) as u16;
    make(task, Kind::Device, major, minor)
}

fn make(task: &mut Task<'_>, kind: Kind, major: u16, minor: u16) -> Answer {
    let mut buffer = [0; PATH];
    let path = argument::path::<0>(task, &mut buffer)?;
    let directory = task.directory.as_ref();
    transaction(|| file_system::create(directory, path, kind, major, minor).map(drop))?;
    Ok(0)
}

pub(super) fn link(task: &mut Task<'_>) -> Answer {
    let (mut old_buffer, mut new_buffer) = ([0; PATH], [0; PATH]);
    let old = argument::path::<0>(task, &mut old_buffer)?;
    let new = argument::path::<1>(task, &mut new_buffer)?;
    let directory = task.directory.as_ref();
    transaction(|| file_system::link(directory, old, new))?;
    Ok(0)
}

pub(super) fn unlink(task: &mut Task<'_>) -> Answer {
    let mut buffer = [0; PATH];
    let path = argument::path::<0>(task, &mut buffer)?;
    let directory = task.directory.as_ref();
    transaction(|| file_system::unlink(directory, path))?;
    Ok(0)
}

pub(super) fn chdir(task: &mut Task<'_>) -> Answer {
    let mut buffer = [0; PATH];
    let path = argument::path::<0>(task, &mut buffer)?;
    let directory = &mut *task.directory;
    transaction(|| {
        let new = file_system::find(directory.as_ref(), path)?;
        if new.lock()?.kind() != Kind::Directory {
            return Err(Failed);
        }
        *directory = Some(new);
        Ok(())
    })?;
    Ok(0)
}

/// The argument strings of `exec`, in the memory of the program that calls it.
struct UserArguments<'a> {
    space: &'a mut AddressSpace,
    /// Where the array of their addresses is.
    array: UserAddress,
}

impl UserArguments<'_> {
    /// Bytes of the string at `address`, its zero byte included, if they are at most `limit`.
    fn length(&mut self, address: UserAddress, limit: usize) -> Result<usize, CannotExec> {
        let mut length = 0;
        let mut part = [0; 64];
        while length < limit {
            let place = address.checked_add(length as u64).ok_or(CannotExec)?;
            let stretch = self
                .space
                .with_loading(|space| space.stretch(place, part.len(), Access::Load))?;
            let bytes = &mut part[..stretch.length];
            stretch.frame.read(stretch.offset, bytes);
            match bytes.iter().position(|&byte| byte == 0) {
                Some(end) => return Ok(length + end + 1),
                None => length += bytes.len(),
            }
        }
        Err(CannotExec)
    }
}

/// The longest argument: as much as a stack of one page can hold.
const LONGEST_ARGUMENT: usize = abi::layout::PAGE_SIZE as usize;

impl Arguments for UserArguments<'_> {
    fn push(
        &mut self,
        index: usize,
        new_space: &mut AddressSpace,
        stack: u64,
    ) -> Result<Option<u64>, CannotExec> {
        let slot = self.array.checked_add(8 * index as u64);
        let slot = slot.ok_or(CannotExec)?;
        let string = self.space.with_loading(|space| space.read_word(slot))?;
        let string = UserAddress(string);
        if string.0 == 0 {
            return Ok(None);
        }
        let length = self.length(string, LONGEST_ARGUMENT)?;
        let place = exec::room(stack, length)?;
        let mut done = 0;
        let mut part = [0; 64];
        while done < length {
            let bytes = &mut part[..(length - done).min(64)];
            let from = string.checked_add(done as u64).ok_or(CannotExec)?;
            let to = UserAddress(place)
                .checked_add(done as u64)
                .ok_or(CannotExec)?;
            self.space
                .with_loading(|space| space.copy_in(from, bytes))?;
            new_space.copy_out(to, bytes)?;
            done += bytes.len();
        }
        Ok(Some(place))
    }
}

pub(super) fn exec(task: &mut Task<'_>) -> Answer {
    let mut buffer = [0; PATH];
    let path = argument::path::<0>(task, &mut buffer)?;
    let array = argument::address::<1>(task);
    let mut arguments = UserArguments {
        space: task.space,
        array,
    };
    let directory = task.directory.as_ref();
    let loaded = exec::program(task.process, directory, path, &mut arguments)?;
    loaded.enter(task.trapframe);
    task.process.set_name(&loaded.name);
    let argument_count = loaded.argument_count as u64;
    *task.space = loaded.space;
    Ok(argument_count)
}
