//! The machine on its way from power-on to the start of a case.

use super::address_space::layout;
use super::error::{BootError, STILL_RUNNING};
use super::file_system::Planted;
use super::progress::Progress;
use super::resting;
use super::spin::Spin;
use crate::agent::{Agent, DATA_FILE_BYTES, DATA_START, STATUS_ADDRESS, TEXT_BYTES, TEXT_START};
use crate::guest::canary::Canaries;
use crate::guest::frames::{FRAME_BYTES, FrameAccounts, KnownLists};
use crate::guest::hardware::{Hardware, Seen};
use crate::guest::location::GuestFiles;
use crate::guest::origin::OriginFile;
use crate::guest::processes::{Processes, SUPERVISOR, Slot, State};
use crate::guest::registers::{RegisterSet, Registers, planted};
use crate::guest::requests::FrameRequests;
use crate::guest::resting::RestingPlace;
use crate::guest::symbols::Symbols;
use crate::guest::{FIRST_HART, Guest, HARTS, Resources, SecondBoot, TICKS_ASLEEP, panic_line};
use abi::SystemCall;
use emulator::isa::csr;
use emulator::isa::register::{A0, A1, A2, A7, SP};
use emulator::{Clock, Config, Coverage, Exit, Machine};
use oracle::{Dialect, Program, Setting};
use std::sync::Arc;

/// Instructions that a kernel may take from power-on to the first hint of its first process. The C kernel
/// takes 430 million, because it fills all RAM byte by byte.
const BOOT_BUDGET: u64 = 3_000_000_000;
/// Instructions that each further hart may take until it waits for something to do.
const HART_BUDGET: u64 = 50_000_000;
/// Instructions for one of the system calls that prepare the start of a case.
pub(super) const CALL_BUDGET: u64 = 100_000_000;
/// Instructions between two checks whether the kernel has begun to set up its disk.
const DISK_GLANCE: u64 = 1024;
/// The most instructions from there to the first program with which a case may boot the kernel again.
const MOST_FOR_SECOND_BOOT: u64 = 20_000_000;
/// Instructions between two checks whether the kernel has panicked.
const GLANCE: u64 = 5_000_000;
/// Timer ticks for a kernel that spins while it boots.
const TICKS_FOR_SPIN: u32 = 16;
/// How often the budget is renewed for a kernel that makes progress.
const MOST_EXTENSIONS: u32 = 16;
/// Bytes of the console kept for errors.
const CONSOLE_BYTES_KEPT: usize = 4096;
/// Timer ticks after which a scheduler must have switched to another process.
const PATIENCE: u32 = 64;

/// The machine on its way to the start of a case.
pub(super) struct Stage {
    pub(super) machine: Machine,
    symbols: Symbols,
    files: [OriginFile; 2],
    file: Box<[u8]>,
    pub(super) agent: Agent,
    pub(super) console: Vec<u8>,
    /// Bytes that it has printed.
    printed: u64,
    /// Where the other harts rest, if they do not sleep.
    resting_place: Option<RestingPlace>,
    /// The moment from which it can be booted again, and how long that takes.
    second_boot: Option<SecondBoot>,
    /// Whether it boots, and has not begun to set up its disk.
    awaits_disk: bool,
}

/// How a switch to another process came about.
struct Switch {
    /// How often the timer was raised, at least once.
    raises: u64,
    /// Whether the process at the front had to sleep.
    by_sleep: bool,
}

impl Stage {
    /// Boots the kernel on the first hart of a `board` up to the agent's first instruction.
    pub(super) fn open(
        files: &GuestFiles,
        agent: &Agent,
        image: Vec<u8>,
        board: Config,
    ) -> Result<Self, BootError> {
        let config = Config {
            harts: HARTS,
            clock: Clock::Held,
            hints: true,
            coverage: Coverage::Supervisor,
            ..board
        };
        let mut stage = Self {
            machine: Machine::new(&config, &files.kernel, image)?,
            symbols: Symbols::read(&files.kernel),
            files: [
                OriginFile::new(&files.kernel_path, &files.kernel),
                OriginFile::new(&files.file_system_path, &files.file_system),
            ],
            file: files.kernel.as_slice().into(),
            agent: agent.clone(),
            console: Vec::new(),
            printed: 0,
            resting_place: None,
            second_boot: None,
            awaits_disk: true,
        };
        stage.machine.record_disk_reads();
        stage.run_to_hint("to the agent's first instruction", BOOT_BUDGET)?;
        stage.awaits_disk = false;
        if let Some(second) = &mut stage.second_boot {
            second.instructions = stage.machine.retired() - second.instructions;
        }
        Ok(stage)
    }

