//! The terminal in raw mode: every key goes to the guest, as it is pressed.

use rustix::stdio::stdin;
use rustix::termios::{
    LocalModes, OptionalActions, OutputModes, Termios, isatty, tcgetattr, tcsetattr,
};
use std::io;

/// A terminal in raw mode, until dropped.
pub(super) struct RawTerminal {
    before: Termios,
}

impl RawTerminal {
    /// Puts the terminal at the standard input into raw mode; `None` if there is none.
    pub(super) fn enter() -> io::Result<Option<Self>> {
        if !isatty(stdin()) {
            return Ok(None);
        }
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        // The guest ends its lines with a line feed alone.
        raw.output_modes |= OutputModes::OPOST | OutputModes::ONLCR;
        debug_assert!(!raw.local_modes.contains(LocalModes::ISIG));
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Some(Self { before }))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // A terminal that is gone needs no repair.
        let _ = tcsetattr(stdin(), OptionalActions::Drain, &self.before);
    }
}
