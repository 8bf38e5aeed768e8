//! Tries stacks that grow on demand, and those that do not, counting frames and page faults; the
//! last line is the verdict. `stacktests NAME…` runs only those rules or groups, `stacktests -l`
//! lists them.
#![no_std]
#![no_main]

mod bounds;
mod fresh;
mod growth;
mod system_calls;

use user::Arguments;
use user::testing::{Group, suite};

user::program!(main);

const GROUPS: [Group; 4] = [
    fresh::GROUP,
    growth::GROUP,
    bounds::GROUP,
    system_calls::GROUP,
];

fn main(arguments: Arguments) -> i32 {
    match arguments.get(1) {
        Some(word) if word == fresh::ARGUMENT => fresh::measure(),
        _ => suite::run("stacktests", &GROUPS, arguments),
    }
}
