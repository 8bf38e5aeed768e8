//! Prints the lines of files, or of the standard input, that match a pattern.
#![no_std]
#![no_main]

mod pattern;

use user::lines::Lines;
use user::{Arguments, File, each, eprintln, print};

user::program!(main);

fn main(arguments: Arguments) -> i32 {
    let Some(pattern) = arguments.get(1) else {
        eprintln!("Usage: grep pattern [file...]");
        return 1;
    };
    let output = File::from_descriptor(print::OUTPUT);
    each::input(arguments, 2, |file, _| {
        let mut lines = Lines::new(file);
        while let Some(line) = lines.next_line().map_err(|_| "read error")? {
            if pattern::matches(pattern.to_bytes(), line) {
                output
                    .write_all(line)
                    .and_then(|()| output.write_all(b"\n"))
                    .ok_or("write error")?;
            }
        }
        Ok(())
    })
}
