//! Files that close themselves.

use core::ffi::CStr;

use abi::open;
use abi::stat::Stat;

use crate::system;

/// An open file, pipe or device; closed when dropped.
#[derive(Debug)]
pub struct File {
    descriptor: i32,
}

impl File {
    /// Opens the file at `path` in a mode of [`abi::open`].
    pub fn open(path: &CStr, mode: u32) -> Option<File> {
        system::open(path, mode).map(File::from_descriptor)
    }

    /// Opens the file at `path` for reading.
    pub fn read_only(path: &CStr) -> Option<File> {
        File::open(path, open::READ_ONLY)
    }

    /// Takes over a descriptor.
    pub fn from_descriptor(descriptor: i32) -> File {
        File { descriptor }
    }

    /// The standard input.
    pub fn input() -> File {
        File::from_descriptor(0)
    }

    /// Its descriptor, which stays its own.
    pub fn descriptor(&self) -> i32 {
        self.descriptor
    }

    /// What is known about the file.
    pub fn stat(&self) -> Option<Stat> {
        system::fstat(self.descriptor)
    }

    /// Reads into `buffer`: how many bytes, 0 at the end.
    pub fn read(&self, buffer: &mut [u8]) -> Option<usize> {
        system::read(self.descriptor, buffer)
    }

    /// Reads until `buffer` is full or the file ends: how many bytes.
    pub fn fill(&self, buffer: &mut [u8]) -> Option<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        Some(filled)
    }

    /// Writes all of `bytes`; `None` if the file takes no more.
    pub fn write_all(&self, mut bytes: &[u8]) -> Option<()> {
        while !bytes.is_empty() {
            match system::write(self.descriptor, bytes)? {
                0 => return None,
                written => bytes = &bytes[written..],
            }
        }
        Some(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // The descriptor may have been closed already; that does not matter.
        let _ = system::close(self.descriptor);
    }
}
