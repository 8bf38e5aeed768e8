//! What user programs share: their entry, system calls, printing, files.
//!
//! A program says `user::program!(main);` and writes `fn main(arguments: Arguments) -> i32`; what
//! it returns is its exit status. With `extern crate alloc;` it has boxes and vectors.
#![no_std]

mod arguments;
pub mod each;
mod entry;
pub mod file;
pub mod heap;
pub mod lines;
pub mod print;
pub mod raw;
pub mod system;
pub mod testing;
pub mod text;

pub use abi;
pub use arguments::Arguments;
pub use file::File;
