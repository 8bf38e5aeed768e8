//! Kernel threads: one for each slot of the process table.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use abi::limits::PROCESSES;

use super::context::Context;
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

    /// The slot with that index in tables, which is below [`PROCESSES`].
    #[inline]
    pub const fn at(index: usize) -> Slot {
        Slot((index & (PROCESSES - 1)) as u8)
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

    /// The slot's thread.
    #[inline]
    pub fn thread(self) -> &'static Thread {
        &THREADS[self.index()]
    }
}

/// What a thread, and with it its process, is doing.
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

/// What other threads may see of a thread, under its lock.
pub struct Shared {
    /// What it is doing.
    pub state: State,
    /// What it waits for while it sleeps.
    pub(super) channel: usize,
}

/// The thread of a process slot. (Aligned so that indexing is a shift.)
#[repr(align(256))]
pub struct Thread {
    slot: Slot,
    /// Guards the state. Held across a context switch: by the thread that gives up the hart until
    /// the scheduler runs, and by the scheduler until the thread runs.
    pub shared: SpinLock<Shared>,
    killed: AtomicBool,
    /// Belongs to the holder of `shared` while the thread does not run.
    pub(super) context: UnsafeCell<Context>,
}

// SAFETY: `context` is used under `shared`; the rest is atomic or locked.
unsafe impl Sync for Thread {}

static THREADS: [Thread; PROCESSES] = {
    let mut threads = [const { Thread::new() }; PROCESSES];
    let mut index = 0;
    while index < PROCESSES {
        threads[index].slot = Slot::at(index);
        index += 1;
    }
    threads
};

impl Thread {
    const fn new() -> Thread {
        Thread {
            slot: Slot::INIT,
            shared: SpinLock::new(
                &"process",
                Shared {
                    state: State::Unused,
                    channel: 0,
                },
            ),
            killed: AtomicBool::new(false),
            context: UnsafeCell::new(Context::ZERO),
        }
    }

    /// Its slot.
    #[inline]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Whether its process must end as soon as it is about to return to user mode.
    #[inline]
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// Makes its process end as soon as it is about to return to user mode.
    pub fn kill(&self) {
        self.killed.store(true, Ordering::Relaxed);
    }

    /// A new process begins in the slot. It has not been killed.
    pub fn forget_kill(&self) {
        self.killed.store(false, Ordering::Relaxed);
    }
}
