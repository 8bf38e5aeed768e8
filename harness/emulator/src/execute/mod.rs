//! The interpreter: executes decoded blocks, one after another.
//!
//! * `chain` goes from block to block, until something has to be decided outside ([`Leave`]).
//! * `body` executes one block. Its table says, on one line an operation, what each one does.
//! * `access` holds what loads and stores do, `control` what branches and the ends of blocks do,
//!   `integer` the arithmetic, `atomic` the A extension, `bulk` loops that fill or copy memory.

mod access;
mod atomic;
mod body;
mod bulk;
mod chain;
mod control;
mod integer;

pub(crate) use chain::{Interpreter, Leave};
