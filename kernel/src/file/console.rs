//! The console: lines of input with editing, and output.
//!
//! Control-H or delete removes a character, control-U the line; control-D ends the input. Control-P
//! lists the processes.

use crate::address::UserAddress;
use crate::devices::uart;
use crate::memory::AddressSpace;
use crate::memory::image::Image;
use crate::scheduling::Thread;
use crate::scheduling::sleep::{Channel, sleep, sleep_unless_killed, wake};
use crate::sync::SpinLock;

/// Bytes of input that wait to be read or edited. A power of two.
const BUFFER: usize = 128;
/// Bytes of a piece. A write is done in pieces; each is written as a whole or not at all.
const PIECE: usize = 32;

const END_OF_INPUT: u8 = control(b'D');
const BACKSPACE: u8 = control(b'H');
const DELETE: u8 = 0x7f;
const KILL_LINE: u8 = control(b'U');
const LIST_PROCESSES: u8 = control(b'P');

const fn control(letter: u8) -> u8 {
    letter - b'@'
}

/// Positions only grow, modulo the size of the word; `read <= lines <= edit`, at most `BUFFER`
/// apart.
struct Input {
    bytes: [u8; BUFFER],
    /// Next to be read.
    read: usize,
    /// End of the complete lines.
    lines: usize,
    /// Where the next byte goes.
    edit: usize,
}

static INPUT: SpinLock<Input> = SpinLock::new(
    &"console",
    Input {
        bytes: [0; BUFFER],
        read: 0,
        lines: 0,
        edit: 0,
    },
);

/// Guards the UART's transmit side; holds nothing.
static OUTPUT: SpinLock<()> = SpinLock::new(&"uart", ());

impl Input {
    fn slot(&mut self, position: usize) -> &mut u8 {
        &mut self.bytes[position % BUFFER]
    }

    /// Removes the last byte that is not yet part of a complete line.
    fn rub_out(&mut self) -> bool {
        let possible = self.edit != self.lines;
        if possible {
            self.edit = self.edit.wrapping_sub(1);
            uart::send(b"\x08 \x08");
        }
        possible
    }

    /// Takes a byte that was typed; returns whether a line is complete.
    fn take(&mut self, byte: u8) -> bool {
        let byte = if byte == b'\r' { b'\n' } else { byte };
        if byte == 0 || self.edit.wrapping_sub(self.read) >= BUFFER {
            return false;
        }
        uart::send(&[byte]);
        let edit = self.edit;
        *self.slot(edit) = byte;
        self.edit = edit.wrapping_add(1);
        let full = self.edit.wrapping_sub(self.read) == BUFFER;
        if byte == b'\n' || byte == END_OF_INPUT || full {
            self.lines = self.edit;
            return true;
        }
        false
    }

    fn typed(&mut self, byte: u8) {
        match byte {
            KILL_LINE => {
                while self.edit != self.lines {
                    let last = self.edit.wrapping_sub(1);
                    if *self.slot(last) == b'\n' {
                        break;
                    }
                    self.rub_out();
                }
            }
            BACKSPACE | DELETE => {
                self.rub_out();
            }
            byte => {
                if self.take(byte) {
                    wake(Channel::of(&INPUT));
                }
            }
        }
    }
}

/// The UART has interrupted: bytes came in, or there is room to send. Control-P asks for
/// `list_processes`.
pub fn interrupt(list_processes: fn()) {
    uart::acknowledge();
    while let Some(byte) = uart::receive() {
        match byte {
            // The list is long: not under the lock.
            LIST_PROCESSES => list_processes(),
            byte => INPUT.lock().typed(byte),
        }
    }
    let _output = OUTPUT.lock();
    wake(Channel::of(&OUTPUT));
}

/// Reads at most `length` bytes of one line into user memory, and returns how many: 0 at the end of
/// input. A byte that cannot be stored stays for the next read.
///
/// # Errors
/// Not even the first byte can be stored, or the process was killed while it waited.
pub fn read(
    thread: &Thread,
    space: &mut AddressSpace<impl Image>,
    address: UserAddress,
    length: usize,
) -> Option<usize> {
    // Under the lock nothing can be loaded. Few lines are longer; a read may give less than a line.
    space.load_all(address, length.min(BUFFER)).ok()?;
    let mut input = INPUT.lock();
    let mut done = 0;
    while done < length {
        while input.read == input.lines {
            if thread.is_killed() {
                return None;
            }
            input = sleep_unless_killed(Channel::of(&INPUT), input);
        }
        let position = input.read;
        let byte = *input.slot(position);
        if byte == END_OF_INPUT && done > 0 {
            // It stays for the next read, which then returns no bytes.
            break;
        }
        if byte != END_OF_INPUT {
            let place = address.checked_add(done as u64);
            let stored = place.is_some_and(|place| space.copy_out(place, &[byte]).is_ok());
            match (stored, done) {
                (true, _) => {}
                (false, 0) => return None,
                (false, _) => break,
            }
        }
        input.read = position.wrapping_add(1);
        if byte == END_OF_INPUT {
            break;
        }
        done += 1;
        if byte == b'\n' {
            break;
        }
    }
    Some(done)
}

/// Writes `length` bytes of user memory, and returns how many: fewer, in whole pieces, if a piece
/// cannot be read.
pub fn write(space: &mut AddressSpace<impl Image>, address: UserAddress, length: usize) -> usize {
    let mut done = 0;
    let mut buffer = [0; PIECE];
    while done < length {
        let piece = &mut buffer[..PIECE.min(length - done)];
        let place = address.checked_add(done as u64);
        let mut copy = |place| space.with_loading(|space| space.copy_in(place, piece));
        if place.is_none_or(|place| copy(place).is_err()) {
            break;
        }
        send(piece);
        done += piece.len();
    }
    done
}

/// Sends bytes, sleeping while the UART has no room.
fn send(bytes: &[u8]) {
    let mut output = OUTPUT.lock();
    for batch in bytes.chunks(uart::BATCH) {
        while !uart::try_send(batch) {
            uart::want_transmit_interrupt(true);
            output = sleep(Channel::of(&OUTPUT), output);
            uart::want_transmit_interrupt(false);
        }
    }
}
