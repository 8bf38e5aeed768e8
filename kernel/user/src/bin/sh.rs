//! A small shell: runs one program at a time, with arguments. `cd` and `exit` are its own.
#![no_std]
#![no_main]

use core::ffi::CStr;

use user::{Arguments, print, println, system};

user::program!(main);

/// Longest line and most words that the shell understands.
const LINE: usize = 256;
const WORDS: usize = 16;

fn main(_: Arguments) -> i32 {
    let mut line = [0; LINE];
    loop {
        print!("$ ");
        // The last byte stays zero, so that every word ends in one.
        match system::read(0, &mut line[..LINE - 1]) {
            None | Some(0) => return 0,
            Some(length) => line[length..].fill(0),
        }
        let mut words = [core::ptr::null(); WORDS];
        let count = split(&mut line, &mut words);
        if count == WORDS {
            println!("sh: too many words");
            continue;
        }
        let Some(name) = word(&line, &words[..count], 0) else {
            continue;
        };
        match name.to_bytes() {
            b"exit" => return 0,
            b"cd" => {
                let moved = word(&line, &words[..count], 1).and_then(system::chdir);
                if moved.is_none() {
                    println!("sh: no such directory");
                }
            }
            _ => run(name, &words[..=count]),
        }
    }
}

/// Ends each word of the line by a zero byte and notes where it begins; gives how many there are.
fn split(line: &mut [u8; LINE], words: &mut [*const u8; WORDS]) -> usize {
    let mut count = 0;
    let mut inside = false;
    for byte in line {
        if matches!(*byte, b' ' | b'\t' | b'\r' | b'\n' | 0) {
            *byte = 0;
            inside = false;
        } else if !inside {
            inside = true;
            if count == WORDS - 1 {
                return WORDS;
            }
            words[count] = byte;
            count += 1;
        }
    }
    count
}

/// Word `index` of a line that was split.
fn word<'l>(line: &'l [u8; LINE], words: &[*const u8], index: usize) -> Option<&'l CStr> {
    let start = words.get(index)?.addr().checked_sub(line.as_ptr().addr())?;
    CStr::from_bytes_until_nul(line.get(start..)?).ok()
}

fn run(name: &CStr, arguments: &[*const u8]) {
    match system::fork() {
        Some(0) => {
            let list = arguments.as_ptr().cast();
            // SAFETY: strings that end, in a list that ends.
            unsafe { user::raw::exec(name.as_ptr(), list) };
            println!("exec {} failed", name.to_str().unwrap_or("?"));
            system::exit(1);
        }
        Some(_) => {
            system::wait();
        }
        None => println!("sh: fork failed"),
    }
}
