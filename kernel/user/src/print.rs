//! Printing to a descriptor.

use core::fmt::{self, Arguments, Write};

use crate::system;

/// The standard output.
pub const OUTPUT: i32 = 1;
/// Where errors go.
pub const ERRORS: i32 = 2;

/// Collects text, so that a line is one system call.
struct Collector {
    descriptor: i32,
    bytes: [u8; 128],
    length: usize,
}

impl Collector {
    fn flush(&mut self) {
        // If the output is closed, there is no other way to tell.
        let _ = system::write(self.descriptor, &self.bytes[..self.length]);
        self.length = 0;
    }
}

impl Write for Collector {
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

/// Writes formatted text to `descriptor`, in one system call if it is shorter than 128 bytes.
pub fn print_to(descriptor: i32, text: Arguments<'_>) {
    let mut collector = Collector {
        descriptor,
        bytes: [0; 128],
        length: 0,
    };
    // Collecting does not fail.
    let _ = collector.write_fmt(text);
    collector.flush();
}

/// Prints formatted text.
#[macro_export]
macro_rules! print {
    ($($part:tt)*) => {
        $crate::print::print_to($crate::print::OUTPUT, format_args!($($part)*))
    };
}

/// Prints formatted text and ends the line.
#[macro_export]
macro_rules! println {
    ($($part:tt)*) => {
        $crate::print!("{}\n", format_args!($($part)*))
    };
}

/// Prints formatted text to where errors go.
#[macro_export]
macro_rules! eprint {
    ($($part:tt)*) => {
        $crate::print::print_to($crate::print::ERRORS, format_args!($($part)*))
    };
}

/// Prints formatted text to where errors go, and ends the line.
#[macro_export]
macro_rules! eprintln {
    ($($part:tt)*) => {
        $crate::eprint!("{}\n", format_args!($($part)*))
    };
}
