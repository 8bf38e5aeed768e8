//! The driver: performs one concrete step on the kernel under test and returns what was seen.
//!
//! It does not know what an operation means. It fills a process's registers, lets the machine run until the agent
//! reports or every other process has had a turn, and records the events. The judge, in `oracle`, says what they
//! mean.

mod change_points;
mod clock;
mod conflicts;
mod crowd;
mod disk;
mod finish;
mod mappings;
mod mending;
mod pace;
pub(crate) mod patience;
mod perform;
mod power_cut;
mod race;
mod record;
mod scarcity;
mod schedule;
mod stack;
mod turns;
mod variation;

use crate::agent::NAME_REGISTER;
use crate::guest::canary::Canary;
use crate::guest::frames::KnownLists;
use crate::guest::processes::{Processes, SUPERVISOR, Slot};
use crate::guest::resting::Rounds;
use crate::guest::source::Lines;
use crate::guest::{Guest, HARTS, panic_line};
use clock::FirstUptime;
use conflicts::Meeting;
use crowd::Crowd;
use emulator::isa::{csr, register};
use emulator::{Exit, Machine};
use mkfs::Reserved;
use oracle::{Event, Failure, Process, RefusedStore, Turn};
use patience::Patience;
use power_cut::PowerCuts;
use record::Record;
use scarcity::Scarcity;
use std::sync::Arc;

pub use finish::{Reaping, Standing};
#[cfg(test)]
pub(crate) use record::Call;
pub(crate) use record::{Recording, TrapTaken};
pub(crate) use stack::is_messenger;
pub(crate) use turns::Order;

/// The most blocks for which a sleeping hart is woken in one step: more than twice as many as the largest file has,
/// because each is written to the log and to its place.
const MOST_BLOCKS: usize = 1_000;

/// Ticks without a disk request after which no process waits for a block any more. Within one tick, a process may
/// only get as far as its next request.
const QUIET_TICKS: u32 = 3;

/// Instructions that a kernel gets after a panic, to print its message.
const LAST_WORDS_BUDGET: u64 = 400_000;

/// Bytes of console output kept for reports.
const CONSOLE_BYTES_KEPT: usize = 4096;

/// A machine with a kernel in it, ready for a case.
///
/// Drivers are independent and cheap: many of them, one for each thread, share one [`Guest`].
pub struct Driver {
    guest: Arc<Guest>,
    machine: Machine,
    processes: Processes,
    /// The process that waits at its hint on each hart, if there is one.
    fronts: [Option<Slot>; HARTS],
    /// The rounds of each hart that does not sleep.
    rounds: [Rounds; HARTS],
    /// How often the timer of the first hart was raised since the case began.
    raises: u64,
    /// The first `uptime` of the case.
    first_uptime: Option<FirstUptime>,
    /// Events of the current step.
    events: Vec<Event>,
    /// Turns of the current race.
    turns: Vec<Turn>,
    /// Whether the free list was seen empty in the current step.
    out_of_frames: bool,
    /// A store of the current step for which the kernel was refused a frame to copy the page to.
    refused_store: Option<RefusedStore>,
    /// The frames that the operations of the current race store to, and how many holders each had when the race
    /// began.
    holders_before: Vec<(u64, u16)>,
    /// Whether a fork has failed since the case began.
    fork_failed: bool,
    /// How often the canaries of a seeded bug were passed since the case began.
    canary: Canary,
    /// The tail of what the kernel has printed since the case began.
    console: Vec<u8>,
    /// How many bytes the kernel has printed since the driver was made.
    printed: u64,
    /// Where the output of the current step begins in `console`.
    console_mark: usize,
    /// The crowd that stands, if one does.
    crowd: Option<Crowd>,
    /// The identifiers of members that were made or reaped in the current step, and what members loaded.
    crowd_seen: Vec<u64>,
    crowd_loaded: Vec<u8>,
    /// What the case withholds from the kernel.
    scarcity: Scarcity,
    /// What the case has marked on the disk as in use.
    reserved: Reserved,
    /// The power cuts of the case.
    power: PowerCuts,
    /// The call stack at the failure of this case, if there was one: addresses, innermost first.
    stack: Vec<u64>,
    /// How many owners each frame had when frames were missing at the end of this case.
    lost_owners: Option<Vec<u16>>,
    /// The recording of an operation, if one was requested.
    record: Record,
    /// Where the racers of a race meet, if requested.
    meeting: Meeting,
    /// The lines of the kernel's source, read when they are first needed.
    lines: Option<Box<Lines>>,
    /// Scratch space for the physical addresses of page tables.
    page_tables: Vec<u64>,
    /// How many requests the disk had completed when that was last checked.
    disk_requests: u16,
    /// The kernel's free lists at the snapshot.
    free_lists: KnownLists,
    /// Instructions for the pages at stake.
    page_budget: u64,
    /// How long to wait for a hart.
    patience: Patience,
    /// Whether a step was late.
    was_late: bool,
    /// Whether the driver waited no longer for a late step, although it may come back.
    gave_up: bool,
    /// The address at which the driver checks whether a state comes back.
    checkpoint: Option<u64>,
    /// How the kernel's code differs from the guest's.
    change: Option<CodeChange>,
}

