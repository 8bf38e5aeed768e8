//! The process tree: parents and children, which slots are in use, which processes have ended.
//!
//! Sets of processes are words of 64 bits, one for each slot, so that finding a free slot, a zombie
//! child or the next orphan takes no walk of the table.

use abi::limits::PROCESSES;

use super::{Key, Process};
use crate::scheduling::Slot;
use crate::sync::SpinLock;

/// The relations between processes.
pub struct Tree {
    /// Slots in use.
    used: u64,
    /// Processes that have ended and were not waited for.
    zombies: u64,
    /// The children of each process.
    children: [u64; PROCESSES],
    /// The parent of each process but the first.
    parents: [Slot; PROCESSES],
    /// The exit status of each process that has ended, for its parent.
    statuses: [i32; PROCESSES],
    last_pid: i32,
    /// Whether all pids were used once, so that the next one may still be in use.
    wrapped: bool,
}

/// The one process tree.
pub static TREE: SpinLock<Tree> = SpinLock::new(
    &"process tree",
    Tree {
        used: 0,
        zombies: 0,
        children: [0; PROCESSES],
        parents: [Slot::INIT; PROCESSES],
        statuses: [0; PROCESSES],
        last_pid: 0,
        wrapped: false,
    },
);

impl Tree {
    /// Takes a free slot, the lowest, and gives it a new pid. `None` if there are too many
    /// processes.
    pub fn claim(&mut self) -> Option<Key> {
        let slot = Slot::lowest(!self.used)?;
        self.used |= slot.bit();
        let process = Process::at(slot);
        process.set_pid(self.new_pid());
        // SAFETY: the slot was free until now.
        Some(unsafe { Key::of_new(process) })
    }

    fn new_pid(&mut self) -> i32 {
        loop {
            match self.last_pid.checked_add(1) {
                Some(pid) => self.last_pid = pid,
                None => (self.last_pid, self.wrapped) = (1, true),
            }
            if !self.wrapped || find(self.last_pid).is_none() {
                return self.last_pid;
            }
        }
    }

    /// Frees a slot whose process never ran, or was waited for.
    pub fn release(&mut self, slot: Slot) {
        Process::at(slot).set_pid(0);
        self.used &= !slot.bit();
        self.zombies &= !slot.bit();
    }

    /// Makes `child` a child of `parent`.
    pub fn adopt(&mut self, parent: Slot, child: Slot) {
        self.parents[child.index()] = parent;
        self.children[parent.index()] |= child.bit();
    }

    /// The parent of `child`.
    pub fn parent(&self, child: Slot) -> Slot {
        self.parents[child.index()]
    }

    /// Whether `parent` has children, ended or not.
    pub fn has_children(&self, parent: Slot) -> bool {
        self.children[parent.index()] != 0
    }

    /// Notes that a process has ended with `status`, and gives its children to the first process.
    /// Returns whether any of those children has ended too.
    pub fn bury(&mut self, slot: Slot, status: i32) -> bool {
        self.zombies |= slot.bit();
        self.statuses[slot.index()] = status;
        let orphans = core::mem::take(&mut self.children[slot.index()]);
        let mut rest = orphans;
        while let Some(orphan) = Slot::lowest(rest) {
            rest &= !orphan.bit();
            self.adopt(Slot::INIT, orphan);
        }
        orphans & self.zombies != 0
    }

    /// A child of `parent` that has ended, and its status.
    pub fn ended_child(&self, parent: Slot) -> Option<(Slot, i32)> {
        let child = Slot::lowest(self.children[parent.index()] & self.zombies)?;
        Some((child, self.statuses[child.index()]))
    }

    /// Forgets that `child` was a child of `parent`.
    pub fn disown(&mut self, parent: Slot, child: Slot) {
        self.children[parent.index()] &= !child.bit();
    }
}

/// The process with that pid, which is above zero. It may end at any time.
pub fn find(pid: i32) -> Option<&'static Process> {
    if pid <= 0 {
        return None;
    }
    super::table::all()
        .iter()
        .find(|process| process.pid() == pid)
}
