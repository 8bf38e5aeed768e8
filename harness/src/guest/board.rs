//! The board that a kernel was written for. Years of xv6 differ in what they want of the disk, of
//! the timer, and of harts without work; a kernel that nobody has told us about is asked by booting.

use crate::driver::FIRST_HART;
use emulator::{DiskFlavour, Machine};
use std::fmt;

/// What a kernel was found to want of its board, and how that is known.
#[derive(Clone, Debug)]
pub struct Board {
    /// Register layout of the virtio disk.
    pub disk: Seen<DiskFlavour>,
    /// Bytes of RAM.
    pub memory: Seen<u64>,
    /// What interrupts the kernel now and then.
    pub timer: Seen<Timer>,
    /// How many harts cases run on.
    pub harts: Seen<usize>,
    /// Whether a hart may sleep although somebody could run, until the next tick: so in the kernels of
    /// the course's labs of 2020, where few processes are taken for none.
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
    pub(super) fn new(value: T, because: impl Into<String>) -> Self {
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

/// Interrupts enabled, and the bits of the machine's and the supervisor's timer (privileged
/// specification, section on `mip` and `mie`).
const CSR_MIE: u16 = 0x304;
const MACHINE_TIMER: u64 = 1 << 7;
const SUPERVISOR_TIMER: u64 = 1 << 5;
/// Environment configuration; its top bit lets the supervisor have a comparator (extension Sstc).
const CSR_MENVCFG: u16 = 0x30a;
const HAS_COMPARATOR: u64 = 1 << 63;

/// Which timer the kernel on `machine` has enabled.
pub(super) fn timer(machine: &Machine) -> Seen<Timer> {
    let read = |csr| machine.csr(FIRST_HART, csr).unwrap_or(0);
    let enabled = read(CSR_MIE);
    if enabled & MACHINE_TIMER != 0 {
        Seen::new(Timer::Clint, "it has enabled the machine's timer interrupt")
    } else if enabled & SUPERVISOR_TIMER != 0 && read(CSR_MENVCFG) & HAS_COMPARATOR != 0 {
        Seen::new(
            Timer::Supervisor,
            "it has enabled the supervisor's comparator and its interrupt",
        )
    } else {
        Seen::new(Timer::None, "it has enabled no timer interrupt")
    }
}

/// How far a kernel got before it stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether addresses are translated.
    pub paging: bool,
    /// Requests that the disk has completed.
    pub disk_requests: u16,
    /// Whether a program has run in user mode, up to its first trap.
    pub user_mode: bool,
}

impl Progress {
    pub(super) fn of(machine: &Machine) -> Self {
        Self {
            paging: machine.csr(FIRST_HART, crate::driver::CSR_SATP) != Some(0),
            disk_requests: machine.disk_requests(),
            user_mode: machine.last_user_trap(FIRST_HART).is_some(),
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paging = if self.paging { "on" } else { "off" };
        let user = match self.user_mode {
            true => "a program has run in user mode",
            false => "no program has run in user mode",
        };
        write!(
            f,
            "paging is {paging}, {} disk requests are done, {user}",
            self.disk_requests
        )
    }
}
