//! Counts lines, words and bytes of files, or of the standard input.
#![no_std]
#![no_main]

use user::text::Text;
use user::{Arguments, File, each, println};

user::program!(main);

fn main(arguments: Arguments) -> i32 {
    each::input(arguments, 1, |file, name| {
        let counts = Counts::of(file).ok_or("read error")?;
        let Counts {
            lines,
            words,
            bytes,
        } = counts;
        println!("{lines} {words} {bytes} {}", Text(name));
        Ok(())
    })
}

struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
}

impl Counts {
    fn of(file: &File) -> Option<Counts> {
        let mut counts = Counts {
            lines: 0,
            words: 0,
            bytes: 0,
        };
        let mut inside_word = false;
        let mut buffer = [0; 512];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Some(counts);
            }
            counts.bytes += read as u64;
            for &byte in &buffer[..read] {
                let is_space = matches!(byte, b' ' | b'\r' | b'\t' | b'\n' | 0x0b);
                counts.lines += u64::from(byte == b'\n');
                counts.words += u64::from(!is_space && !inside_word);
                inside_word = !is_space;
            }
        }
    }
}
