//! Scheduling: kernel threads, which of them runs, and how they wait for something.
//!
//! Each process slot has one thread, which runs the slot's process in the kernel. What that process
//! is and owns does not concern this room.

mod context;
pub mod scheduler;
pub mod sleep;
mod sleep_lock;
pub mod stack;
mod thread;

pub use sleep_lock::{SleepGuard, SleepLock};
pub use thread::{Slot, State, Thread};
