//! The eager model: simple, and obviously correct.

mod page_state;

pub use page_state::PageState;

/// How a process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProcessState {
    /// It can be given an operation.
    Ready,
    /// It sleeps in the kernel.
    Blocked,
    /// It has ended, and nobody has waited for it yet.
    Zombie,
    /// It was reaped, or never born.
    Gone,
}
