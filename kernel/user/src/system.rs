//! System calls. Failure is `None`: xv6 has no error numbers.

use core::arch::asm;
use core::ffi::CStr;

use abi::SystemCall;

/// Asks the kernel for anything, with any arguments: for tests of what it makes of them.
///
/// # Safety
/// The caller answers for what the kernel does to this program's memory.
pub unsafe fn raw(number: u64, arguments: [u64; 3]) -> i64 {
    let answer;
    // SAFETY: the caller's promise; the kernel preserves all registers but `a0`.
    unsafe {
        asm!("ecall",
            in("a7") number,
            inlateout("a0") arguments[0] => answer,
            in("a1") arguments[1],
            in("a2") arguments[2],
            options(nostack));
    }
    answer
}

fn call(call: SystemCall, arguments: [u64; 3]) -> Option<u64> {
    // SAFETY: the functions below pass only addresses that are good for what the call does.
    u64::try_from(unsafe { raw(call.number(), arguments) }).ok()
}

fn address<T: ?Sized>(thing: &T) -> u64 {
    core::ptr::from_ref(thing).addr() as u64
}

/// Makes a child: its pid, or 0 in the child.
pub fn fork() -> Option<i32> {
    call(SystemCall::Fork, [0; 3]).map(|pid| pid as i32)
}

/// Ends the program.
pub fn exit(status: i32) -> ! {
    loop {
        call(SystemCall::Exit, [status as u64, 0, 0]);
    }
}

/// Waits for a child to end: its pid and exit status.
pub fn wait() -> Option<(i32, i32)> {
    let mut status = 0i32;
    let to = core::ptr::from_mut(&mut status).expose_provenance() as u64;
    let pid = call(SystemCall::Wait, [to, 0, 0])?;
    Some((pid as i32, status))
}

/// Makes a pipe: its read end and its write end.
pub fn pipe() -> Option<(i32, i32)> {
    let mut ends = [0i32; 2];
    let to = ends.as_mut_ptr().expose_provenance() as u64;
    call(SystemCall::Pipe, [to, 0, 0])?;
    Some((ends[0], ends[1]))
}

/// Reads into `buffer`: how many bytes, 0 at the end.
pub fn read(descriptor: i32, buffer: &mut [u8]) -> Option<usize> {
    let to = buffer.as_mut_ptr().expose_provenance() as u64;
    call(
        SystemCall::Read,
        [descriptor as u64, to, buffer.len() as u64],
    )
    .map(|done| done as usize)
}

/// Writes `bytes`: how many were written.
pub fn write(descriptor: i32, bytes: &[u8]) -> Option<usize> {
    let from = address(bytes);
    call(
        SystemCall::Write,
        [descriptor as u64, from, bytes.len() as u64],
    )
    .map(|done| done as usize)
}

/// Makes another process end.
pub fn kill(pid: i32) -> Option<()> {
    call(SystemCall::Kill, [pid as u64, 0, 0]).map(|_| ())
}

/// Becomes the program at `path`; comes back only if that fails. `arguments` ends in a null pointer.
pub fn exec(path: &CStr, arguments: &[*const u8]) {
    assert!(arguments.last().is_some_and(|last| last.is_null()));
    let array = arguments.as_ptr().expose_provenance() as u64;
    call(SystemCall::Exec, [path.as_ptr().addr() as u64, array, 0]);
}

/// Makes `path` the current directory.
pub fn chdir(path: &CStr) -> Option<()> {
    call(SystemCall::Chdir, [path.as_ptr().addr() as u64, 0, 0]).map(|_| ())
}

/// Another descriptor for the same open file.
pub fn dup(descriptor: i32) -> Option<i32> {
    call(SystemCall::Dup, [descriptor as u64, 0, 0]).map(|new| new as i32)
}

/// This process's pid.
pub fn getpid() -> i32 {
    call(SystemCall::Getpid, [0; 3]).map_or(-1, |pid| pid as i32)
}

/// Moves the program break by `amount` bytes; gives the one before.
pub fn sbrk(amount: i64, flavour: u32) -> Option<u64> {
    call(SystemCall::Sbrk, [amount as u64, flavour.into(), 0])
}

/// Sleeps for that many clock ticks.
pub fn pause(ticks: u32) -> Option<()> {
    call(SystemCall::Pause, [ticks.into(), 0, 0]).map(|_| ())
}

/// Clock ticks since boot.
pub fn uptime() -> u64 {
    call(SystemCall::Uptime, [0; 3]).unwrap_or(0)
}

/// Opens a file: its descriptor.
pub fn open(path: &CStr, mode: u32) -> Option<i32> {
    let path = path.as_ptr().addr() as u64;
    call(SystemCall::Open, [path, mode.into(), 0]).map(|descriptor| descriptor as i32)
}

/// Makes a device file.
pub fn mknod(path: &CStr, major: u16, minor: u16) -> Option<()> {
    let path = path.as_ptr().addr() as u64;
    call(SystemCall::Mknod, [path, major.into(), minor.into()]).map(|_| ())
}

/// Removes a name of a file.
pub fn unlink(path: &CStr) -> Option<()> {
    call(SystemCall::Unlink, [path.as_ptr().addr() as u64, 0, 0]).map(|_| ())
}

/// Makes a directory.
pub fn mkdir(path: &CStr) -> Option<()> {
    call(SystemCall::Mkdir, [path.as_ptr().addr() as u64, 0, 0]).map(|_| ())
}

/// Closes a descriptor.
pub fn close(descriptor: i32) -> Option<()> {
    call(SystemCall::Close, [descriptor as u64, 0, 0]).map(|_| ())
}
