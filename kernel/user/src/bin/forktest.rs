//! Makes children until there can be no more, and reaps them all. A small program, so that it is
//! the table of processes that runs out and not memory.
#![no_std]
#![no_main]

use user::abi::limits::PROCESSES;
use user::{Arguments, println, system};

user::program!(main);

fn main(_: Arguments) -> i32 {
    let wrong = (0..3).find_map(|_| fill_table().err());
    match wrong {
        None => {
            println!("forktest: ALL PASSED");
            0
        }
        Some(what) => {
            println!("FAIL forktest: {what}");
            1
        }
    }
}

/// Makes children that wait for each other, as many as there can be.
fn fill_table() -> Result<(), &'static str> {
    let (read_end, write_end) = system::pipe().ok_or("no pipe")?;
    let mut children = 0;
    while let Some(pid) = system::fork() {
        if pid == 0 {
            // Until all of them are made.
            system::close(write_end);
            let told = system::read(read_end, &mut [0]);
            system::exit(i32::from(told != Some(0)));
        }
        children += 1;
        if children == PROCESSES {
            return Err("more children than processes");
        }
    }
    system::close(write_end);
    system::close(read_end);
    for _ in 0..children {
        match system::wait() {
            Some((_, 0)) => {}
            Some(_) => return Err("a child was not well"),
            None => return Err("a child got lost"),
        }
    }
    if system::wait().is_some() {
        return Err("a child too many");
    }
    match children {
        0 => Err("no children at all"),
        _ => Ok(()),
    }
}
