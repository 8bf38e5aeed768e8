//! Tries copy-on-write fork, counting frames and page faults to the last one; the last line is the
//! verdict. `cowtests NAME…` runs only those rules or groups, `cowtests -l` lists them.
#![no_std]
#![no_main]

mod copies;
mod exhaustion;
mod fork;
mod system_calls;
mod writers;

use user::Arguments;
use user::testing::{Group, suite};

user::program!(main);

const GROUPS: [Group; 5] = [
    fork::GROUP,
    copies::GROUP,
    system_calls::GROUP,
    writers::GROUP,
    exhaustion::GROUP,
];

fn main(arguments: Arguments) -> i32 {
    suite::run("cowtests", &GROUPS, arguments)
}
