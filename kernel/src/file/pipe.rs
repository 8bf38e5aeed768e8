//! Pipes: 512 bytes between writers and readers.

use abi::limits::{OPEN_FILES, PIPE_BYTES};

use crate::address::UserAddress;
use crate::memory::image::Image;
use crate::memory::{Access, AddressSpace};
use crate::scheduling::Thread;
use crate::scheduling::sleep::{Channel, sleep_unless_killed, wake};
use crate::sync::{SpinGuard, SpinLock};

/// Pipes that can exist at one time: each takes an open file for as long as one of its ends is open.
const PIPES: usize = OPEN_FILES;

/// An end of a pipe.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Where bytes come out.
    Read,
    /// Where bytes go in.
    Write,
}

struct State {
    bytes: [u8; PIPE_BYTES],
    /// Bytes read and bytes written since the pipe was made, modulo the size of the word, which is
    /// a multiple of `PIPE_BYTES`.
    read: usize,
    written: usize,
    read_end_open: bool,
    write_end_open: bool,
}

/// A pipe. Readers sleep on its `read_channel`, writers on its `write_channel`.
pub struct Pipe {
    state: SpinLock<State>,
    read_channel: u8,
    write_channel: u8,
}

static TABLE: [Pipe; PIPES] = [const {
    Pipe {
        state: SpinLock::new(
            &"pipe",
            State {
                bytes: [0; PIPE_BYTES],
                read: 0,
                written: 0,
                read_end_open: false,
                write_end_open: false,
            },
        ),
        read_channel: 0,
        write_channel: 0,
    }
}; PIPES];

impl State {
    fn filled(&self) -> usize {
        self.written.wrapping_sub(self.read)
    }

    /// The longest run of free bytes, of at most `length`.
    fn free_run(&mut self, length: usize) -> &mut [u8] {
        let start = self.written % PIPE_BYTES;
        let free = PIPE_BYTES - self.filled();
        let length = length.min(free).min(PIPE_BYTES - start);
        &mut self.bytes[start..start + length]
    }

    /// The longest run of filled bytes, of at most `length`.
    fn filled_run(&self, length: usize) -> &[u8] {
        let start = self.read % PIPE_BYTES;
        let length = length.min(self.filled()).min(PIPE_BYTES - start);
        &self.bytes[start..start + length]
    }
}

impl Pipe {
    /// Takes a pipe that is not in use, with both ends open. There are as many pipes as open files
    /// need. `None` if all are in use: one that is being closed may still be.
    pub fn make() -> Option<&'static Pipe> {
        TABLE.iter().find(|pipe| {
            let mut state = pipe.state.lock();
            let free = !state.read_end_open && !state.write_end_open;
            if free {
                (state.read, state.written) = (0, 0);
                (state.read_end_open, state.write_end_open) = (true, true);
            }
            free
        })
    }

    fn read_channel(&self) -> Channel {
        Channel::of(&self.read_channel)
    }

    fn write_channel(&self) -> Channel {
        Channel::of(&self.write_channel)
    }

    /// Closes an end, and wakes the processes that wait at the other.
    pub fn close(&self, end: End) {
        let mut state = self.state.lock();
        match end {
            End::Read => {
                state.read_end_open = false;
                wake(self.write_channel());
            }
            End::Write => {
                state.write_end_open = false;
                wake(self.read_channel());
            }
        }
    }

    /// Writes `length` bytes of user memory, sleeping while the pipe is full, and returns how many:
    /// fewer only if the rest of the user memory cannot be read.
    ///
    /// # Errors
    /// Not even the first byte can be read, the read end is closed, or the process was killed.
    pub fn write(
        &self,
        thread: &Thread,
        space: &mut AddressSpace<impl Image>,
        from: UserAddress,
        length: usize,
    ) -> Option<usize> {
        let mut done = 0;
        // Under the lock no page can be loaded.
        space.load_all(from, length).ok()?;
        let mut state = self.state.lock();
        while done < length {
            if !state.read_end_open || thread.is_killed() {
                return None;
            }
            if state.filled() == PIPE_BYTES {
                wake(self.read_channel());
                state = sleep_unless_killed(self.write_channel(), state);
                continue;
            }
            let Some(address) = from.checked_add(done as u64) else {
                break;
            };
            match write_some(&mut state, space, address, length - done) {
                Some(count) => done += count,
                None => break,
            }
        }
        wake(self.read_channel());
        if done == 0 && length > 0 {
            None
        } else {
            Some(done)
        }
    }

    /// Reads at most `length` bytes into user memory, sleeping while the pipe is empty, and returns
    /// how many: 0 only if the write end is closed.
    ///
    /// # Errors
    /// Not even the first byte can be stored, or the process was killed while it waited.
    pub fn read(
        &self,
        thread: &Thread,
        space: &mut AddressSpace<impl Image>,
        to: UserAddress,
        length: usize,
    ) -> Option<usize> {
        // Under the lock no page can be loaded. A read gets no more bytes than the pipe holds.
        space.load_all(to, length.min(PIPE_BYTES)).ok()?;
        let mut state = self.state.lock();
        while state.filled() == 0 && state.write_end_open {
            if thread.is_killed() {
                return None;
            }
            state = sleep_unless_killed(self.read_channel(), state);
        }
        let mut done = 0;
        let mut failed = false;
        while done < length && state.filled() > 0 && !failed {
            let address = to.checked_add(done as u64);
            let count =
                address.and_then(|address| read_some(&mut state, space, address, length - done));
            match count {
                Some(count) => done += count,
                None => failed = true,
            }
        }
        wake(self.write_channel());
        if failed && done == 0 {
            None
        } else {
            Some(done)
        }
    }
}

/// Moves bytes of one page into the pipe, and returns how many.
fn write_some(
    state: &mut SpinGuard<'_, State>,
    space: &mut AddressSpace<impl Image>,
    from: UserAddress,
    length: usize,
) -> Option<usize> {
    let stretch = space.stretch(from, length, Access::Load).ok()?;
    let run = state.free_run(stretch.length);
    stretch.frame.read(stretch.offset, run);
    let count = run.len();
    state.written = state.written.wrapping_add(count);
    Some(count)
}

/// Moves bytes of the pipe into one page, and returns how many.
fn read_some(
    state: &mut SpinGuard<'_, State>,
    space: &mut AddressSpace<impl Image>,
    to: UserAddress,
    length: usize,
) -> Option<usize> {
    let stretch = space.stretch(to, length, Access::Store).ok()?;
    let run = state.filled_run(stretch.length);
    stretch.frame.write(stretch.offset, run);
    let count = run.len();
    state.read = state.read.wrapping_add(count);
    Some(count)
}
