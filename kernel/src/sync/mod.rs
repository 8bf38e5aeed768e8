//! Locks.
//!
//! # Lock order
//! A hart takes locks only downwards in this list; locks of one line are never held together.
//! 1. sleep locks: an inode, then a buffer, then the disk (several inodes only parent before child)
//! 2. `log`, `inodes`, `buffers`, `files`: tables of the file system
//! 3. a pipe, the console, a sleep lock's own spin lock, the disk's completion, `pause`
//! 4. `process tree`
//! 5. `process`: one process
//! 6. `images`: the program images
//! 7. `file copy`: what an image's file held
//! 8. `kmem`, `print`
//!
//! A process sleeps with exactly one spin lock in its hand, the one of the condition it waits for
//! (see [`crate::process::sleep`]), which is released while it sleeps.

pub mod sleep;
pub mod spin;

pub use sleep::SleepLock;
pub use spin::{SpinGuard, SpinLock};
