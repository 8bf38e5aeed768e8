//! Prints files one after the other, or the standard input.
#![no_std]
#![no_main]

use user::{Arguments, File, each, print};

user::program!(main);

fn main(arguments: Arguments) -> i32 {
    let output = File::from_descriptor(print::OUTPUT);
    each::input(arguments, 1, |file, _| {
        let mut buffer = [0; 512];
        loop {
            match file.read(&mut buffer).ok_or("read error")? {
                0 => return Ok(()),
                read => output.write_all(&buffer[..read]).ok_or("write error")?,
            }
        }
    })
}
