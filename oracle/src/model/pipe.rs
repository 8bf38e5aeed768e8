//! Pipes: some bytes in flight, and whether each end is open.

use std::collections::VecDeque;

/// A pipe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) content: VecDeque<u8>,
    pub(crate) read_end: bool,
    pub(crate) write_end: bool,
}

/// Which way a descriptor leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Read,
    Write,
}

impl Pipe {
    /// Closes an end; a pipe whose ends are both closed is gone.
    pub(crate) fn close(&mut self, way: Way) {
        match way {
            Way::Read => self.read_end = false,
            Way::Write => self.write_end = false,
        }
        if self.is_gone() {
            self.content.clear();
        }
    }

    /// Whether no process holds either end.
    pub(crate) fn is_gone(&self) -> bool {
        !self.read_end && !self.write_end
    }
}
