//! Open files: descriptors of a process, and what they lead to.

pub mod console;
mod descriptors;
mod open_files;
pub mod pipe;

pub use descriptors::{Descriptors, NotOpen};
pub use open_files::{File, Target};
