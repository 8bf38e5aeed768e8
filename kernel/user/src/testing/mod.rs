//! What test programs share: rules and how they are run, children, memory to try, scratch files.
//!
//! A rule is a function that claims things with [`ensure!`](crate::ensure) and its kin. A suite
//! runs each rule in a child, in an empty directory, and compares the free frames before and after.

pub mod child;
pub mod files;
pub mod memory;
pub mod random;
pub mod scarcity;
pub mod scratch;
pub mod suite;
pub mod usage;
mod verdict;

pub use suite::{Group, Rule};
pub use verdict::{Failure, Number, Verdict};