    /// Runs for at most `most` instructions, and keeps the moment at which the kernel begins to set up its disk: what
    /// happens up to there does not depend on what the disk holds.
    fn glance(&mut self, most: u64) -> Exit {
        let end = self.machine.steps().saturating_add(most);
        loop {
            let left = end.saturating_sub(self.machine.steps());
            let piece = if self.awaits_disk { DISK_GLANCE } else { left };
            let exit = self.machine.run_hart(FIRST_HART, left.min(piece));
            if self.awaits_disk && self.machine.has_claimed_disk() {
                self.awaits_disk = false;
                self.keep_second_boot();
            }
            if exit != Exit::Budget || self.machine.steps() >= end {
                return exit;
            }
        }
    }

    fn keep_second_boot(&mut self) {
        if self.machine.disk_requests() == 0 {
            self.second_boot = Some(SecondBoot {
                snapshot: self.machine.snapshot(),
                instructions: self.machine.retired(),
            });
        }
    }

    /// Whether cases can boot the kernel again. If they cannot, the moment for that is forgotten.
    pub(super) fn power_cuts(&mut self) -> Seen<bool> {
        let Some(second) = &self.second_boot else {
            return Seen::new(false, "it is not known when it first reads its disk");
        };
        let count = second.instructions;
        let is_short = count <= MOST_FOR_SECOND_BOOT;
        let because = format!("it takes {count} instructions from its disk to its first program");
        if !is_short {
            self.second_boot = None;
        }
        Seen::new(is_short, because)
    }

    /// Runs each other hart until it has no work and sleeps, or is at a resting place. If one of them does neither, none
    /// is ever started: it could not wait while another runs.
    pub(super) fn start_other_harts(&mut self) -> Seen<usize> {
        self.machine.snapshot();
        let all = self.machine.harts();
        if (FIRST_HART + 1..all).all(|hart| self.start_hart(hart)) {
            return Seen::new(
                all,
                match self.resting_place {
                    None => "an idle hart sleeps (`wfi`)",
                    Some(_) => "an idle hart searches for a process in a loop, and can stop there",
                },
            );
        }
        self.machine.reset();
        self.resting_place = None;
        Seen::new(
            1,
            "an idle hart neither sleeps (`wfi`) nor stays in one loop",
        )
    }

    /// Starts one of the other harts. Returns whether it sleeps or rests now.
    fn start_hart(&mut self, hart: usize) -> bool {
        for _ in 0..HART_BUDGET / GLANCE {
            match self.machine.run_hart(hart, GLANCE) {
                Exit::Idle => return true,
                Exit::Budget => {}
                _ => return false,
            }
            let known = self.resting_place;
            let place = known.or_else(|| resting::find(&mut self.machine, hart));
            if let Some(place) = place
                && resting::go_to(&mut self.machine, hart, place, GLANCE)
            {
                self.resting_place = Some(place);
                return true;
            }
        }
        false
    }

    /// Prepares the start of a case: from the supervisor's first hint to the first hint of process `a`.
    pub(super) fn set(
        mut self,
        dialect: Dialect,
        planted: Planted,
        hardware: Hardware,
    ) -> Result<Guest, BootError> {
        let stack_pointer = self.machine.x(FIRST_HART, SP);
        let supervisor_satp = self.satp();
        let heap = self.call("sbrk(0)", SystemCall::Sbrk, 0)?;
        let stack = self.start_of_stack(stack_pointer);
        let layout = layout(stack_pointer, stack, heap)?;
        self.load_agent()?;
        self.set_registers(SUPERVISOR);
        let (accounts, before) = self.accounts();
        let first_pid = self.call("fork", SystemCall::Fork, 0)?;
        // A fork takes frames. If no fewer are free afterwards, these are not the free frames.
        let accounts = accounts.filter(|_| self.accounts().1 < before);
        // A store gives the supervisor its own copy of the page to which `wait` stores statuses.
        self.machine.set_x(FIRST_HART, A1, STATUS_ADDRESS);
        self.machine.set_x(FIRST_HART, A2, 0);
        self.machine.set_pc(FIRST_HART, self.agent.stubs.store[0]);
        self.run_to_hint("back from a store to its own data", CALL_BUDGET)?;

        let mut processes = Processes::new();
        processes.enter(SUPERVISOR, 1, supervisor_satp, self.registers());
        let first = Slot::FIRST;
        let before = self.time();
        let switch = self.switch_from(supervisor_satp)?;
        let tick = self.time().wrapping_sub(before) / switch.raises;
        if switch.by_sleep {
            processes.get_mut(SUPERVISOR).state = State::Napping;
        }
        self.set_registers(first);
        processes.enter(first, first_pid, self.satp(), self.registers());
        let booted = Program {
            entry: self.agent.stubs.entry,
            memory: self.initial_memory(&layout)?,
            layout,
        };
        let files = planted.files_after(&self.machine.take_disk_reads());
        let setting = Setting {
            first_pid,
            // An empty case will show it.
            most_processes: None,
            booted: Arc::new(booted),
            files,
            variations: hardware.variations.value.clone(),
            can_reboot: hardware.power_cuts.value,
        };

        self.machine.edges_mut().fill(0);
        Ok(Guest {
            snapshot: self.machine.snapshot(),
            second_boot: self.second_boot,
            panic_entry: self.symbols.panic_entry(),
            requests: FrameRequests::discover(&self.symbols),
            canaries: Canaries::find(&self.symbols),
            accounts,
            kernel_extent: self.symbols.extent(),
            symbols: self.symbols,
            files: self.files,
            file: self.file,
            unwinder: Arc::default(),
            pace: Arc::default(),
            agent: self.agent,
            dialect,
            hardware,
            resting_place: self.resting_place,
            setting,
            disk_problems: planted.problems,
            reserved: planted.reserved,
            at_end: Resources::default(),
            tick,
            processes,
            fronts: [Some(first), None, None],
        })
    }

