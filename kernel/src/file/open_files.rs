//! The system's open files: each has an offset that its descriptors share, and a target.

use core::sync::atomic::{AtomicU32, Ordering};

use abi::limits::OPEN_FILES;

use super::pipe::{End, Pipe};
use crate::file_system::{self, InodeReference};
use crate::sync::SpinLock;

/// What an open file leads to.
pub enum Target {
    /// One end of a pipe.
    Pipe(&'static Pipe, End),
    /// A device, by its major number; and the inode that names it.
    Device(u16, InodeReference),
    /// A file or directory.
    Inode(InodeReference),
}

/// A use of an open file: by a descriptor, or by a system call that makes one. It must be closed,
/// not dropped.
pub struct File {
    index: u8,
    /// Where it leads.
    pub target: Target,
    /// Whether it may be read.
    pub readable: bool,
    /// Whether it may be written.
    pub writable: bool,
}

/// How many uses each open file has, and which are free.
struct Table {
    uses: [u16; OPEN_FILES],
    /// Files that were closed, the last one first.
    free: [u8; OPEN_FILES],
    free_count: usize,
    /// Files from here on were never open.
    frontier: usize,
}

static TABLE: SpinLock<Table> = SpinLock::new(
    &"files",
    Table {
        uses: [0; OPEN_FILES],
        free: [0; OPEN_FILES],
        free_count: 0,
        frontier: 0,
    },
);

/// Where the next read or write of each open file begins; changed under the inode's lock.
static OFFSETS: [AtomicU32; OPEN_FILES] = [const { AtomicU32::new(0) }; OPEN_FILES];

impl Table {
    fn take_free(&mut self) -> Option<usize> {
        if let Some(last) = self.free_count.checked_sub(1) {
            self.free_count = last;
            return Some(usize::from(self.free[last]));
        }
        let index = self.frontier;
        if index == OPEN_FILES {
            return None;
        }
        self.frontier += 1;
        Some(index)
    }
}

impl File {
    /// Opens `target`. If too many files are open, the target is given back.
    ///
    /// # Errors
    /// Too many files are open.
    pub fn open(target: Target, readable: bool, writable: bool) -> Result<File, Target> {
        let mut table = TABLE.lock();
        let Some(index) = table.take_free() else {
            return Err(target);
        };
        table.uses[index] = 1;
        drop(table);
        OFFSETS[index].store(0, Ordering::Relaxed);
        Ok(File {
            index: index as u8,
            target,
            readable,
            writable,
        })
    }

    fn index(&self) -> usize {
        self.index.into()
    }

    /// Another use of the same open file.
    pub fn duplicate(&self) -> File {
        TABLE.lock().uses[self.index()] += 1;
        File {
            index: self.index,
            target: match &self.target {
                Target::Pipe(pipe, end) => Target::Pipe(pipe, *end),
                Target::Device(major, inode) => Target::Device(*major, inode.clone()),
                Target::Inode(inode) => Target::Inode(inode.clone()),
            },
            ..*self
        }
    }

    /// Ends this use; the last one closes the file.
    pub fn close(self) {
        let mut table = TABLE.lock();
        table.uses[self.index()] -= 1;
        let last = table.uses[self.index()] == 0;
        if last {
            let free_count = table.free_count;
            table.free[free_count] = self.index;
            table.free_count += 1;
        }
        drop(table);
        match self.target {
            Target::Pipe(pipe, end) if last => pipe.close(end),
            Target::Pipe(..) => {}
            // The inode may have lost its last name by now; then it is freed here.
            Target::Device(_, inode) | Target::Inode(inode) => {
                file_system::transaction(|| drop(inode));
            }
        }
    }

    /// Where the next read or write begins. Only for a holder of the inode's lock.
    pub fn offset(&self) -> u32 {
        OFFSETS[self.index()].load(Ordering::Relaxed)
    }

    /// Moves the place of the next read or write forward. Only for a holder of the inode's lock.
    pub fn advance(&self, bytes: usize) {
        let offset = self.offset().saturating_add(bytes as u32);
        OFFSETS[self.index()].store(offset, Ordering::Relaxed);
    }
}
