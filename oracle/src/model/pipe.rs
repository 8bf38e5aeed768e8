//! Pipes: some bytes in flight, and how many descriptors lead to each end.

use std::collections::VecDeque;

/// A pipe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) content: VecDeque<u8>,
    pub(crate) readers: u32,
    pub(crate) writers: u32,
}

/// Which way a descriptor leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Read,
    Write,
}

/// What a file descriptor stands for: an end of the pipe with that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) pipe: usize,
    pub(crate) way: Way,
}

impl Pipe {
    /// How many descriptors lead to the end.
    pub(crate) fn holders(&mut self, way: Way) -> &mut u32 {
        match way {
            Way::Read => &mut self.readers,
            Way::Write => &mut self.writers,
        }
    }

    /// Whether nobody holds either end.
    pub(crate) fn is_gone(&self) -> bool {
        self.readers == 0 && self.writers == 0
    }
}
