//! How fast a kernel is.

/// What operations take on one kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Instructions of the slowest of those that were measured: a file is made and filled, a process
    /// is made and ends.
    pub(crate) slowest: u64,
}
