//! Tests memory that is reserved first and allocated when it is touched, counting frames and page faults;
//! the last line is the verdict. `lazytests NAME…` runs only those rules or groups, `lazytests -l`
//! lists them.
#![no_std]
#![no_main]

mod bounds;
mod exhaustion;
mod growth;
mod programs;
mod scarcity;
mod system_calls;

use user::Arguments;
use user::testing::{Group, suite};

user::program!(main);

const GROUPS: [Group; 6] = [
    growth::GROUP,
    bounds::GROUP,
    system_calls::GROUP,
    exhaustion::GROUP,
    scarcity::GROUP,
    programs::GROUP,
];

fn main(arguments: Arguments) -> i32 {
    suite::run("lazytests", &GROUPS, arguments)
}
