//! The outside: standard input and output, the terminal, signals, the clock.

use super::terminal::RawTerminal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::stdin;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The longest wait for input at a time: how late a deadline may be seen.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The standard input and output of this process. If the input is a terminal, it is in raw mode.
pub(super) struct Host {
    terminal: Option<RawTerminal>,
    signalled: Arc<AtomicBool>,
    deadline: Option<Instant>,
    input_ended: bool,
}

impl Host {
    /// Takes over the terminal and the signals. Dropping this restores them, also after a panic.
    pub(super) fn take(timeout: Option<Duration>) -> io::Result<Self> {
        let signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&signalled))?;
        }
        let terminal = RawTerminal::enter()?;
        if terminal.is_some() {
            eprintln!("faultline: Ctrl-A X leaves");
        }
        Ok(Self {
            terminal,
            signalled,
            deadline: timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            input_ended: false,
        })
    }

    /// Does a person type?
    pub(super) fn is_interactive(&self) -> bool {
        self.terminal.is_some()
    }

    /// Was this process told to end?
    pub(super) fn is_signalled(&self) -> bool {
        self.signalled.load(Ordering::Relaxed)
    }

    pub(super) fn is_timed_out(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Has the standard input ended?
    pub(super) fn has_input_ended(&self) -> bool {
        self.input_ended
    }

    /// Waits for typed bytes and returns them. Waits not much longer than `wait`, and never for ever.
    pub(super) fn read(&mut self, wait: Duration) -> io::Result<Vec<u8>> {
        let wait = wait.min(LONGEST_WAIT);
        if self.input_ended {
            std::thread::sleep(wait);
            return Ok(Vec::new());
        }
        let timeout = Timespec::try_from(wait).map_err(io::Error::other)?;
        let stdin = stdin();
        let ready = match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&timeout)) {
            Ok(ready) => ready > 0,
            Err(Errno::INTR) => false,
            Err(error) => return Err(error.into()),
        };
        let mut bytes = vec![0; if ready { 4096 } else { 0 }];
        if ready {
            let length = match rustix::io::read(stdin, &mut bytes) {
                // A terminal that hung up.
                Err(Errno::IO) => 0,
                other => other?,
            };
            self.input_ended = length == 0;
            bytes.truncate(length);
        }
        Ok(bytes)
    }

    /// Shows what the guest printed.
    pub(super) fn show(&self, bytes: &[u8]) -> io::Result<()> {
        let mut output = io::stdout().lock();
        output.write_all(bytes)?;
        output.flush()
    }
}