/// Other code for the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChange {
    /// The physical address, in RAM.
    pub address: u64,
    /// The bytes there.
    pub bytes: Vec<u8>,
}

impl Driver {
    /// A new driver, with a machine at the guest's snapshot.
    pub fn new(guest: &Arc<Guest>) -> Self {
        let mut machine = Machine::from_snapshot(&guest.snapshot);
        let panics = guest.panic_entry.into_iter();
        for pc in panics
            .chain(guest.requests.refusals())
            .chain(guest.canaries.addresses())
            .chain(guest.resting_place.map(|place| place.pc))
        {
            machine.set_breakpoint(pc);
        }
        Self {
            free_lists: guest.accounts.map_or_else(KnownLists::default, |accounts| {
                accounts.known_lists(&machine)
            }),
            page_budget: 0,
            patience: Patience::Proof,
            was_late: false,
            gave_up: false,
            checkpoint: None,
            change: None,
            processes: guest.processes.clone(),
            guest: Arc::clone(guest),
            machine,
            fronts: guest.fronts,
            rounds: Default::default(),
            raises: 0,
            first_uptime: None,
            events: Vec::new(),
            turns: Vec::new(),
            out_of_frames: false,
            refused_store: None,
            holders_before: Vec::new(),
            fork_failed: false,
            canary: Canary::default(),
            console: Vec::new(),
            printed: 0,
            console_mark: 0,
            crowd: None,
            crowd_seen: Vec::new(),
            crowd_loaded: Vec::new(),
            scarcity: Scarcity::default(),
            power: PowerCuts::default(),
            stack: Vec::new(),
            lost_owners: None,
            record: Record::default(),
            meeting: Meeting::default(),
            lines: None,
            page_tables: Vec::new(),
            disk_requests: 0,
            reserved: guest.reserved.clone(),
        }
    }

    /// Resets to the start of a case. The cost is proportional to the number of pages that the last case has changed.
    pub fn reset(&mut self) {
        self.forget_scarcity();
        self.machine.reset();
        self.processes.clone_from(&self.guest.processes);
        self.fronts = self.guest.fronts;
        self.rounds = Default::default();
        self.raises = 0;
        self.first_uptime = None;
        self.page_budget = 0;
        self.was_late = false;
        self.gave_up = false;
        self.events.clear();
        self.out_of_frames = false;
        self.refused_store = None;
        self.holders_before.clear();
        self.fork_failed = false;
        self.crowd = None;
        self.crowd_seen.clear();
        self.crowd_loaded.clear();
        self.canary = Canary::default();
        self.console.clear();
        self.console_mark = 0;
        self.power.forget();
        self.stack.clear();
        self.lost_owners = None;
        self.record = Record::Off;
        self.meeting = Meeting::Off;
        self.disk_requests = 0;
        self.reserved.clone_from(&self.guest.reserved);
        if let Some(change) = &self.change {
            // Outside of RAM there is no code that a kernel executes.
            let _ = self.machine.write_physical(change.address, &change.bytes);
        }
    }

