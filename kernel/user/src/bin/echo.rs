//! Prints its arguments.
#![no_std]
#![no_main]

use user::{Arguments, print, system};

user::program!(main);

fn main(arguments: Arguments) -> i32 {
    for (index, argument) in arguments.rest().enumerate() {
        if index > 0 {
            print!(" ");
        }
        system::write(1, argument.to_bytes());
    }
    print!("\n");
    0
}