    /// How frames are counted, and how many are free.
    fn accounts(&self) -> (Option<FrameAccounts>, Option<u64>) {
        let accounts = FrameAccounts::discover(&self.symbols, &self.machine);
        let free =
            accounts.and_then(|accounts| accounts.at_hand(&self.machine, &KnownLists::default()));
        (accounts, free)
    }

    /// Gives the process at the front the registers that the process in `slot` has before its first operation.
    fn set_registers(&mut self, slot: Slot) {
        let before = self.machine.registers(FIRST_HART);
        let values = planted(slot, 0, &before);
        self.machine.set_registers(FIRST_HART, &values);
    }

    /// What the registers of the process at the front have to hold from now on.
    fn registers(&self) -> Registers {
        Registers::new(self.machine.registers(FIRST_HART), RegisterSet::NONE)
    }

    /// The CSR `time`, in cycles of the machine's clock.
    fn time(&self) -> u64 {
        self.machine.csr(FIRST_HART, csr::TIME).unwrap_or(0)
    }

    pub(super) fn satp(&self) -> u64 {
        self.machine.csr(FIRST_HART, csr::SATP).unwrap_or(0)
    }

    /// Runs until a process is at its hint.
    pub(super) fn run_to_hint(
        &mut self,
        stage: &'static str,
        budget: u64,
    ) -> Result<(), BootError> {
        let mut deadline = self.machine.steps().saturating_add(budget);
        let mut extensions = 0;
        let mut before = self.signs();
        let (mut naps, mut ticks_for_spin) = (0, 0);
        let mut spin = Spin::default();
        let how = loop {
            let left = deadline.saturating_sub(self.machine.steps());
            let exit = self.glance(left.min(GLANCE));
            self.drain_console();
            match exit {
                Exit::Hint { .. } => return Ok(()),
                // The kernel sleeps until the next tick. The clock is held: it ticks when it is told to.
                Exit::Idle if naps < TICKS_ASLEEP && self.machine.raise_timer(FIRST_HART) => {
                    naps += 1
                }
                Exit::Idle if naps < TICKS_ASLEEP => {
                    break "every hart waits for an interrupt that cannot come".to_owned();
                }
                Exit::Idle => break "it sleeps from one clock tick to the next".to_owned(),
                Exit::Stuck { .. } => {
                    break self
                        .panic()
                        .unwrap_or_else(|| "it spins for ever".to_owned());
                }
                Exit::Finished { code } => {
                    break format!("it switched the machine off with code {code}");
                }
                Exit::Defect(defect) => break defect.to_string(),
                Exit::Budget | Exit::Breakpoint { .. } => {
                    if let Some(panic) = self.panic() {
                        break panic;
                    }
                    if left <= GLANCE {
                        let signs = self.signs();
                        if extensions == MOST_EXTENSIONS || signs == before {
                            break STILL_RUNNING.to_owned();
                        }
                        (before, extensions) = (signs, extensions + 1);
                        deadline = self.machine.steps().saturating_add(budget);
                    }
                    if spin.goes_on(&mut self.machine) {
                        // It may wait for a tick without sleeping.
                        if ticks_for_spin == TICKS_FOR_SPIN || !self.machine.raise_timer(FIRST_HART)
                        {
                            break "it runs in a loop, and nothing changes".to_owned();
                        }
                        ticks_for_spin += 1;
                        spin = Spin::default();
                    }
                }
            }
        };
        Err(self.never_reached(stage, how))
    }

