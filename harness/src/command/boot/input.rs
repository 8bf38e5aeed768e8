//! Typed input: bytes for the guest, and commands that begin with Ctrl-A.

use std::collections::VecDeque;

/// Ctrl-A.
const ESCAPE: u8 = 1;

/// Typed bytes that wait for the guest.
#[derive(Default)]
pub(super) struct Input {
    waiting: VecDeque<u8>,
    /// Was the last byte a Ctrl-A?
    escaped: bool,
}

impl Input {
    /// Takes typed bytes. Returns whether they contain Ctrl-A X, which asks to leave.
    pub(super) fn typed(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            match (std::mem::take(&mut self.escaped), byte) {
                (true, b'x' | b'X') => return true,
                (true, ESCAPE) | (false, 0 | 2..) => self.waiting.push_back(byte),
                (false, ESCAPE) => self.escaped = true,
                // No such command.
                (true, _) => {}
            }
        }
        false
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Gives the waiting bytes to `take`, which returns how many it took.
    pub(super) fn hand_over(&mut self, take: impl FnMut(&[u8]) -> usize) {
        self.hand_over_first(self.waiting.len(), take);
    }

    /// Gives the first waiting line to `take`. The last line may have no line feed.
    pub(super) fn hand_over_line(&mut self, take: impl FnMut(&[u8]) -> usize) {
        let end = self.waiting.iter().position(|byte| *byte == b'\n');
        self.hand_over_first(end.map_or(self.waiting.len(), |end| end + 1), take);
    }

    fn hand_over_first(&mut self, length: usize, mut take: impl FnMut(&[u8]) -> usize) {
        let first = &self.waiting.make_contiguous()[..length];
        let taken = take(first);
        self.waiting.drain(..taken.min(length));
    }
}

#[cfg(test)]
mod tests {
    use super::Input;

    fn handed(input: &mut Input) -> Vec<u8> {
        let mut handed = Vec::new();
        input.hand_over(|bytes| {
            handed.extend_from_slice(bytes);
            bytes.len()
        });
        handed
    }

    #[test]
    fn control_a_x_leaves_and_doubled_it_is_typed() {
        let mut input = Input::default();
        assert!(!input.typed(b"ab\x01\x01c\x01?x\0"));
        assert_eq!(handed(&mut input), b"ab\x01cx\0");
        assert!(!input.typed(b"d\x01"));
        assert!(input.typed(b"Xe"));
        assert_eq!(handed(&mut input), b"d");
    }

    #[test]
    fn what_the_guest_does_not_take_waits() {
        let mut input = Input::default();
        input.typed(b"one\ntwo\nrest");
        input.hand_over_line(|line| {
            assert_eq!(line, b"one\n");
            2
        });
        input.hand_over_line(|line| {
            assert_eq!(line, b"e\n");
            line.len()
        });
        assert_eq!(handed(&mut input), b"two\nrest");
        assert!(input.is_empty());
    }
}
