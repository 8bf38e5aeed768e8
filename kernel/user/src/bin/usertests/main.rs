//! Tries every system call of xv6, by rules in groups; the last line is the verdict.
//!
//! `usertests` runs all rules, `usertests -q` those that take a moment, `usertests NAME…` those of
//! that name or group, `usertests -l` lists them. The rules use nothing but xv6's own calls, so
//! they can be asked of any xv6. Where this kernel promises more than the C kernel does, a comment
//! says so.
#![no_std]
#![no_main]

mod directories;
mod exec;
mod files;
mod links;
mod memory;
mod pipes;
mod pointers;
mod processes;
mod resources;

use user::Arguments;
use user::testing::{Group, suite};

user::program!(main);

const GROUPS: [Group; 9] = [
    pointers::GROUP,
    files::GROUP,
    links::GROUP,
    directories::GROUP,
    pipes::GROUP,
    processes::GROUP,
    exec::GROUP,
    memory::GROUP,
    resources::GROUP,
];

fn main(arguments: Arguments) -> i32 {
    suite::run("usertests", &GROUPS, arguments)
}
