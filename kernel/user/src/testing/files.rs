//! Files to try: names that are counted, and whole contents at a time.

use core::ffi::CStr;

use super::{Failure, Verdict};
use crate::abi::file_system::{BLOCK_SIZE, DirectoryEntry};
use crate::abi::open;
use crate::{ensure, ensure_equal, need, system};

/// A name with a number: `NAME_SIZE` bytes at most, then a zero byte.
pub struct Name {
    bytes: [u8; 16],
}

impl Name {
    /// `start`, at most eight bytes, and a number of three digits.
    pub fn numbered(start: &str, number: usize) -> Name {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(start.bytes().take(8)) {
            *to = from;
        }
        let end = start.len().min(8);
        for (at, weight) in [100, 10, 1].into_iter().enumerate() {
            bytes[end + at] = b'0' + (number / weight % 10) as u8;
        }
        Name { bytes }
    }

    /// The name as a path.
    pub fn path(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }
}

/// Makes a file of these bytes.
///
/// # Errors
/// It cannot be made or written.
pub fn create(path: &CStr, bytes: &[u8]) -> Verdict {
    let file = need!(system::open(
        path,
        open::CREATE | open::WRITE_ONLY | open::TRUNCATE
    ));
    ensure_equal!(system::write(file, bytes), bytes.len());
    ensure_equal!(system::close(file), 0);
    Ok(())
}

/// Whether there is something at `path`.
pub fn exists(path: &CStr) -> bool {
    system::open(path, open::READ_ONLY)
        .and_then(system::close)
        .is_some()
}

/// Reads until `buffer` is full or the file ends: how many bytes.
pub fn read_fully(descriptor: i32, buffer: &mut [u8]) -> Option<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match system::read(descriptor, &mut buffer[done..])? {
            0 => break,
            count => done += count,
        }
    }
    Some(done)
}

/// Claims that the file at `path` holds these bytes, at most a block of them, and no more.
///
/// # Errors
/// It does not.
pub fn contains(path: &CStr, bytes: &[u8]) -> Verdict {
    let buffer = super::memory::buffer(BLOCK_SIZE + 1);
    let file = need!(system::open(path, open::READ_ONLY));
    let length = need!(read_fully(file, buffer));
    system::close(file);
    ensure_equal!(length, bytes.len());
    ensure!(buffer[..length] == *bytes);
    Ok(())
}

/// Calls `visit` for each entry in use of the directory at `path`, `.` and `..` among them.
///
/// # Errors
/// The directory cannot be read.
pub fn list(path: &CStr, mut visit: impl FnMut(&DirectoryEntry)) -> Verdict {
    let directory = need!(system::open(path, open::READ_ONLY));
    let mut bytes = [0; DirectoryEntry::SIZE];
    while system::read(directory, &mut bytes) == Some(DirectoryEntry::SIZE) {
        let entry = DirectoryEntry::decode(&bytes);
        if entry.inode != 0 {
            visit(&entry);
        }
    }
    ensure_equal!(system::close(directory), 0);
    Ok(())
}

/// How many entries the directory at `path` has besides `.` and `..`.
///
/// # Errors
/// The directory cannot be read.
pub fn count_entries(path: &CStr) -> Result<usize, Failure> {
    let mut count = 0;
    list(path, |entry| {
        count += usize::from(!matches!(entry.name(), b"." | b".."));
    })?;
    Ok(count)
}
