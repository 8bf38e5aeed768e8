//! Page faults: how many of each kind a process had, and the line that the kernel can print for each.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::page_table::Entry;
use super::{Access, Fault, Frame};
use crate::address::UserAddress;
use crate::print;
use crate::process::Process;

/// Who needed a page that was not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The program itself: it trapped.
    Trap,
    /// The kernel, for a system call that the program made.
    SystemCall,
}

/// An access that the page table did not allow.
#[derive(Clone, Copy)]
pub struct PageFault {
    /// Where.
    pub address: UserAddress,
    /// What was to be done there.
    pub access: Access,
    /// On whose behalf.
    pub origin: Origin,
}

/// How a page came to allow it.
#[derive(Clone, Copy)]
pub enum Resolution {
    /// It is a new page of zeros.
    Zeros,
    /// It was read from the program's file.
    Loaded,
    /// It was shared, and is a copy now.
    Copied,
    /// It was shared once, but nobody else holds it any more.
    TakenOver,
}

impl Resolution {
    /// What has happened to a page that had `entry` and now has `frame`; it was not loaded.
    pub fn of(entry: Entry, frame: Frame) -> Resolution {
        match entry.is_valid() {
            false => Resolution::Zeros,
            true if entry.frame() == frame => Resolution::TakenOver,
            true => Resolution::Copied,
        }
    }
}

/// Whether each fault is printed: the boot option `log-faults`.
static LOGGED: AtomicBool = AtomicBool::new(false);

/// From now on each fault is printed.
pub fn log_all() {
    LOGGED.store(true, Ordering::Relaxed);
}

impl PageFault {
    /// Notes how this fault of `process` ended: counts it if it was resolved. `end` tells more.
    #[inline]
    pub fn note(
        &self,
        process: &Process,
        resolved: bool,
        end: impl FnOnce() -> Result<Resolution, Fault>,
    ) {
        if resolved {
            process.faults.count(self);
        }
        if LOGGED.load(Ordering::Relaxed) {
            self.print(process, end());
        }
    }

    #[cold]
    fn print(&self, process: &Process, end: Result<Resolution, Fault>) {
        let kind = match (self.origin, self.access) {
            (Origin::SystemCall, _) => "system call",
            (Origin::Trap, Access::Load) => "load",
            (Origin::Trap, Access::Store) => "store",
            (Origin::Trap, Access::Fetch) => "fetch",
        };
        let end = match (end, self.origin) {
            (Ok(Resolution::Zeros), _) => "zero page",
            (Ok(Resolution::Loaded), _) => "page from file",
            (Ok(Resolution::Copied), _) => "copy",
            (Ok(Resolution::TakenOver), _) => "taken over",
            (Err(_), Origin::Trap) => "killed",
            (Err(_), Origin::SystemCall) => "refused",
        };
        print::with_lock(|out| {
            out.text("fault: pid ");
            out.decimal(process.pid().into());
            out.text(" ");
            out.name(&process.name());
            out.text(": ");
            out.text(kind);
            out.text(" at 0x");
            out.hexadecimal(self.address.0);
            out.text(": ");
            out.text(end);
            out.text("\n");
        });
    }
}

/// How many faults of a process were resolved, by kind. Any hart may look; only the process itself
/// counts.
pub struct FaultCounts([AtomicU64; 4]);

impl FaultCounts {
    /// No faults.
    pub const fn new() -> FaultCounts {
        FaultCounts([const { AtomicU64::new(0) }; 4])
    }

    #[inline]
    fn counter(&self, origin: Origin, access: Access) -> &AtomicU64 {
        &self.0[match (origin, access) {
            (Origin::Trap, Access::Load) => 0,
            (Origin::Trap, Access::Store) => 1,
            (Origin::Trap, Access::Fetch) => 2,
            (Origin::SystemCall, _) => 3,
        }]
    }

    #[inline]
    fn count(&self, fault: &PageFault) {
        let counter = self.counter(fault.origin, fault.access);
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
        self.counter(Origin::SystemCall, Access::Load)
            .load(Ordering::Relaxed)
    }

    /// Begins anew, for a new process.
    pub fn reset(&self) {
        for counter in &self.0 {
            counter.store(0, Ordering::Relaxed);
        }
    }
}
