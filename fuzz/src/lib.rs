//! What the libFuzzer targets share: the glue between libFuzzer and `faultline::fuzzing`.
//!
//! A target is a few lines that name these functions; what a case does is in `harness`, where
//! `cargo test` replays it without libFuzzer.

mod campaign;
mod counters;
mod input;
mod mutation;
mod status;

pub use campaign::{execute, open};
pub use faultline::Profile;
pub use input::Input;
pub use mutation::{cross_over, mutate};
