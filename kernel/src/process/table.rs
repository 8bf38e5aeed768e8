//! The process table: 64 slots, each with what everybody may see, and what only the holder of the
//! process's key may touch.

use core::cell::UnsafeCell;
use core::fmt;
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use abi::limits::{PROCESS_NAME, PROCESSES};

use super::AddressSpace;
use crate::file::Descriptors;
use crate::file_system::InodeReference;
use crate::memory::account::Account;
use crate::memory::address_space::Fixtures;
use crate::memory::{fixed_tables, kernel_table};
use crate::scheduling::{Slot, Thread};

/// A slot of the process table. (Aligned so that indexing is a shift.)
#[repr(align(1024))]
pub struct Process {
    slot: Slot,
    pid: AtomicI32,
    name: [AtomicU64; 2],
    /// Its page faults, and its memory as others may see it.
    pub account: Account,
    /// Belongs to the holder of the process's key.
    pub(super) resources: UnsafeCell<Resources>,
}

// SAFETY: `resources` is used by `Key::open` alone; the rest is atomic.
unsafe impl Sync for Process {}

static TABLE: [Process; PROCESSES] = {
    let mut table = [const { Process::new() }; PROCESSES];
    let mut index = 0;
    while index < PROCESSES {
        table[index].slot = Slot::at(index);
        index += 1;
    }
    table
};

/// A process's name: its program's, for messages; ends in a zero byte.
pub type Name = [u8; PROCESS_NAME];

/// What a process owns. Only the holder of its key touches it.
pub struct Resources {
    /// Its memory; `None` before it has a program and after it has ended.
    pub space: Option<AddressSpace>,
    /// Its open files.
    pub files: Descriptors,
    /// Its current directory.
    pub directory: Option<InodeReference>,
}

impl Process {
    const fn new() -> Process {
        Process {
            slot: Slot::INIT,
            pid: AtomicI32::new(0),
            name: [const { AtomicU64::new(0) }; 2],
            account: Account::new(),
            resources: UnsafeCell::new(Resources {
                space: None,
                files: Descriptors::NONE,
                directory: None,
            }),
        }
    }

    /// The process in a slot.
    #[inline]
    pub fn at(slot: Slot) -> &'static Process {
        &TABLE[slot.index()]
    }

    /// Its place in the table.
    #[inline]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// The thread that runs it in the kernel.
    #[inline]
    pub fn thread(&self) -> &'static Thread {
        self.slot().thread()
    }

    /// Its pid; 0 if the slot is free.
    #[inline]
    pub fn pid(&self) -> i32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// Gives the slot to a new process, or, with pid 0, marks it as free.
    pub(super) fn set_pid(&self, pid: i32) {
        self.thread().forget_kill();
        self.account.faults.reset();
        self.pid.store(pid, Ordering::Relaxed);
    }

    /// Its name. While it changes, a reader may see half of the old one.
    pub fn name(&self) -> Name {
        let mut name = [0; PROCESS_NAME];
        for (bytes, word) in name.as_chunks_mut().0.iter_mut().zip(&self.name) {
            *bytes = word.load(Ordering::Relaxed).to_le_bytes();
        }
        name
    }

    /// Gives it a name.
    pub fn set_name(&self, name: &Name) {
        for (bytes, word) in name.as_chunks().0.iter().zip(&self.name) {
            word.store(u64::from_le_bytes(*bytes), Ordering::Relaxed);
        }
    }

    /// What its memory has in common with that of other processes in the slot.
    pub fn fixtures(&'static self) -> Fixtures {
        Fixtures {
            top: fixed_tables::top_entry(self.slot().index()),
            identifier: kernel_table::identifier(self.slot().index()),
            account: &self.account,
            owner: self,
        }
    }
}

/// A process as messages name it.
impl fmt::Display for Process {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        write!(formatter, "pid {} {}", self.pid(), name.escape_ascii())
    }
}

/// All slots.
pub(super) fn all() -> &'static [Process; PROCESSES] {
    &TABLE
}
