//! What the system call `memory` tells: frames and page faults.

use crate::abi::MemoryUsage;
use crate::system;

use super::memory::{self, PAGE};

/// This process's use of memory, by a call that must be there.
pub fn usage() -> MemoryUsage {
    system::memory().unwrap_or_default()
}

/// Frames that nobody holds.
pub fn free_frames() -> u64 {
    usage().free_frames
}

/// Faults of this process by traps: loads, stores, fetches.
pub fn traps() -> u64 {
    let usage = usage();
    usage.load_faults + usage.store_faults + usage.fetch_faults
}

/// How many frames `work` takes, with the process's own first touches of text and stack kept out:
/// the question has been asked before. Negative if it gives some back.
pub fn frames_taken(work: impl FnOnce()) -> i64 {
    let before = free_frames();
    work();
    before as i64 - free_frames() as i64
}

/// How many frames this process can have, on a kernel that has no call `memory`.
pub fn count_frames() -> u64 {
    let mut count = 0;
    while memory::eager(PAGE as i64).is_some() {
        count += 1;
    }
    memory::lazy(-(count as i64 * PAGE as i64));
    count
}
