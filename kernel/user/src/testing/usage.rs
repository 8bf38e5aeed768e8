//! What the system call `memory` returns: the exact numbers of frames and page faults.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::abi::MemoryUsage;
use crate::system;

use super::memory::{self, PAGE, heap_end, load, page_of, stack, store};

unsafe extern "C" {
    /// Made by the linker script: where the program's data ends.
    safe static program_end: u8;
}

/// Where the stack ends and the heap begins, once [`begin`] has been called.
static STACK_TOP: AtomicU64 = AtomicU64::new(0);

/// Notes where the stack ends. To be called before the break has moved.
pub fn begin() {
    STACK_TOP.store(heap_end(), Ordering::Relaxed);
}

/// Where the stack ends and the heap began.
pub fn stack_top() -> u64 {
    STACK_TOP.load(Ordering::Relaxed)
}

/// This process's use of memory; all zero on a kernel that has no call `memory`.
pub fn usage() -> MemoryUsage {
    system::memory().unwrap_or_default()
}

/// Free frames that are not promised.
pub fn free_frames() -> u64 {
    let usage = usage();
    usage.free_frames - usage.promised_frames
}

/// Where the program's own pages end.
pub fn program_pages_end() -> u64 {
    (&raw const program_end).addr() as u64
}

/// Touches every page of the program, and stores to the pages of the stack that a rule uses. So only
/// what the rule does on purpose is counted from here on. A kernel that has no call
/// `memory` counts nothing, and may have no such stack.
pub fn settle() {
    if system::memory().is_none() {
        return;
    }
    for page in (0..program_pages_end()).step_by(PAGE as usize) {
        load(page);
    }
    // Two pages below this one: more than any rule goes down.
    let lowest = page_of(stack()) - 2 * PAGE;
    for page in (lowest..stack_top()).step_by(PAGE as usize) {
        store(page, load(page));
    }
    usage();
}

/// What has changed since an account was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Frames that are no longer free; negative if there are more.
    pub frames: i64,
    /// Page faults of loads.
    pub loads: u64,
    /// Page faults of stores.
    pub stores: u64,
    /// Page faults of instruction fetches.
    pub fetches: u64,
    /// Page faults of system calls.
    pub system_calls: u64,
    /// Pages that are mapped; negative if there are fewer.
    pub mapped: i64,
}

/// Counts from the moment it is made.
pub struct Account {
    before: MemoryUsage,
}

impl Account {
    /// Settles, then counts.
    pub fn open() -> Account {
        settle();
        Account::of_now()
    }

    /// Counts from now on, without settling first.
    pub fn of_now() -> Account {
        Account { before: usage() }
    }

    /// What has changed until now.
    pub fn change(&self) -> Change {
        let (before, now) = (&self.before, usage());
        Change {
            frames: before.free_frames as i64 - now.free_frames as i64,
            loads: now.load_faults - before.load_faults,
            stores: now.store_faults - before.store_faults,
            fetches: now.fetch_faults - before.fetch_faults,
            system_calls: now.system_call_faults - before.system_call_faults,
            mapped: now.mapped_pages as i64 - before.mapped_pages as i64,
        }
    }

    /// How many frames have been taken until now.
    pub fn frames(&self) -> i64 {
        self.change().frames
    }
}

/// How many frames this process can take, on a kernel that has no call `memory`.
pub fn count_frames() -> u64 {
    let mut count = 0;
    while memory::eager(PAGE as i64).is_some() {
        count += 1;
    }
    memory::lazy(-(count as i64 * PAGE as i64));
    count
}
