//! System calls, safe to use. Failure is `None`: xv6 has no error numbers.
//!
//! The addresses that these functions pass are those of Rust references, or of nothing; so the
//! kernel reads and writes only what it may.

use core::ffi::CStr;
use core::ptr;

use abi::MemoryUsage;
use abi::limits::ARGUMENTS;
use abi::stat::Stat;

use crate::{heap, raw};

/// What the kernel answered, unless it refused.
fn done(answer: i64) -> Option<u64> {
    u64::try_from(answer).ok()
}

/// For calls that return no value.
fn nothing(answer: i64) -> Option<()> {
    done(answer).map(|_| ())
}

/// For calls that answer an `int`: a pid, a descriptor.
fn number(answer: i64) -> Option<i32> {
    done(answer).map(|number| number as i32)
}

/// The length of a buffer, as the `int` that `read` and `write` take: a longer one is used in part.
fn length(buffer: &[u8]) -> i32 {
    i32::try_from(buffer.len()).unwrap_or(i32::MAX)
}

/// Makes a child: its pid, or 0 in the child.
pub fn fork() -> Option<i32> {
    // SAFETY: takes no pointer; the child has a copy of all memory.
    number(unsafe { raw::fork() })
}

/// Ends the program.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: takes no pointer.
        unsafe { raw::exit(status) };
    }
}

/// Waits for a child to end: its pid and exit status.
pub fn wait() -> Option<(i32, i32)> {
    let mut status = 0;
    // SAFETY: writes the status to a variable that is ours alone.
    let pid = number(unsafe { raw::wait(&raw mut status) })?;
    Some((pid, status))
}

/// Makes a pipe: its read end and its write end.
pub fn pipe() -> Option<(i32, i32)> {
    let mut ends = [0; 2];
    // SAFETY: writes the descriptors to a variable that is ours alone.
    nothing(unsafe { raw::pipe(&raw mut ends) })?;
    Some((ends[0], ends[1]))
}

/// Reads into `buffer`: how many bytes, 0 at the end.
pub fn read(descriptor: i32, buffer: &mut [u8]) -> Option<usize> {
    let length = length(buffer);
    // SAFETY: writes at most `length` bytes of the buffer, which is borrowed for it.
    done(unsafe { raw::read(descriptor, buffer.as_mut_ptr(), length) }).map(|read| read as usize)
}

/// Writes `bytes`: how many were written.
pub fn write(descriptor: i32, bytes: &[u8]) -> Option<usize> {
    // SAFETY: reads at most as many bytes as there are.
    done(unsafe { raw::write(descriptor, bytes.as_ptr(), length(bytes)) })
        .map(|written| written as usize)
}

/// Makes another process end.
pub fn kill(pid: i32) -> Option<()> {
    // SAFETY: takes no pointer.
    nothing(unsafe { raw::kill(pid) })
}

/// Becomes the program at `path`, with at most 31 arguments, the first of them its name by
/// convention. Returns only if that fails.
pub fn exec(path: &CStr, arguments: &[&CStr]) {
    // The last stays null.
    let mut pointers = [ptr::null(); ARGUMENTS];
    let Some(room) = pointers[..ARGUMENTS - 1].get_mut(..arguments.len()) else {
        return;
    };
    for (pointer, argument) in room.iter_mut().zip(arguments) {
        *pointer = argument.as_ptr();
    }
    // SAFETY: reads strings that end, from a list that ends.
    unsafe { raw::exec(path.as_ptr(), pointers.as_ptr()) };
}

/// What is known about an open file. Nothing is known about a pipe.
pub fn fstat(descriptor: i32) -> Option<Stat> {
    let mut bytes = [0; Stat::SIZE];
    // SAFETY: writes to a variable that is ours alone.
    nothing(unsafe { raw::fstat(descriptor, &raw mut bytes) })?;
    Stat::decode(&bytes)
}

/// Makes `path` the current directory.
pub fn chdir(path: &CStr) -> Option<()> {
    // SAFETY: reads a string that ends.
    nothing(unsafe { raw::chdir(path.as_ptr()) })
}

/// Another descriptor for the same open file: the lowest that is free.
pub fn dup(descriptor: i32) -> Option<i32> {
    // SAFETY: takes no pointer.
    number(unsafe { raw::dup(descriptor) })
}

/// This process's pid.
pub fn getpid() -> i32 {
    // SAFETY: takes no pointer.
    number(unsafe { raw::getpid() }).unwrap_or(-1)
}

/// Moves the program break by `amount` bytes, with a flavour of [`abi::sbrk`], and returns the old
/// one. Does not take away memory of [`crate::heap`].
pub fn sbrk(amount: i64, flavour: u32) -> Option<u64> {
    if amount < 0 && heap::end() > 0 {
        let after = sbrk(0, flavour)?.checked_add_signed(amount)?;
        if after < heap::end() {
            return None;
        }
    }
    // SAFETY: takes no pointer. No Rust object lies between the heap's end and the break.
    done(unsafe { raw::sbrk(amount, flavour) })
}

/// Sleeps for that many clock ticks.
pub fn pause(ticks: u32) -> Option<()> {
    // SAFETY: takes no pointer.
    nothing(unsafe { raw::pause(i32::try_from(ticks).unwrap_or(i32::MAX)) })
}

/// Clock ticks since boot.
pub fn uptime() -> u64 {
    // SAFETY: takes no pointer.
    done(unsafe { raw::uptime() }).unwrap_or(0)
}

/// Opens a file in a mode of [`abi::open`]: its descriptor.
pub fn open(path: &CStr, mode: u32) -> Option<i32> {
    // SAFETY: reads a string that ends.
    number(unsafe { raw::open(path.as_ptr(), mode) })
}

/// Makes a device file.
pub fn mknod(path: &CStr, major: u16, minor: u16) -> Option<()> {
    // SAFETY: reads a string that ends.
    nothing(unsafe { raw::mknod(path.as_ptr(), major, minor) })
}

/// Removes a name of a file.
pub fn unlink(path: &CStr) -> Option<()> {
    // SAFETY: reads a string that ends.
    nothing(unsafe { raw::unlink(path.as_ptr()) })
}

/// Gives the file `old` a second name, `new`.
pub fn link(old: &CStr, new: &CStr) -> Option<()> {
    // SAFETY: reads strings that end.
    nothing(unsafe { raw::link(old.as_ptr(), new.as_ptr()) })
}

/// Makes a directory.
pub fn mkdir(path: &CStr) -> Option<()> {
    // SAFETY: reads a string that ends.
    nothing(unsafe { raw::mkdir(path.as_ptr()) })
}

/// Closes a descriptor.
pub fn close(descriptor: i32) -> Option<()> {
    // SAFETY: takes no pointer.
    nothing(unsafe { raw::close(descriptor) })
}

/// This process's page faults and frames, so far.
pub fn memory() -> Option<MemoryUsage> {
    let mut usage = MemoryUsage::default();
    // SAFETY: writes numbers to a variable that is ours alone.
    nothing(unsafe { raw::memory(&raw mut usage) })?;
    Some(usage)
}