    /// Changes the kernel's code from the next reset on. `None`: it is the guest's again.
    pub(crate) fn change_code(&mut self, change: Option<CodeChange>) {
        self.change = change;
    }

    /// Changes the kernel itself, for this and all later cases: `bytes` at physical `address`.
    /// Outside RAM, nothing changes.
    pub fn patch_kernel(&mut self, address: u64, bytes: &[u8]) {
        self.reset();
        if self.machine.write_physical(address, bytes).is_ok() {
            // Every reset goes back to this from now on.
            self.machine.snapshot();
        }
    }

    /// The guest that this driver runs.
    pub fn guest(&self) -> &Arc<Guest> {
        &self.guest
    }

    /// The machine, to inspect it.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The machine, for coverage counters.
    pub fn machine_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// The tail of what the kernel printed since the case began.
    pub fn console(&self) -> String {
        String::from_utf8_lossy(&self.console).into_owned()
    }

    /// How often the canaries of a seeded bug were passed since the case began.
    pub fn canary(&self) -> Canary {
        self.canary
    }

    /// Frames that are free now, if the kernel's symbols show it.
    pub fn free_frames(&self) -> Option<u64> {
        self.guest.accounts?.free(&self.machine, &self.free_lists)
    }

    /// Frames that are promised to programs now, if the kernel's symbols show it.
    pub fn promised_frames(&self) -> Option<u64> {
        self.guest.accounts?.promised(&self.machine)
    }

    /// Runs `hart` alone until a process reaches a hint there. `Ok(None)`: the hart sleeps.
    fn run_to_hint(&mut self, hart: usize) -> Result<Option<Slot>, Failure> {
        self.run_to_hint_within(hart, self.budget())
    }

    /// [`run_to_hint`](Self::run_to_hint), but the hart is late after `budget` instructions.
    fn run_to_hint_within(&mut self, hart: usize, budget: u64) -> Result<Option<Slot>, Failure> {
        let mut quiet_ticks = 0;
        for _ in 0..MOST_BLOCKS {
            let before = self.machine.disk_requests();
            if let Pause::Hint(slot) = self.run_patiently(hart, budget)? {
                return Ok(Some(slot));
            }
            let after = self.machine.disk_requests();
            quiet_ticks = if after == before { quiet_ticks + 1 } else { 0 };
            // A process may be runnable although a hart sleeps.
            if !self.guest.hardware.sleeps_early || quiet_ticks == QUIET_TICKS {
                return Ok(None);
            }
            self.raise_timer(hart);
        }
        Ok(None)
    }

    /// Runs `hart` alone for at most `budget` instructions.
    fn run_hart(&mut self, hart: usize, budget: u64) -> Result<Pause, Failure> {
        let deadline = self.machine.steps() + budget;
        loop {
            let left = deadline.saturating_sub(self.machine.steps());
            match self.advance(hart, left) {
                Exit::Hint { .. } => {
                    let name = self.machine.x(hart, NAME_REGISTER);
                    if self.sends_member_on(hart, name) {
                        continue;
                    }
                    return match Slot::from_name(name).or_else(|| self.unnamed(hart)) {
                        Some(slot) => Ok(Pause::Hint(slot)),
                        None => Err(self.lost_name(hart, name)),
                    };
                }
                Exit::Idle => return Ok(Pause::Asleep),
                Exit::Breakpoint { pc, .. } if self.checkpoint == Some(pc) => {
                    return Ok(Pause::Budget);
                }
                Exit::Breakpoint { hart, pc } if self.is_resting_place(pc) => {
                    if self.comes_back_idle(hart) {
                        return Ok(Pause::Asleep);
                    }
                }
                Exit::Breakpoint { hart, pc } if self.note_frame_request(hart, pc) => {}
                Exit::Breakpoint { pc, .. } if self.guest.canaries.heard(pc, &mut self.canary) => {}
                Exit::Breakpoint { .. } => return Err(self.last_words(hart, None)),
                Exit::Stuck { pc, .. } => return Err(self.last_words(hart, Some(pc))),
                Exit::Finished { .. } => return Err(Failure::PoweredOff),
                Exit::Budget => return Ok(Pause::Budget),
                // Any failure ends the case. The runner then finds that the machine is broken, and drops the failure,
                // which says nothing about the kernel.
                Exit::Defect(_) => return Err(Failure::Hang),
            }
        }
    }

