//! Page faults: what they are, how they end, and the line that the kernel can print for each.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use super::frames::OutOfFrames;
use super::region::Access;
use crate::address::{Page, UserAddress};
use crate::print;

/// Why an address cannot be touched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// No region allows it.
    NotAllowed,
    /// It needs a frame, and none is free.
    OutOfFrames,
    /// This page must be read from the program's file first: by `AddressSpace::load`.
    NotLoaded(Page),
    /// The program's file cannot be read.
    Unreadable,
}

impl From<OutOfFrames> for Fault {
    fn from(_: OutOfFrames) -> Fault {
        Fault::OutOfFrames
    }
}

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
    /// The address that was accessed.
    pub address: UserAddress,
    /// What was to be done there.
    pub access: Access,
    /// On whose behalf.
    pub origin: Origin,
}

/// What was done so that a page allows an access.
#[derive(Clone, Copy)]
pub enum Resolution {
    /// It is a new page of zeros.
    Zeros,
    /// It was read from the program's file.
    Loaded,
    /// It was shared, and is a copy now.
    Copied,
    /// It was shared, but has no other holder any more.
    TakenOver,
}

/// A process as messages name it: by its pid and its program.
pub type Owner = dyn fmt::Display + Sync;

/// Whether each fault is printed: the boot argument `log-faults`.
static LOGGED: AtomicBool = AtomicBool::new(false);

/// From now on each fault is printed.
pub fn log_all() {
    LOGGED.store(true, Ordering::Relaxed);
}

impl PageFault {
    /// Prints how this fault of `owner` ended, if faults are printed.
    #[inline]
    pub(super) fn log(self, owner: &Owner, end: Result<Resolution, Fault>) {
        if LOGGED.load(Ordering::Relaxed) {
            self.print(owner, end);
        }
    }

    #[cold]
    fn print(self, owner: &Owner, end: Result<Resolution, Fault>) {
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
        let address = self.address.0;
        print::with_lock(|out| {
            out.format(format_args!(
                "fault: {owner}: {kind} at {address:#x}: {end}\n"
            ));
        });
    }
}
