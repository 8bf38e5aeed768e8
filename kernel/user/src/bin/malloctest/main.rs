//! Tries `malloc` and `free`, and Rust's collections on them, by rules in groups; the last line is
//! the verdict. `malloctest NAME…` runs only those rules or groups, `malloctest -l` lists them.
#![no_std]
#![no_main]

extern crate alloc;

mod blocks;
mod collections;
mod growth;
mod piece;
mod reuse;

use user::Arguments;
use user::testing::{Group, suite};

user::program!(main);

const GROUPS: [Group; 4] = [
    blocks::GROUP,
    reuse::GROUP,
    growth::GROUP,
    collections::GROUP,
];

fn main(arguments: Arguments) -> i32 {
    suite::run("malloctest", &GROUPS, arguments)
}
