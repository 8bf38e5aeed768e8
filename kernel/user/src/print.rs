//! Printing to the standard output.

use core::fmt::{self, Write};

use crate::system;

/// Collects text, so that a line is one system call.
pub struct Line {
    bytes: [u8; 128],
    length: usize,
}

impl Line {
    /// An empty line.
    pub const fn new() -> Line {
        Line {
            bytes: [0; 128],
            length: 0,
        }
    }

    /// Writes what was collected.
    pub fn flush(&mut self) {
        // There is nobody to tell if the output is closed.
        let _ = system::write(1, &self.bytes[..self.length]);
        self.length = 0;
    }
}

impl Default for Line {
    fn default() -> Line {
        Line::new()
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.length == self.bytes.len() {
                self.flush();
            }
            self.bytes[self.length] = byte;
            self.length += 1;
        }
        Ok(())
    }
}

/// Prints formatted text.
#[macro_export]
macro_rules! print {
    ($($part:tt)*) => {{
        let mut line = $crate::print::Line::new();
        let _ = core::fmt::Write::write_fmt(&mut line, format_args!($($part)*));
        line.flush();
    }};
}

/// Prints formatted text and ends the line.
#[macro_export]
macro_rules! println {
    ($($part:tt)*) => {{
        let mut line = $crate::print::Line::new();
        let _ = core::fmt::Write::write_fmt(&mut line, format_args!($($part)*));
        let _ = core::fmt::Write::write_str(&mut line, "\n");
        line.flush();
    }};
}