    fn is_resting_place(&self, pc: u64) -> bool {
        self.guest.resting_place.is_some_and(|place| place.pc == pc)
    }

    /// Whether `hart`, at its resting place, has searched for a process in vain.
    fn comes_back_idle(&mut self, hart: usize) -> bool {
        let rounds = &mut self.rounds[hart];
        let place = self.guest.resting_place;
        place.is_some_and(|place| rounds.comes_back_idle(&self.machine, hart, place))
    }

    /// Lets a kernel that panics print its message, and quotes it. A hart that can never continue is stuck if no
    /// panic message was printed.
    fn last_words(&mut self, hart: usize, stuck: Option<u64>) -> Failure {
        self.remember_stack(hart);
        if stuck.is_none() {
            self.machine.run_hart(hart, LAST_WORDS_BUDGET);
        }
        self.drain_console();
        match (self.panic_text(), stuck) {
            (Some(text), _) => Failure::Panic { text },
            (None, Some(pc)) => Failure::Stuck { pc },
            (None, None) => Failure::Panic {
                text: "panic (nothing printed)".to_owned(),
            },
        }
    }

    fn out_of_budget(&mut self, hart: usize) -> Failure {
        self.remember_loop(hart);
        self.drain_console();
        match self.panic_text() {
            Some(text) => Failure::Panic { text },
            None => Failure::Hang,
        }
    }

    /// The line of the console that mentions a panic.
    fn panic_text(&self) -> Option<String> {
        let console = String::from_utf8_lossy(&self.console);
        let mut lines = console.lines();
        let line = panic_line(&console).or_else(|| lines.find(|line| line.contains("panic")))?;
        Some(line.trim().to_owned())
    }

    /// The failure that the name register holds no process's name: a process's registers were not restored.
    fn lost_name(&mut self, hart: usize, seen: u64) -> Failure {
        let satp = self.machine.csr(hart, csr::SATP).unwrap_or(0);
        let owner = self
            .processes
            .slots()
            .find(|slot| self.processes.get(*slot).satp == satp)
            .unwrap_or(SUPERVISOR);
        Failure::Registers {
            process: owner.process().unwrap_or(Process::FIRST),
            register: register::NAMES[NAME_REGISTER],
            expected: owner.name(),
            seen,
            passage: self.passage(hart, owner),
        }
    }

    /// Takes over what the kernel has printed, and keeps the tail.
    fn drain_console(&mut self) {
        let recorded = self.take_recorded_output();
        self.console.extend(recorded);
        let output = self.machine.console_output();
        self.printed += output.len() as u64;
        self.console.extend(output);
        let excess = self.console.len().saturating_sub(CONSOLE_BYTES_KEPT);
        self.console.drain(..excess);
        self.console_mark = self.console_mark.saturating_sub(excess);
    }

    /// Whether the kernel has printed, since the step began, that it killed process `pid`.
    fn killed_message(&self, pid: u64) -> bool {
        let said = String::from_utf8_lossy(&self.console[self.console_mark..]);
        said.lines().any(|line| {
            line.contains("unexpected scause")
                && line
                    .rsplit_once("pid=")
                    .is_some_and(|(_, number)| number.trim().parse() == Ok(pid))
        })
    }
}

/// Why a hart stopped, if all is well.
enum Pause {
    /// This process is at its hint.
    Hint(Slot),
    /// It waits for an interrupt, or rests: no process is runnable.
    Asleep,
    /// It has spent its budget of instructions, or has reached the driver's checkpoint.
    Budget,
}
