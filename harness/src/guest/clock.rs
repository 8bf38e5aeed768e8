//! Time as a kernel may count it.

/// A moment in a case.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moment {
    /// How often the timer of the first hart was raised.
    pub(crate) raises: u64,
    /// The board's clock, in its cycles.
    pub(crate) time: u64,
}

/// A system call about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockCall {
    /// `pause`.
    Pause,
    /// `uptime`.
    Uptime,
}
