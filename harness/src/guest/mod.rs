//! The kernel under test, booted once: symbols, frame accounts, processes, and the snapshot that
//! every case starts from.

pub mod canary;
pub(crate) mod clock;
pub(crate) mod files;
pub mod frames;
mod free_lists;
pub mod hardware;
pub mod location;
pub mod origin;
pub(crate) mod pace;
pub(crate) mod processes;
pub(crate) mod registers;
pub(crate) mod requests;
pub(crate) mod resting;
pub(crate) mod source;
pub mod symbols;
pub(crate) mod unwind;

pub use source::Frame;

use crate::agent::Agent;
use canary::Canaries;
use emulator::Snapshot;
use frames::FrameAccounts;
use hardware::Hardware;
use oracle::{Dialect, Layout, Permissions, Setting};
use origin::OriginFile;
use pace::Pace;
use processes::{Processes, Slot};
use requests::FrameRequests;
use resting::RestingPlace;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use symbols::Symbols;
use unwind::Unwinder;

/// The most harts that a guest has: one for each process of a race.
pub(crate) const HARTS: usize = 3;

/// The hart that the guest boots on, and on which the scheduler's rounds are driven. It never runs
/// uncontrolled.
pub(crate) const FIRST_HART: usize = 0;

/// Timer ticks for a kernel that sleeps while it boots: ten a second, for some minutes.
pub(crate) const TICKS_ASLEEP: u32 = 4096;

/// What a kernel must have again when a case has ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resources {
    /// Free frames, if symbols tell.
    pub free: Option<u64>,
    /// Frames promised to programs, if symbols tell.
    pub promised: Option<u64>,
    /// How often the supervisor can fork before it is refused.
    pub forks: Option<u64>,
}

/// The machine on its way to its first program, before it has read its disk: from there it boots from any disk of the
/// same size.
#[derive(Clone)]
pub(crate) struct SecondBoot {
    pub(crate) snapshot: Arc<Snapshot>,
    /// Instructions from there to the first program, if nothing has to be recovered.
    pub(crate) instructions: u64,
}

/// A kernel parked at the start of a case, shared by any number of drivers.
#[derive(Clone)]
pub struct Guest {
    /// How the kernel legitimately differs from others.
    pub dialect: Dialect,
    /// The hardware that it needs.
    pub hardware: Hardware,
    /// The kernel's symbols.
    pub symbols: Symbols,
    /// What every case starts from.
    pub setting: Setting,
    /// The kernel's ELF file and the file-system image.
    pub(crate) files: [OriginFile; 2],
    /// The kernel's ELF file.
    pub(crate) file: Box<[u8]>,
    pub(crate) unwinder: Arc<OnceLock<Unwinder>>,
    /// How fast the kernel is, once that was measured.
    pub(crate) pace: Arc<OnceLock<Pace>>,
    /// What the kernel has when only the supervisor is left.
    pub at_end: Resources,
    /// Cycles of the board's clock from one timer interrupt to the next.
    pub(crate) tick: u64,
    pub(crate) agent: Agent,
    pub(crate) accounts: Option<FrameAccounts>,
    pub(crate) snapshot: Arc<Snapshot>,
    /// How the kernel is booted again from another disk, if that takes little time.
    pub(crate) second_boot: Option<SecondBoot>,
    pub(crate) processes: Processes,
    /// The process that waits at its hint on each hart.
    pub(crate) fronts: [Option<Slot>; HARTS],
    /// Where a hart without work rests, if it does not sleep.
    pub(crate) resting_place: Option<RestingPlace>,
    /// Physical addresses of the kernel's own code and data.
    pub(crate) kernel_extent: Range<u64>,
    pub(crate) panic_entry: Option<u64>,
    pub(crate) requests: FrameRequests,
    pub(crate) canaries: Canaries,
    /// What was wrong with the disk before the kernel used it.
    pub(crate) disk_problems: Vec<mkfs::Problem>,
    /// What was marked on the disk as in use, so that inodes are scarce.
    pub(crate) reserved: mkfs::Reserved,
}

impl Guest {
    /// The layout of the program that every case begins in.
    pub fn first_layout(&self) -> &Layout {
        &self.setting.booted.layout
    }

    /// Treats the kernel as one of `dialect`.
    pub fn set_dialect(&mut self, dialect: Dialect) {
        let booted = Arc::make_mut(&mut self.setting.booted);
        for segment in &mut booted.memory.segments {
            let asked = if booted.layout.text.contains(&segment.address) {
                Permissions::READ_EXECUTE
            } else {
                Permissions::READ_WRITE
            };
            segment.permissions = dialect.exec.permissions.granted(asked);
        }
        self.dialect = dialect;
    }

    /// The same kernel, treated as one of another dialect.
    pub fn speaking(&self, dialect: Dialect) -> Arc<Guest> {
        let mut other = self.clone();
        other.set_dialect(dialect);
        Arc::new(other)
    }

    /// How to walk back the kernel's call stacks.
    pub(crate) fn unwinder(&self) -> &Unwinder {
        self.unwinder.get_or_init(|| Unwinder::read(&self.file))
    }
}

/// The line of a console on which a kernel says that it panics.
pub(crate) fn panic_line(console: &str) -> Option<&str> {
    console.lines().find(|line| {
        let line = line.to_ascii_lowercase();
        line.contains("panic:") || line.contains("panicked at")
    })
}
