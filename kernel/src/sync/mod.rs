//! Locks: as guards, which give way when they are dropped.
//!
//! Spin locks keep the other harts out for a moment, sleep locks other processes for as long as a
//! disk takes. Interrupts are off on a hart as long as it holds a spin lock, so no interrupt handler
//! waits for a lock of the very hart that it interrupted; a process does not sleep with one.
//!
//! # Lock order
//! A process takes locks only downwards in this list; locks of one line are never held together.
//!
//! First what may sleep:
//! 1. a place in a transaction of the file system: it waits for room in the log
//! 2. an inode; a second one only by `BOTH_INODES` of [`crate::file_system`], which comes before
//! 3. a buffer; several in the order bitmap or indirect block, then data
//! 4. the disk's queue
//!
//! then what spins:
//! 5. `log`, `superblock`, `inodes`, `buffers`, `files`: tables of the file system
//! 6. a pipe, `console`, `uart`, a sleep lock's own spin lock, `disk`, `pause`
//! 7. `process tree`
//! 8. `process`: one process
//! 9. `images`: the program images
//! 10. `file copy`: what an image's file held
//! 11. `kmem`, `kernel table`, `print`
//!
//! A process sleeps with exactly one spin lock in its hand, the one of the condition it waits for
//! (see [`crate::process::sleep`]), which is released while it sleeps.

pub mod pool;
pub mod spin;

pub use spin::{SpinGuard, SpinLock};
