//! Locks and counted values. A lock is held by a guard, and released when the guard is dropped.
//!
//! Spin locks keep other harts out for a moment. Sleep locks (in `scheduling`) keep other processes
//! out for as long as a disk access takes. Interrupts are off on a hart as long as it holds a spin
//! lock, so an interrupt handler never waits for a lock that the interrupted code holds. A process
//! does not sleep while it holds a spin lock, except as `scheduling::sleep` says.
//!
//! # Lock order
//! A process takes locks only downwards in this list; locks of one line are never held together.
//!
//! First what may sleep:
//! 1. a place in a transaction of the file system: it waits for room in the log
//! 2. an inode; a second one only with `BOTH_INODES` of the file system, which comes before both
//! 3. a buffer; several in the order bitmap or indirect block, then data
//! 4. the disk's queue
//!
//! then what spins:
//! 5. `log`, `superblock`, `inodes`, `buffers`, `files`: tables of the file system
//! 6. a pipe, `console`, `uart`, a sleep lock's own spin lock, `disk`, `pause`
//! 7. `process tree`
//! 8. `process`: one thread of a process
//! 9. `images`, `program files`: programs that run, and their files
//! 10. `file copy`: what a program's file held
//! 11. `kmem`, `kernel table`, `print`
//!
//! When a process goes to sleep, it holds exactly one spin lock, that of the condition it waits
//! for. The lock is released while it sleeps.

pub mod pool;
pub mod spin;

pub use spin::{SpinGuard, SpinLock};
