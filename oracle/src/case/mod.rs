//! Cases: what a case is, and everything that can be done to one without running it.

mod address;
mod amount;
mod operation;
mod print;
mod process;

pub use address::{Address, Region};
pub use amount::{Amount, Base, Place};
pub use operation::{Call, Flavour, Kind, Operation, StoredValue, Stride, Target, Width};
pub use print::VERSION_LINE;
pub use process::Process;

/// A case: operations, one after another. At most [`Case::MAX_OPERATIONS`] of them.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Case {
    /// What is done, in order.
    pub operations: Vec<Operation>,
}

impl Case {
    /// The most operations that a decoded, parsed or generated case has.
    pub const MAX_OPERATIONS: usize = 256;
}
