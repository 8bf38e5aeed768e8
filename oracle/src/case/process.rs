//! The names of processes.

use std::fmt;

/// A process of a case: `a` to `h`. A name means one process only, and is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process(u8);

impl Process {
    /// How many processes a case can name.
    pub const COUNT: usize = 8;
    /// `a`, the process that every case starts with.
    pub const FIRST: Process = Process(0);

    /// 0 for `a` to 7 for `h`.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The process of that index; `None` from 8 on.
    pub fn from_index(index: usize) -> Option<Process> {
        (index < Self::COUNT).then_some(Process(index as u8))
    }

    /// The process whose index is `bits` modulo 8.
    pub(crate) fn from_bits(bits: u8) -> Process {
        Process(bits % Self::COUNT as u8)
    }

    /// The process with the name `letter`. `None` if that is not one of `a` to `h`.
    pub fn from_letter(letter: char) -> Option<Process> {
        Self::from_index((letter as usize).checked_sub('a' as usize)?)
    }

    /// `a` to `h`.
    pub fn letter(self) -> char {
        char::from(b'a' + self.0)
    }

    /// All names, in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Process> + Clone {
        (0..Self::COUNT as u8).map(Process)
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}
