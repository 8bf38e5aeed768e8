//! The hardware that a kernel was written for. Years of xv6 differ in what they want of the disk, of
//! the timer, and of harts without work.

use emulator::DiskFlavour;
use oracle::Variation;
use std::fmt;

/// What hardware a kernel needs, and how that is known.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// Register layout of the virtio disk.
    pub disk: Seen<DiskFlavour>,
    /// Bytes of RAM.
    pub memory: Seen<u64>,
    /// What interrupts the kernel sometimes.
    pub timer: Seen<Timer>,
    /// What gives the next process its turn.
    pub turns: Seen<Turns>,
    /// The variations of the machine that cases ask of the kernel.
    pub variations: Seen<Vec<Variation>>,
    /// Whether cases cut the power and boot the kernel again.
    pub power_cuts: Seen<bool>,
    /// How many harts cases run on.
    pub harts: Seen<usize>,
    /// Whether a hart may sleep until the next tick although a process is runnable: the kernels of the
    /// course's labs of 2020 do so while there are few processes.
    pub sleeps_early: bool,
}

/// A fact about a kernel.
#[derive(Clone, Debug)]
pub struct Seen<T> {
    /// The fact.
    pub value: T,
    /// What was seen.
    pub because: String,
}

impl<T> Seen<T> {
    pub(crate) fn new(value: T, because: impl Into<String>) -> Self {
        Self {
            value,
            because: because.into(),
        }
    }
}

/// Where a kernel's timer interrupts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The core-local interruptor, through a handler in M-mode: xv6 until 2023.
    Clint,
    /// The supervisor's own comparator (extension Sstc): xv6 from 2024 on.
    Supervisor,
    /// Nothing: the kernel has enabled no timer interrupt.
    None,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Timer::Clint => "clint",
            Timer::Supervisor => "sstc",
            Timer::None => "none",
        })
    }
}

/// What gives the next process its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turns {
    /// A timer interrupt: the kernel's scheduler takes processes in turn, as xv6's does.
    Timer,
    /// Sleep: whoever is not wanted sleeps in a system call, because the scheduler has an order of its own.
    Sleep,
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Turns::Timer => "timer",
            Turns::Sleep => "sleep",
        })
    }
}
