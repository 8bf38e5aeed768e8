//! Connects a machine with the host: runs the machine, shows its output, types the input, and keeps its time.

use super::host::Host;
use super::input::Input;
use emulator::isa::csr;
use emulator::{Exit, Machine};
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// Instructions of a turn while the machine works, and while it rests: then a turn should not
/// leap over much of its time, of which an instruction may skip a tenth of a second.
const TURN_AT_WORK: u64 = 100_000;
const TURN_AT_REST: u64 = 1_000;
/// Instructions that a kernel has to print its message once it has panicked.
const LAST_WORDS: u64 = 10_000_000;

/// The register `time` counts ticks of 100 nanoseconds.
const TICKS_PER_SECOND: u64 = 10_000_000;
/// Ten times the duration of a turn of work. In a turn that takes longer, the machine has slept.
const TICKS_OF_SLEEP: u64 = TURN_AT_WORK / 100 * 10;
/// Instructions between two sleeps that do not count as work: those of a clock tick.
const TICK_WORK: u64 = 1_000_000;
/// Rest after which piped input continues.
const REST_TO_TYPE: u64 = TICKS_PER_SECOND;
/// Rest after which nothing more is expected, if there is no more input.
const REST_TO_LEAVE: u64 = 60 * TICKS_PER_SECOND;

/// How it ended.
pub(super) enum End {
    /// Ctrl-A X.
    Left,
    /// The input has ended, and the machine is idle.
    InputEnded,
    /// The text that was waited for was shown.
    Shown,
    /// The time is up.
    TimedOut,
    /// This process was told to end.
    Signalled,
    /// The kernel called its function `panic`.
    Panicked,
    /// The guest switched the machine off, with this code.
    Finished(u16),
    /// Nothing will ever happen again.
    Stuck(u64),
}

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => out.write_str("the user left"),
            Self::InputEnded => out.write_str("the input has ended, and the machine is idle"),
            Self::Shown => out.write_str("the text was shown"),
            Self::TimedOut => out.write_str("the time is up"),
            Self::Signalled => out.write_str("ended by a signal"),
            Self::Panicked => out.write_str("the kernel called `panic`"),
            Self::Finished(code) => write!(out, "the machine was switched off with code {code}"),
            Self::Stuck(pc) => write!(out, "the machine is stuck at {pc:#x}"),
        }
    }
}

/// A machine between its console and the host.
pub(super) struct Relay<'m> {
    machine: &'m mut Machine,
    host: Host,
    input: Input,
    until: Option<&'m str>,
    /// The end of the output, as long as it could be the beginning of the text that is waited for.
    tail: String,
    /// Ticks of its clock during which the machine has been at rest.
    rest: u64,
    /// Instructions since it last slept.
    awake: u64,
}

impl<'m> Relay<'m> {
    pub(super) fn new(machine: &'m mut Machine, host: Host, until: Option<&'m str>) -> Self {
        Self {
            machine,
            host,
            input: Input::default(),
            until,
            tail: String::new(),
            rest: 0,
            awake: 0,
        }
    }

    /// Runs until there is a reason to end.
    pub(super) fn run(mut self) -> io::Result<End> {
        loop {
            let (before, begun) = (self.time(), Instant::now());
            let steps = self.machine.steps();
            let exit = self.machine.run(match self.rest {
                0 => TURN_AT_WORK,
                _ => TURN_AT_REST,
            });
            let shown = self.show()?;
            let passed = self.time().saturating_sub(before);
            self.awake += self.machine.steps().saturating_sub(steps);
            if passed >= TICKS_OF_SLEEP {
                self.rest = self.rest.saturating_add(passed);
                self.awake = 0;
            }
            if exit == Exit::Idle {
                self.rest = u64::MAX;
            } else if shown || self.awake > TICK_WORK {
                self.rest = 0;
            }
            if let Some(end) = self.end(exit)? {
                return Ok(end);
            }
            let wait = if self.is_awaiting_input() {
                guest_time(passed, exit).saturating_sub(begun.elapsed())
            } else {
                Duration::ZERO
            };
            if self.take_input(wait)? {
                return Ok(End::Left);
            }
        }
    }

    /// Is typed input the only thing to wait for? Then the host sleeps until it comes.
    fn is_awaiting_input(&self) -> bool {
        let more_may_come = self.input.is_empty() && !self.host.has_input_ended();
        self.host.is_interactive() || more_may_come && self.rest >= REST_TO_TYPE
    }

    fn time(&self) -> u64 {
        self.machine.csr(0, csr::TIME).unwrap_or(0)
    }

    /// Shows what the machine printed. Returns whether there was anything.
    fn show(&mut self) -> io::Result<bool> {
        let shown = self.machine.console_output();
        if shown.is_empty() {
            return Ok(false);
        }
        self.host.show(&shown)?;
        if self.until.is_some() {
            self.tail.push_str(&String::from_utf8_lossy(&shown));
        }
        Ok(true)
    }

    /// Why it is over, if it is.
    fn end(&mut self, exit: Exit) -> io::Result<Option<End>> {
        if self.is_text_shown() {
            return Ok(Some(End::Shown));
        }
        match exit {
            Exit::Budget | Exit::Idle | Exit::Hint { .. } => {}
            Exit::Breakpoint { .. } => {
                self.machine.run(LAST_WORDS);
                self.show()?;
                return Ok(Some(End::Panicked));
            }
            Exit::Stuck { pc, .. } => return Ok(Some(End::Stuck(pc))),
            Exit::Finished { code } => return Ok(Some(End::Finished(code))),
            Exit::Defect(defect) => return Err(io::Error::other(defect)),
        }
        if self.host.is_signalled() {
            return Ok(Some(End::Signalled));
        }
        if self.host.is_timed_out() {
            return Ok(Some(End::TimedOut));
        }
        let is_over = self.host.has_input_ended() && self.input.is_empty();
        let rests = self.host.is_interactive() || self.rest >= REST_TO_LEAVE;
        Ok((is_over && rests).then_some(End::InputEnded))
    }

    fn is_text_shown(&mut self) -> bool {
        let Some(until) = self.until else {
            return false;
        };
        if self.tail.contains(until) {
            return true;
        }
        let mut keep = self.tail.len().saturating_sub(until.len());
        while !self.tail.is_char_boundary(keep) {
            keep -= 1;
        }
        self.tail.drain(..keep);
        false
    }

    /// Waits for input and types it. Returns whether the user asks to leave.
    fn take_input(&mut self, wait: Duration) -> io::Result<bool> {
        if self.input.typed(&self.host.read(wait)?) {
            return Ok(true);
        }
        if self.input.is_empty() {
            return Ok(false);
        }
        let machine = &mut *self.machine;
        if self.host.is_interactive() {
            self.input.hand_over(|bytes| machine.console_input(bytes));
        } else if self.rest >= REST_TO_TYPE {
            self.input
                .hand_over_line(|line| machine.console_input(line));
            self.rest = 0;
        }
        Ok(false)
    }
}

/// How long a turn took by the machine's own clock.
fn guest_time(ticks: u64, exit: Exit) -> Duration {
    match exit {
        // Until the user types.
        Exit::Idle => Duration::MAX,
        _ => Duration::from_nanos(ticks.saturating_mul(100)),
    }
}
