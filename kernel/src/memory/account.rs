//! What others may see of a process's memory: how many page faults there were, and an outline. The
//! process keeps its account up to date; any hart may read it at any time.

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use super::fault::{Origin, PageFault};
use super::region::Access;

/// The account of a process.
pub struct Account {
    /// Its page faults so far.
    pub faults: FaultCounts,
    /// How its memory looks.
    pub outline: Outline,
}

impl Account {
    /// No faults, no memory.
    pub const fn new() -> Account {
        Account {
            faults: FaultCounts::new(),
            outline: Outline::new(),
        }
    }
}

/// How many faults of a process were resolved, by kind. Only the process itself counts.
pub struct FaultCounts([AtomicU64; 4]);

impl FaultCounts {
    const fn new() -> FaultCounts {
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
    pub(super) fn count(&self, fault: PageFault) {
        let counter = self.counter(fault.origin, fault.access);
        // Nobody else writes, so nothing is lost between the load and the store.
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

    /// Sets all counts to 0, for a new process.
    pub fn reset(&self) {
        for counter in &self.0 {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// The place of no image.
const NO_IMAGE: u8 = u8::MAX;

/// The outline of a process's memory. It may be a few moments old.
pub struct Outline {
    mapped_pages: AtomicU64,
    program_break: AtomicU64,
    /// The place of its image among all images; [`NO_IMAGE`] if the process has no memory.
    image: AtomicU8,
}

/// What an outline said at some moment.
pub struct View {
    /// Pages that were mapped, shared ones included.
    pub mapped_pages: u64,
    /// The program break.
    pub program_break: u64,
    /// The place of the program's image among all images.
    pub image: u8,
}

impl Outline {
    const fn new() -> Outline {
        Outline {
            mapped_pages: AtomicU64::new(0),
            program_break: AtomicU64::new(0),
            image: AtomicU8::new(NO_IMAGE),
        }
    }

    /// The program break has moved.
    #[inline]
    pub(super) fn set_break(&self, program_break: u64) {
        self.program_break.store(program_break, Ordering::Relaxed);
    }

    /// This is how the memory looks now.
    #[inline]
    pub(super) fn set(&self, image: u8, mapped_pages: u64, program_break: u64) {
        self.mapped_pages.store(mapped_pages, Ordering::Relaxed);
        self.image.store(image, Ordering::Relaxed);
        self.set_break(program_break);
    }

    /// The process has no memory any more.
    pub fn clear(&self) {
        self.image.store(NO_IMAGE, Ordering::Relaxed);
    }

    /// What it says just now; `None` if the process has no memory.
    pub fn view(&self) -> Option<View> {
        let image = self.image.load(Ordering::Relaxed);
        (image != NO_IMAGE).then(|| View {
            mapped_pages: self.mapped_pages.load(Ordering::Relaxed),
            program_break: self.program_break.load(Ordering::Relaxed),
            image,
        })
    }
}
