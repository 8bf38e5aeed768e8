//! The process table: 64 slots, each with what all may see, and what only its owner may touch.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

use abi::limits::{PROCESS_NAME, PROCESSES};

use super::context::Context;
use super::trapframe::{self, Trapframe};
use crate::file::Descriptors;
use crate::file_system::InodeReference;
use crate::memory::address_space::Fixtures;
use crate::memory::fault::FaultCounts;
use crate::memory::outline::Outline;
use crate::memory::{AddressSpace, fixed_tables};
use crate::sync::SpinLock;

/// A place in the process table: a number below [`PROCESSES`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Slot(u8);

impl Slot {
    /// The slot of the first process.
    pub const INIT: Slot = Slot(0);

    /// The lowest slot in a set of slots.
    #[inline]
    pub fn lowest(set: u64) -> Option<Slot> {
        match set {
            0 => None,
            set => Some(Slot(set.trailing_zeros() as u8)),
        }
    }

    /// Its index in tables.
    #[inline]
    pub fn index(self) -> usize {
        // The mask saves a bounds check.
        usize::from(self.0) & (PROCESSES - 1)
    }

    /// The set that holds only this slot.
    #[inline]
    pub fn bit(self) -> u64 {
        1 << self.index()
    }

    /// The slot's process.
    #[inline]
    pub fn process(self) -> &'static Process {
        &TABLE[self.index()]
    }
}

/// What a process is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// The slot is free, or its next process is being made.
    Unused,
    /// It waits on a channel.
    Sleeping,
    /// It waits for a hart.
    Runnable,
    /// It has a hart.
    Running,
    /// It has ended, and its parent has not asked yet.
    Zombie,
}

/// What other processes may see of a process, under its lock.
pub struct Shared {
    /// What it is doing.
    pub state: State,
    /// What it waits for while it sleeps.
    pub channel: usize,
}

/// A slot of the process table. (Aligned so that finding its index is a shift.)
#[repr(align(1024))]
pub struct Process {
    /// Guards the state. Held across a context switch: by the process that gives up the hart until
    /// the scheduler runs, and by the scheduler until the process runs.
    pub shared: SpinLock<Shared>,
    pid: AtomicI32,
    killed: AtomicBool,
    name: [AtomicU64; 2],
    /// Its page faults so far.
    pub faults: FaultCounts,
    /// Its memory, as others may see it.
    pub outline: Outline,
    /// Belongs to whoever holds `shared` while the process does not run.
    pub context: UnsafeCell<Context>,
    /// Belongs to the process itself; before it first runs, to its maker.
    resources: UnsafeCell<Resources>,
}

// SAFETY: `context` is used under `shared`; `resources` by one thread only: see `Process::task` and
// `Process::resources`. The rest is atomic or locked.
unsafe impl Sync for Process {}

static TABLE: [Process; PROCESSES] = [const { Process::new() }; PROCESSES];

/// A process's name: its program's, for messages; ends in a zero byte.
pub type Name = [u8; PROCESS_NAME];

/// What a process owns and nobody else touches.
pub struct Resources {
    /// Its memory; `None` before it has a program and after it has ended.
    pub space: Option<AddressSpace>,
    /// Its open files.
    pub files: Descriptors,
    /// Its current directory.
    pub directory: Option<InodeReference>,
}

/// A process at work on its own behalf, in a trap or a system call: all that the kernel does for it
/// goes through this. There is one at a time for each process, made by the trap and passed down.
pub struct Task<'a> {
    /// Its slot in the table.
    pub process: &'static Process,
    /// Its registers in user mode.
    pub trapframe: &'a mut Trapframe,
    /// Its memory.
    pub space: &'a mut AddressSpace,
    /// Its open files.
    pub files: &'a mut Descriptors,
    /// Its current directory.
    pub directory: &'a mut Option<InodeReference>,
}

impl Process {
    const fn new() -> Process {
        Process {
            shared: SpinLock::new(
                &"process",
                Shared {
                    state: State::Unused,
                    channel: 0,
                },
            ),
            pid: AtomicI32::new(0),
            killed: AtomicBool::new(false),
            name: [const { AtomicU64::new(0) }; 2],
            faults: FaultCounts::new(),
            outline: Outline::new(),
            context: UnsafeCell::new(Context::ZERO),
            resources: UnsafeCell::new(Resources {
                space: None,
                files: Descriptors::NONE,
                directory: None,
            }),
        }
    }

    /// Its place in the table.
    #[inline]
    pub fn slot(&self) -> Slot {
        let distance = core::ptr::from_ref(self)
            .addr()
            .wrapping_sub(TABLE.as_ptr().addr());
        Slot((distance / size_of::<Process>()) as u8)
    }

    /// Its pid; 0 for a free slot.
    #[inline]
    pub fn pid(&self) -> i32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// Gives the slot to a new process, or, with pid 0, to none.
    pub(super) fn set_pid(&self, pid: i32) {
        self.killed.store(false, Ordering::Relaxed);
        self.faults.reset();
        self.pid.store(pid, Ordering::Relaxed);
    }

    /// Its name. Whoever looks while it changes may see half of the old one.
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

    /// Whether it must end as soon as it is about to return to user mode.
    #[inline]
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// Makes it end as soon as it is about to return to user mode.
    pub fn kill(&self) {
        self.killed.store(true, Ordering::Relaxed);
    }

    /// What its memory has in common with that of other processes in the slot.
    pub fn fixtures(&'static self) -> Fixtures {
        Fixtures {
            top: fixed_tables::top_entry(self.slot().index()),
            // Zero is the kernel's own.
            identifier: u16::from(self.slot().0) + 1,
            owner: self,
        }
    }

    /// The process at work. `None` if it has no memory: it has not begun, or has ended.
    ///
    /// # Safety
    /// The caller is this process's own thread, and no other reference to its resources or
    /// trapframe lives.
    #[inline]
    pub unsafe fn task(&'static self) -> Option<Task<'static>> {
        // SAFETY: the caller's promise.
        let (resources, trapframe) = unsafe { (self.resources(), self.trapframe()) };
        Some(Task {
            process: self,
            trapframe,
            space: resources.space.as_mut()?,
            files: &mut resources.files,
            directory: &mut resources.directory,
        })
    }

    /// What the process owns.
    ///
    /// # Safety
    /// The caller is this process's own thread, or makes the process and has not made it runnable
    /// yet; and no other reference to them lives.
    #[inline]
    #[allow(
        clippy::mut_from_ref,
        reason = "the caller promises that it is the only one"
    )]
    pub unsafe fn resources(&'static self) -> &'static mut Resources {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.resources.get() }
    }

    /// The process's registers.
    ///
    /// # Safety
    /// As for [`Process::resources`].
    #[inline]
    #[allow(
        clippy::mut_from_ref,
        reason = "the caller promises that it is the only one"
    )]
    pub unsafe fn trapframe(&'static self) -> &'static mut Trapframe {
        // SAFETY: the caller's promise.
        unsafe { &mut *trapframe::pointer_to(self.slot()) }
    }
}

/// All slots.
pub(super) fn all() -> &'static [Process; PROCESSES] {
    &TABLE
}
