//! What stores to page tables leave for the next `sfence.vma` to do.
//!
//! A hart may use a translation until it executes a fence that covers it (privileged
//! specification, section "Supervisor Memory-Management Fence Instruction"), so nothing is
//! forgotten when a page table changes. But most fences follow few changes, or none, and forgetting
//! everything at each would cost more than all else that a system call does. So the changes are
//! logged, and a fence forgets just what they affect, in the address spaces that it covers. A kernel
//! that forgets a fence, or fences another address space, keeps its stale translations, the same
//! ones in every run.

use crate::devices::MAX_HARTS;

/// Longest list of changed entries worth keeping; beyond, everything is forgotten.
const MOST_CHANGES: usize = 64;
/// Stores of no consequence after which page tables stop being watched.
const MOST_QUIET_STORES: u32 = 64;

/// What an `sfence.vma` covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Only the page of this address, and no changes above the leaves.
    pub(crate) address: Option<u64>,
    /// Only the address space with this identifier, and nothing global.
    pub(crate) identifier: Option<u16>,
}

impl Scope {
    /// Does it cover the address space with this identifier?
    pub(crate) fn covers(self, identifier: u16) -> bool {
        self.identifier.is_none_or(|only| only == identifier)
    }

    /// Does it leave global translations alone?
    pub(crate) fn spares_global(self) -> bool {
        self.identifier.is_some()
    }
}

/// The log of page-table changes.
#[derive(Clone, Debug)]
pub(crate) struct Fences {
    /// Places of changed entries in their last-level tables, 0 to 511, the oldest first.
    changes: Vec<u16>,
    /// The number of the first of them. A context that has not seen all before it
    /// has to forget everything.
    first: u64,
    /// For each hart: a fence may have something to do.
    due: Vec<bool>,
    quiet_stores: u32,
    /// Every fence forgets all that it covers, no matter what the log says.
    strict: bool,
}

impl Fences {
    pub(crate) fn new(harts: usize, strict: bool) -> Fences {
        Fences {
            changes: Vec::new(),
            first: 0,
            due: vec![false; harts.clamp(1, MAX_HARTS)],
            quiet_stores: 0,
            strict,
        }
    }

    /// From now on, every fence forgets all that it covers or only what has changed.
    pub(crate) fn set_strict(&mut self, strict: bool) {
        self.strict = strict;
    }

    /// The number of the next change.
    pub(crate) fn now(&self) -> u64 {
        self.first + self.changes.len() as u64
    }

    /// The changes from number `seen` on. `None` if there were too many to keep.
    pub(crate) fn since(&self, seen: u64) -> Option<&[u16]> {
        let skipped = seen.checked_sub(self.first).filter(|_| !self.strict)?;
        self.changes.get(skipped as usize..)
    }

    /// A valid last-level entry was overwritten. True if its table need no longer be watched.
    pub(crate) fn leaf_changed(&mut self, place: u16) -> bool {
        self.changes.push(place);
        self.due.fill(true);
        let too_many = self.changes.len() > MOST_CHANGES;
        if too_many {
            self.everything_changed();
        }
        too_many
    }

    /// A page table changed in a way that is not worth following.
    pub(crate) fn everything_changed(&mut self) {
        self.first = self.now() + 1;
        self.changes.clear();
        self.due.fill(true);
    }

    /// An invalid entry was overwritten: nothing to forget. True if tables need no longer be
    /// watched: so many of these show that the page is not a page table any more.
    pub(crate) fn quiet_store(&mut self) -> bool {
        self.quiet_stores += 1;
        if self.quiet_stores < MOST_QUIET_STORES {
            return false;
        }
        self.quiet_stores = 0;
        self.everything_changed();
        true
    }

    /// The tables are in use, so quiet stores are stores to page tables.
    pub(crate) fn walked(&mut self) {
        self.quiet_stores = 0;
    }

    /// Has a fence of this hart nothing to do?
    #[inline]
    pub(crate) fn is_idle(&self, hart: usize) -> bool {
        !self.strict && !self.due[hart]
    }

    /// A fence of this hart has something to do, or not.
    pub(crate) fn set_due(&mut self, hart: usize, is_due: bool) {
        self.due[hart] = is_due;
    }

    /// Nothing is pending any more, since every translation is forgotten.
    pub(crate) fn clear(&mut self) {
        self.changes.clear();
        self.first = 0;
        self.due.fill(false);
        self.quiet_stores = 0;
    }
}
