//! Kills the processes with the given pids.
#![no_std]
#![no_main]

use user::{Arguments, each, system};

user::program!(main);

fn main(arguments: Arguments) -> i32 {
    each::argument(arguments, "pid...", "is no process to be killed", |pid| {
        system::kill(pid.to_str().ok()?.parse().ok()?)
    })
}
