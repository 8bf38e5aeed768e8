//! Executing decoded blocks.

mod atomic;
mod bulk;
mod chain;
mod integer;

pub(crate) use chain::{Engine, Leave, chain};
