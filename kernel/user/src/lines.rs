//! Files line by line.

extern crate alloc;

use alloc::vec::Vec;

use crate::File;

/// Bytes that are read at a time.
const CHUNK: usize = 512;

/// The lines of a file, of any length.
pub struct Lines<'f> {
    file: &'f File,
    /// What was read; the line that was given last ends before `given`.
    bytes: Vec<u8>,
    given: usize,
}

/// The file cannot be read.
pub struct ReadError;

impl<'f> Lines<'f> {
    /// The lines of `file` from its current offset on.
    pub fn new(file: &'f File) -> Lines<'f> {
        Lines {
            file,
            bytes: Vec::new(),
            given: 0,
        }
    }

    /// The next line, without the newline that ends it; `None` at the end of the file. The last
    /// line need not be ended.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, ReadError> {
        self.bytes.drain(..self.given);
        let mut searched = 0;
        let length = loop {
            let unsearched = &self.bytes[searched..];
            if let Some(length) = unsearched.iter().position(|&byte| byte == b'\n') {
                self.given = searched + length + 1;
                break searched + length;
            }
            searched = self.bytes.len();
            if !self.read_more()? {
                self.given = searched;
                if searched == 0 {
                    return Ok(None);
                }
                break searched;
            }
        };
        Ok(Some(&self.bytes[..length]))
    }

    /// Whether there was more.
    fn read_more(&mut self) -> Result<bool, ReadError> {
        let before = self.bytes.len();
        self.bytes.resize(before + CHUNK, 0);
        let read = self.file.read(&mut self.bytes[before..]);
        self.bytes.truncate(before + read.unwrap_or(0));
        read.map(|read| read > 0).ok_or(ReadError)
    }
}
