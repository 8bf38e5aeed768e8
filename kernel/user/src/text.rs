//! Text that need not be UTF-8: names and arguments.

use core::fmt::{self, Display, Formatter, Write};

/// Shows bytes; those that are not UTF-8 as U+FFFD.
#[derive(Clone, Copy)]
pub struct Text<'b>(pub &'b [u8]);

impl Display for Text<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match core::str::from_utf8(self.0) {
            Ok(text) => formatter.pad(text),
            Err(_) => self.0.utf8_chunks().try_for_each(|chunk| {
                formatter.write_str(chunk.valid())?;
                match chunk.invalid() {
                    [] => Ok(()),
                    _ => formatter.write_char(char::REPLACEMENT_CHARACTER),
                }
            }),
        }
    }
}

/// What follows the last slash of a path.
pub fn last_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}
