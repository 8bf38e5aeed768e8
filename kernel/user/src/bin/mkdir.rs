//! Makes directories.
#![no_std]
#![no_main]

use user::{Arguments, each, system};

user::program!(main);

fn main(arguments: Arguments) -> i32 {
    each::argument(arguments, "files...", "failed to create", system::mkdir)
}
