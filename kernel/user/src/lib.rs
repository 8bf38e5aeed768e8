//! What user programs share: their entry, system calls, printing.
//!
//! A program says `user::program!(main);` and writes `fn main(arguments: Arguments) -> i32`; what
//! it gives is its exit status.
#![no_std]

pub mod arguments;
mod entry;
pub mod print;
pub mod system;

pub use abi;
pub use arguments::Arguments;
