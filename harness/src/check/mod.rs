//! Checking a kernel that is not ours: finding out its dialect, fuzzing it, and putting what was
//! found in order.

pub mod kernels;
pub mod probe;
pub mod severity;
