//! How often a process's pages had to be brought in: counters that any hart may read at any time.

use core::sync::atomic::{AtomicU64, Ordering};

use super::Access;

/// Who needed a page that was not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The program itself: it trapped.
    Trap,
    /// The kernel, for a system call that the program made.
    SystemCall,
}

/// A process's page faults that were resolved, by kind. Only the process itself counts.
pub struct Usage {
    loads: AtomicU64,
    stores: AtomicU64,
    fetches: AtomicU64,
    system_calls: AtomicU64,
}

impl Usage {
    /// No faults.
    pub const fn new() -> Usage {
        Usage {
            loads: AtomicU64::new(0),
            stores: AtomicU64::new(0),
            fetches: AtomicU64::new(0),
            system_calls: AtomicU64::new(0),
        }
    }

    fn counter(&self, origin: Origin, access: Access) -> &AtomicU64 {
        match (origin, access) {
            (Origin::SystemCall, _) => &self.system_calls,
            (Origin::Trap, Access::Load) => &self.loads,
            (Origin::Trap, Access::Store) => &self.stores,
            (Origin::Trap, Access::Fetch) => &self.fetches,
        }
    }

    /// Counts a fault that was resolved.
    #[inline]
    pub fn count(&self, origin: Origin, access: Access) {
        let counter = self.counter(origin, access);
        // Nobody else writes, so that nothing is lost between the load and the store.
        let count = counter.load(Ordering::Relaxed);
        counter.store(count.wrapping_add(1), Ordering::Relaxed);
    }

    /// Faults of the program that `access` caused.
    pub fn traps(&self, access: Access) -> u64 {
        self.counter(Origin::Trap, access).load(Ordering::Relaxed)
    }

    /// Pages that system calls filled or copied.
    pub fn system_calls(&self) -> u64 {
        self.system_calls.load(Ordering::Relaxed)
    }

    /// Begins anew, for a new process.
    pub fn reset(&self) {
        for counter in [&self.loads, &self.stores, &self.fetches, &self.system_calls] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}
