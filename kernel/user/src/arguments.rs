//! A program's arguments.

use core::ffi::CStr;
use core::str::FromStr;

use crate::text::Text;

/// A program's arguments; the first is its name.
#[derive(Clone, Copy)]
pub struct Arguments {
    count: usize,
    array: *const *const u8,
}

impl Arguments {
    /// Takes what the kernel gives a program.
    ///
    /// # Safety
    /// `array` has `count` addresses of strings that end in a zero byte; all stay unchanged for
    /// the life of the program.
    pub unsafe fn from_entry(count: usize, array: *const *const u8) -> Arguments {
        Arguments { count, array }
    }

    /// How many there are, the program's name included.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Argument `index`.
    pub fn get(&self, index: usize) -> Option<&'static CStr> {
        if index >= self.count {
            return None;
        }
        // SAFETY: promised to `from_entry`.
        Some(unsafe { CStr::from_ptr((*self.array.add(index)).cast()) })
    }

    /// Argument `index` as a number; `None` also if it is something else.
    pub fn number<N: FromStr>(&self, index: usize) -> Option<N> {
        self.get(index)?.to_str().ok()?.parse().ok()
    }

    /// The name that the program was called by.
    pub fn program(&self) -> Text<'static> {
        Text(self.get(0).unwrap_or_default().to_bytes())
    }

    /// All arguments after the program's name.
    pub fn rest(self) -> impl Iterator<Item = &'static CStr> {
        self.from(1)
    }

    /// All arguments from the one with this index on.
    pub fn from(self, index: usize) -> impl Iterator<Item = &'static CStr> {
        (index..self.count).filter_map(move |index| self.get(index))
    }
}