    /// Signs of a kernel's progress: bytes printed, requests that the disk has completed, pages stored to.
    fn signs(&self) -> (u64, u16, usize) {
        let pages = self.machine.dirty_pages().count();
        (self.printed, self.machine.disk_requests(), pages)
    }

    /// Takes over what the kernel has printed, and keeps the tail.
    fn drain_console(&mut self) {
        let output = self.machine.console_output();
        self.printed += output.len() as u64;
        self.console.extend(output);
        let excess = self.console.len().saturating_sub(CONSOLE_BYTES_KEPT);
        self.console.drain(..excess);
    }

    /// The panic message that the kernel has printed, if there is one.
    fn panic(&self) -> Option<String> {
        let console = String::from_utf8_lossy(&self.console);
        let line = panic_line(&console)?;
        Some(format!("it panicked (`{}`)", line.trim()))
    }

    fn never_reached(&self, stage: &'static str, how: String) -> BootError {
        let pc = self.machine.pc(FIRST_HART);
        let function = self
            .symbols
            .function(pc)
            .map_or_else(String::new, |(name, _)| format!(" in {name}"));
        let console = String::from_utf8_lossy(&self.console);
        let console = if console.trim().is_empty() {
            "(nothing)".to_owned()
        } else {
            console.trim_end().to_owned()
        };
        BootError::NeverReached {
            stage,
            how,
            instructions: self.machine.retired(),
            pc,
            function,
            progress: Progress::of(&self.machine),
            console,
        }
    }

    /// Touches the pages of the agent's file. A kernel that loads programs on demand then reads them from the
    /// disk now, and not in a case. In a case time passes only when the harness lets it pass.
    fn load_agent(&mut self) -> Result<(), BootError> {
        let text = TEXT_START..TEXT_START + TEXT_BYTES;
        let data = DATA_START..DATA_START + DATA_FILE_BYTES;
        for page in text.chain(data).step_by(FRAME_BYTES as usize) {
            self.machine.set_x(FIRST_HART, A1, page);
            self.machine.set_pc(FIRST_HART, self.agent.stubs.load[0]);
            self.run_to_hint("back from loads of its own pages", CALL_BUDGET)?;
        }
        Ok(())
    }

    /// Makes a system call in the process at the front. The call must return 0 or more.
    fn call(
        &mut self,
        name: &'static str,
        call: SystemCall,
        argument: u64,
    ) -> Result<u64, BootError> {
        self.prepare(call, argument);
        let satp = self.satp();
        self.run_to_hint("back from the agent's first system calls", CALL_BUDGET)?;
        if self.satp() != satp {
            // The child of a fork runs first: switch to its parent.
            self.switch_from(self.satp())?;
        }
        let value = self.machine.x(FIRST_HART, A0);
        if (value as i64) < 0 {
            return Err(BootError::Refused {
                call: name,
                value: value as i64,
            });
        }
        Ok(value)
    }

    /// Raises the timer until a process whose address space is not `satp` is at its hint. If none comes, the
    /// scheduler may prefer the process at the front for ever. Then this process sleeps for a tick.
    fn switch_from(&mut self, satp: u64) -> Result<Switch, BootError> {
        const STAGE: &str = "to a switch from one process to another";
        for raises in 1..=PATIENCE {
            self.machine.raise_timer(FIRST_HART);
            self.run_to_hint(STAGE, CALL_BUDGET)?;
            if self.satp() != satp {
                return Ok(Switch {
                    raises: raises.into(),
                    by_sleep: false,
                });
            }
        }
        self.prepare(SystemCall::Pause, 1);
        self.run_to_hint(STAGE, CALL_BUDGET)?;
        if self.satp() != satp {
            return Ok(Switch {
                raises: PATIENCE.into(),
                by_sleep: true,
            });
        }
        let how = "neither timer interrupts nor `pause` makes it switch".to_owned();
        Err(self.never_reached(STAGE, how))
    }

    /// Makes the process at the front call the kernel when it runs again.
    fn prepare(&mut self, call: SystemCall, argument: u64) {
        let machine = &mut self.machine;
        machine.set_x(FIRST_HART, A0, argument);
        machine.set_x(FIRST_HART, A1, 0);
        machine.set_x(FIRST_HART, A7, call.number());
        machine.set_pc(FIRST_HART, self.agent.stubs.system_call);
    }
}
