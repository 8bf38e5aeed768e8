//! Lines of input. They are read byte by byte: what follows a line is for the programs it runs.

use alloc::vec::Vec;

use user::File;

/// Most bytes of a line.
pub const MAX_LINE: usize = 1024;

/// What was read.
pub enum Line {
    /// A line, without the newline that ends it.
    Complete(Vec<u8>),
    /// A line that has more than [`MAX_LINE`] bytes; all of it was read.
    TooLong,
    /// Nothing, since the input has ended or cannot be read.
    End,
}

/// Reads a line.
pub fn read(input: &File) -> Line {
    let mut line = Vec::new();
    let mut is_empty = true;
    let mut is_too_long = false;
    let mut byte = [0];
    while input.read(&mut byte) == Some(1) {
        is_empty = false;
        match byte {
            [b'\n'] => break,
            _ if line.len() == MAX_LINE => is_too_long = true,
            [byte] => line.push(byte),
        }
    }
    match (is_empty, is_too_long) {
        (true, _) => Line::End,
        (false, true) => Line::TooLong,
        (false, false) => Line::Complete(line),
    }
}
