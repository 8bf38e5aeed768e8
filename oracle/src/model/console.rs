//! The console: lines that are typed, and programs that read them.

use super::open_file::OpenNode;
use super::{Access, Answer, FAILED, Model, Outcome, ProcessState, Waiting, Witness};
use crate::case::{Keys, Process};
use crate::dialect::RefusedByte;
use abi::file_system::Kind;
use abi::limits::CONSOLE;
use std::collections::VecDeque;

/// The fewest typed bytes that a kernel keeps until they are read. Cases type no more.
const INPUT_BYTES: usize = 100;
/// The longest write to the console that is made, in bytes. A kernel may sleep after each byte until the serial port has
/// sent it.
const MOST_WRITTEN: i16 = 64;

/// What was typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Console {
    /// Complete lines that nobody has read yet. A line ends with a newline, or with [`Keys::END`].
    lines: VecDeque<u8>,
    /// A line that can still be edited.
    edited: Vec<u8>,
}

impl Console {
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.edited.clear();
    }

    fn has_room(&self) -> bool {
        self.lines.len() + self.edited.len() + Keys::MOST <= INPUT_BYTES
    }

    fn take(&mut self, key: u8) {
        match key {
            Keys::LIST => {}
            Keys::REMOVE_LINE => self.edited.clear(),
            Keys::BACKSPACE => {
                self.edited.pop();
            }
            key => {
                self.edited.push(key);
                if key == Keys::NEWLINE || key == Keys::END {
                    self.lines.extend(self.edited.drain(..));
                }
            }
        }
    }

    /// How many bytes a read of `length` bytes returns: at most one line, without its end of input. `None` if there is
    /// no complete line.
    fn ready(&self, length: u64) -> Option<u64> {
        let end = |byte: &u8| *byte == Keys::END || *byte == Keys::NEWLINE;
        let end = self.lines.iter().position(end)?;
        let line = end as u64 + u64::from(self.lines[end] == Keys::NEWLINE);
        Some(line.min(length))
    }
}

impl Model {
    /// Whether the keys can be typed on this kernel now: it knows what they mean, and has room for them.
    pub(super) fn can_type(&self, keys: Keys) -> bool {
        let rules = &self.world.dialect.console;
        rules.lines
            && (rules.edits || !keys.edit())
            && (rules.ends || !keys.end())
            && self.console.has_room()
    }

    pub(super) fn types(&mut self, keys: Keys) {
        for key in keys.bytes() {
            self.console.take(*key);
        }
    }

    /// Whether it is known what opening the console leads to.
    pub(super) fn knows_console(&self) -> bool {
        self.world.dialect.console.lines
    }

    /// Whether a file is the console.
    pub(super) fn is_console(&self, node: OpenNode) -> bool {
        let node = self.files.node(node.inode);
        node.is_some_and(|node| node.kind == Kind::Device && node.major == CONSOLE)
    }

    /// Whether a descriptor leads to the console.
    pub(super) fn leads_to_console(&self, process: Process, fd: i8) -> bool {
        let node = self.open_node(process, fd);
        node.is_some_and(|node| self.is_console(node))
    }

    /// Whether a write of `length` bytes to that descriptor goes to the console and is too long for it.
    pub(super) fn writes_long_to_console(&self, process: Process, fd: i8, length: i16) -> bool {
        length > MOST_WRITTEN && self.leads_to_console(process, fd)
    }

    /// Whether a process waits for a line: another one would have to wait as well, and which of them gets the
    /// next line depends on the scheduler.
    pub(super) fn is_line_awaited(&self) -> bool {
        let waits = |process| matches!(self.of(process).waiting, Some(Waiting::Line { .. }));
        Process::all()
            .any(|process| self.state_of(process) == ProcessState::Blocked && waits(process))
    }

    /// The most bytes that a read of the console can transfer.
    pub(super) fn readable_of_console(&self, length: i16) -> u64 {
        u64::try_from(length).map_or(0, |length| length.min(INPUT_BYTES as u64))
    }

    pub(super) fn read_console(
        &mut self,
        process: Process,
        address: u64,
        length: i16,
        witness: &Witness,
    ) {
        let at_most = self.readable_of_console(length);
        if self.finds_no_frame(process, address, at_most, Access::Store, witness) {
            return;
        }
        if length <= 0 {
            // A kernel may refuse a negative length.
            let answer = match witness.returned(process) {
                Some(FAILED) if length < 0 => FAILED,
                _ => 0,
            };
            return self.returns(process, answer);
        }
        let waiting = Waiting::Line {
            address,
            length: length as u64,
        };
        self.wait_for(process, waiting, witness);
    }

    /// Reads from a complete line. Returns false if there is none.
    pub(super) fn try_to_read_line(
        &mut self,
        process: Process,
        address: u64,
        length: u64,
        witness: &Witness,
    ) -> bool {
        let Some(wanted) = self.console.ready(length) else {
            return false;
        };
        self.wakes(process);
        if wanted == 0 {
            self.console.lines.pop_front();
            self.returns(process, 0);
            return true;
        }
        let Some(moved) = self.transfer_line(process, address, wanted, witness) else {
            return true;
        };
        let lines = &mut self.console.lines;
        let bytes = &lines.make_contiguous()[..moved as usize];
        self.processes[process.index()].space.write(address, bytes);
        lines.drain(..moved as usize);
        let lost = self.world.dialect.console.refused_byte == RefusedByte::Lost;
        if moved < wanted && lost {
            lines.pop_front();
        }
        true
    }

    /// Writes to the console. What is shown there is not compared.
    pub(super) fn write_console(
        &mut self,
        process: Process,
        address: u64,
        length: i16,
        witness: &Witness,
    ) {
        let Ok(length) = u64::try_from(length) else {
            // A kernel may refuse it, or write nothing.
            let answer = match witness.returned(process) {
                Some(0) => 0,
                _ => FAILED,
            };
            return self.returns(process, answer);
        };
        let space = &self.of(process).space;
        if witness.out_of_frames && space.may_need_frame(address, length, Access::Load) {
            if witness.silent(process) {
                return self.dies_out_of_frames(process);
            }
            let seen = witness.returned(process);
            if let Some(seen) = seen.filter(|seen| *seen == FAILED || *seen < length) {
                return self.excused(process, Outcome::Returns(Answer::Exactly(seen)));
            }
        }
        self.of_mut(process).space.note_load(address, length);
        self.returns(process, length);
    }
}

#[cfg(test)]
mod tests {
    use super::Console;

    fn typed(keys: &[u8]) -> Console {
        let mut console = Console::default();
        keys.iter().for_each(|key| console.take(*key));
        console
    }

    #[test]
    fn a_line_is_read_once_it_is_complete_and_not_beyond_its_end() {
        assert_eq!(typed(b"ab").ready(9), None);
        assert_eq!(typed(b"ab\ncd\n").ready(9), Some(3));
        assert_eq!(typed(b"ab\n").ready(2), Some(2));
    }

    #[test]
    fn keys_edit_the_line_that_is_not_complete() {
        assert_eq!(typed(b"ab\x08c\n").lines, b"ac\n");
        assert_eq!(typed(b"ab\n\x08\x08c\n").lines, b"ab\nc\n");
        assert_eq!(typed(b"ab\ncd\x15e\n").lines, b"ab\ne\n");
    }

    #[test]
    fn input_ends_after_what_was_typed_before_it() {
        assert_eq!(typed(b"ab\x04").ready(9), Some(2));
        assert_eq!(typed(b"\x04").ready(9), Some(0));
    }
}
