//! Has a child that ends first, and ends without waiting for it: a zombie for `init`.
#![no_std]
#![no_main]

use user::{Arguments, system};

user::program!(main);

fn main(_: Arguments) -> i32 {
    if system::fork().is_some_and(|child| child > 0) {
        // The child has ended when this one does.
        let _ = system::pause(5);
    }
    0
}
