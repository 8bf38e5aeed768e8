//! The first program: opens the console and keeps a shell running.
#![no_std]
#![no_main]

use user::abi::{limits, open};
use user::{Arguments, println, system};

user::program!(main);

fn main(_: Arguments) -> i32 {
    let console = system::open(c"console", open::READ_WRITE).or_else(|| {
        system::mknod(c"console", limits::CONSOLE, 0)?;
        system::open(c"console", open::READ_WRITE)
    });
    // Standard input is the first descriptor; output and errors are two more for the same file.
    if let Some(console) = console {
        system::dup(console);
        system::dup(console);
    }
    loop {
        println!("init: starting sh");
        match system::fork() {
            Some(0) => {
                system::exec(c"sh", &[c"sh"]);
                println!("init: exec sh failed");
                return 1;
            }
            // Orphans are children of this process: they are waited for too.
            Some(shell) => while system::wait().is_some_and(|(ended, _)| ended != shell) {},
            None => {
                println!("init: fork failed");
                // Others may end meanwhile.
                let _ = system::pause(10);
            }
        }
    }
}
