#![no_std]
#![no_main]
use user::{Arguments, println};
user::program!(main);
fn main(_: Arguments) -> i32 {
    println!("hello {}", 1);
    0
}
