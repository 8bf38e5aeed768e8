//! What stores to page tables leave for the next `sfence.vma` to do.
//!
//! A hart may use a translation until it executes a fence (privileged specification, section
//! "Supervisor Memory-Management Fence Instruction"), so nothing is forgotten when a page table
//! changes. But most fences follow few changes, or none, and forgetting everything at each would
//! cost more than all else that a system call does. So the changes are logged, and a fence forgets
//! just what they affect. A kernel that forgets a fence keeps its stale translations, every run
//! the same ones.

use crate::devices::MAX_HARTS;

/// Longest list of changed entries worth keeping; beyond, everything is forgotten.
const MOST_LEAVES: usize = 64;
/// Stores of no consequence after which page tables stop being watched.
const MOST_QUIET_STORES: u32 = 64;

/// What the next fence of one hart has to forget.
#[derive(Clone, Debug, Default)]
struct Pending {
    everything: bool,
    /// Places of changed entries in their last-level tables, 0 to 511.
    leaves: Vec<u16>,
}

/// The log of page-table changes, for each hart.
#[derive(Clone, Debug)]
pub(crate) struct Fences {
    harts: Vec<Pending>,
    quiet_stores: u32,
    /// Every fence forgets everything, whatever the log says.
    strict: bool,
}

/// What a fence has to forget.
pub(crate) enum Forget<'a> {
    /// Every translation.
    Everything,
    /// Translations by these entries of last-level tables.
    Leaves(std::vec::Drain<'a, u16>),
}

impl Fences {
    pub(crate) fn new(harts: usize, strict: bool) -> Fences {
        Fences {
            harts: vec![Pending::default(); harts.clamp(1, MAX_HARTS)],
            quiet_stores: 0,
            strict,
        }
    }

    /// A valid last-level entry was overwritten. True if tables need no longer be watched.
    pub(crate) fn leaf_changed(&mut self, place: u16) -> bool {
        let mut all = true;
        for hart in &mut self.harts {
            if !hart.everything {
                hart.leaves.push(place);
                hart.everything = hart.leaves.len() > MOST_LEAVES;
            }
            all &= hart.everything;
        }
        all
    }

    /// A page table changed in a way that is not worth following.
    pub(crate) fn everything_changed(&mut self) {
        for hart in &mut self.harts {
            hart.everything = true;
        }
    }

    /// An invalid entry was overwritten: nothing to forget. True if tables need no longer be
    /// watched, since so many of these say that the page is no page table any more.
    pub(crate) fn quiet_store(&mut self) -> bool {
        self.quiet_stores += 1;
        if self.quiet_stores < MOST_QUIET_STORES {
            return false;
        }
        self.quiet_stores = 0;
        self.everything_changed();
        true
    }

    /// The tables are in use: quiet stores are what they seem.
    pub(crate) fn walked(&mut self) {
        self.quiet_stores = 0;
    }

    /// Has a fence of this hart nothing to do?
    #[inline]
    pub(crate) fn is_idle(&self, hart: usize) -> bool {
        let pending = &self.harts[hart];
        !self.strict && !pending.everything && pending.leaves.is_empty()
    }

    /// The fence of one hart.
    pub(crate) fn apply(&mut self, hart: usize) -> Forget<'_> {
        let pending = &mut self.harts[hart];
        if std::mem::take(&mut pending.everything) || self.strict {
            pending.leaves.clear();
            return Forget::Everything;
        }
        Forget::Leaves(pending.leaves.drain(..))
    }

    /// Nothing is pending any more, since every translation is forgotten.
    pub(crate) fn clear(&mut self) {
        for hart in &mut self.harts {
            hart.everything = false;
            hart.leaves.clear();
        }
        self.quiet_stores = 0;
    }
}
