//! Dialects: how kernels may legitimately differ.

/// How one kernel behaves where kernels may differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {}

impl Dialect {
    /// Our own kernel.
    pub fn faultline() -> Dialect {
        Dialect {}
    }
}
