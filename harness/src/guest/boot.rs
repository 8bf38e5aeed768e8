//! From a kernel ELF and a file-system image to the snapshot that every case starts from.
//!
//! The agent is planted as `/init`, and more than once. When it makes its first hint call it becomes the supervisor;
//! a fork of it becomes process `a`, and with `a` at its hint the snapshot is taken.

use super::board::{Board, Progress, Seen, timer};
use super::boot_error::{BootError, STILL_RUNNING};
use super::frames::{FRAME_BYTES, FrameAccounts, RAM_START};
use super::location::GuestFiles;
use super::planted::{Planted, plant};
use super::requests::FrameRequests;
use super::spin::Spin;
use super::symbols::Symbols;
use super::{Guest, Resources, panic_line};
use crate::agent::{Agent, DATA_BYTES, DATA_FILE_BYTES, DATA_START, TEXT_BYTES, TEXT_START};
use crate::driver::{
    CSR_SATP, Canaries, Driver, FIRST_HART, HARTS, Processes, STACK_POINTER, SUPERVISOR, Slot,
    Standing, Vigil,
};
use abi::SystemCall;
use emulator::{Clock, Config, Coverage, DiskFlavour, Exit, Machine};
use oracle::{Dialect, Image, Layout, Permissions, Process, Program, Segment, Setting};
use std::sync::Arc;

/// Instructions a kernel may take from power-on to its first process's first hint. The C kernel,
/// which fills all RAM byte by byte, takes 430 million.
const BOOT_BUDGET: u64 = 3_000_000_000;
/// Instructions that each further hart may take until it waits for something to do.
const HART_BUDGET: u64 = 50_000_000;
/// Instructions for one of the system calls that set the stage.
const CALL_BUDGET: u64 = 100_000_000;
/// Instructions after which to look whether a kernel has panicked.
const GLANCE: u64 = 5_000_000;
/// Bytes of RAM for a kernel that wants more than xv6's 128 MiB.
const MUCH_MEMORY: u64 = 1 << 30;
/// Ticks granted to a kernel that spins.
const TICKS_FOR_SPIN: u32 = 3;
/// Bytes of the console kept for errors.
const CONSOLE_BYTES_KEPT: usize = 4096;
/// Ticks granted to a kernel that sleeps while booting, or to its scheduler to come round.
const PATIENCE: u32 = 64;

const A0: usize = 10;
const A1: usize = 11;
const A2: usize = 12;
const A7: usize = 17;

/// A page-table entry's bit that lets programs use the page (privileged specification, "Sv39").
const PTE_USER: u64 = 1 << 4;

/// The program that xv6 runs first.
const FIRST_PROGRAM: &str = "init";

/// One past the largest Sv39 user address that xv6 uses.
const MAX_VA: u64 = abi::layout::MAX_VIRTUAL;

impl Guest {
    /// Boots `files` and stops at the start of a case.
    ///
    /// # Errors
    /// Says how far the kernel got, and shows its console.
    pub fn boot(files: &GuestFiles, dialect: Dialect) -> Result<Arc<Self>, BootError> {
        let agent = Agent::assemble();
        let image = planted_image(files, &agent)?;
        let planted = Planted::find(&image).map_err(BootError::file_system(files))?;
        let (mut stage, disk, memory) = Stage::find_board(files, &agent, &image.into_bytes())?;
        let harts = stage.start_other_harts();
        let board = Board {
            disk,
            memory,
            timer: timer(&stage.machine),
            harts,
            sleeps_early: false,
        };
        let mut guest = stage.set(dialect.clone(), planted, board)?;
        guest.set_dialect(dialect);
        let mut guest = Arc::new(guest);
        if let Some(harts) = awake(&guest)
            && let Some(guest) = Arc::get_mut(&mut guest)
        {
            guest.board.harts = harts;
            guest.board.sleeps_early = true;
        }
        let at_end = calibrate(&guest);
        if let Some(guest) = Arc::get_mut(&mut guest) {
            guest.at_end = at_end;
        }
        Ok(guest)
    }
}

/// A copy of the image, with the agent in it in the place of the first program.
fn planted_image(files: &GuestFiles, agent: &Agent) -> Result<mkfs::Image, BootError> {
    let wrong = BootError::file_system(files);
    let mut image = mkfs::Image::open(files.file_system.clone()).map_err(&wrong)?;
    let root = image.list("/").map_err(&wrong)?;
    if root.iter().all(|entry| entry.name != FIRST_PROGRAM) {
        return Err(BootError::no_init(files, &root));
    }
    plant(&mut image, agent).map_err(&wrong)?;
    Ok(image)
}

/// That the kernel has only one hart to offer, although others slept when it had booted.
fn awake(guest: &Arc<Guest>) -> Option<Seen<usize>> {
    let child = Process::all().nth(1)?;
    let sleeps = || Driver::new(guest).others_sleep(child);
    let awake = guest.board.harts.value > 1 && !matches!(sleeps(), Ok(true));
    let because = "an idle hart sleeps (`wfi`) only while there are few processes";
    awake.then(|| Seen::new(1, because))
}

/// Counts what there is when a case has run in which nothing happened.
fn calibrate(guest: &Arc<Guest>) -> Resources {
    let mut driver = Driver::new(guest);
    driver.finish(&[(Process::FIRST, Standing::Ready)], Vigil::Awake);
    Resources {
        free: driver.free_frames(),
        promised: driver.promised_frames(),
        forks: driver.count_forks().unwrap_or(None),
    }
}

/// The machine on its way to the start of a case.
struct Stage {
    machine: Machine,
    symbols: Symbols,
    file: Box<[u8]>,
    agent: Agent,
    console: Vec<u8>,
}

impl Stage {
    /// Boots the kernel on a board with as much memory as xv6's, or else with more.
    fn find_board(
        files: &GuestFiles,
        agent: &Agent,
        disk: &[u8],
    ) -> Result<(Self, Seen<DiskFlavour>, Seen<u64>), BootError> {
        let usual = Config::default().ram_bytes;
        let failure = match Self::find_disk(files, agent, disk, usual) {
            Ok((stage, disk)) => {
                let because = "it boots with this much";
                return Ok((stage, disk, Seen::new(usual, because)));
            }
            Err(error) if error.is_before_disk() => error,
            Err(error) => return Err(error),
        };
        match Self::find_disk(files, agent, disk, MUCH_MEMORY) {
            Ok((stage, disk)) => {
                let because = "it boots with this much, but not with 128 MiB";
                Ok((stage, disk, Seen::new(MUCH_MEMORY, because)))
            }
            Err(_) => Err(failure),
        }
    }

    /// Boots the kernel with a modern disk, or else with a legacy one: xv6 until 2021 wants that, and
    /// panics at the sight of the other before it has read a block.
    fn find_disk(
        files: &GuestFiles,
        agent: &Agent,
        disk: &[u8],
        ram_bytes: u64,
    ) -> Result<(Self, Seen<DiskFlavour>), BootError> {
        let boot = |flavour| Self::open(files, agent, disk.to_vec(), flavour, ram_bytes);
        let refusal = match boot(DiskFlavour::Modern) {
            Ok(stage) => {
                let because = "it boots from a disk with the registers of virtio 1.0";
                return Ok((stage, Seen::new(DiskFlavour::Modern, because)));
            }
            Err(error) if error.is_before_disk() => error,
            Err(error) => return Err(error),
        };
        match boot(DiskFlavour::Legacy) {
            Ok(stage) => {
                let because = "it boots from a disk with the registers before virtio 1.0, but not \
                               from one with those of 1.0";
                Ok((stage, Seen::new(DiskFlavour::Legacy, because)))
            }
            Err(error) if error.is_before_disk() => Err(refusal),
            Err(error) => Err(error),
        }
    }

    /// Boots the kernel on the first hart up to the agent's first instruction.
    fn open(
        files: &GuestFiles,
        agent: &Agent,
        image: Vec<u8>,
        disk: DiskFlavour,
        ram_bytes: u64,
    ) -> Result<Self, BootError> {
        let config = Config {
            harts: HARTS,
            disk,
            ram_bytes,
            clock: Clock::Held,
            hints: true,
            coverage: Coverage::Supervisor,
            ..Config::default()
        };
        let mut stage = Self {
            machine: Machine::new(&config, &files.kernel, image)?,
            symbols: Symbols::read(&files.kernel),
            file: files.kernel.as_slice().into(),
            agent: agent.clone(),
            console: Vec::new(),
        };
        stage.run_to_hint("to the agent's first instruction", BOOT_BUDGET)?;
        Ok(stage)
    }

    /// Lets each further hart run until it sleeps for want of work. One that does not could not be
    /// left alone while another runs: then none of them is ever started.
    fn start_other_harts(&mut self) -> Seen<usize> {
        self.machine.snapshot();
        let all = self.machine.harts();
        let sleep = (FIRST_HART + 1..all)
            .all(|hart| self.machine.run_hart(hart, HART_BUDGET) == Exit::Idle);
        if sleep {
            return Seen::new(all, "an idle hart sleeps (`wfi`)");
        }
        self.machine.reset();
        Seen::new(1, "an idle hart does not sleep (`wfi`)")
    }

    /// Sets the stage, from the supervisor's first hint to process `a` at its own.
    fn set(mut self, dialect: Dialect, planted: Planted, board: Board) -> Result<Guest, BootError> {
        let stack_pointer = self.machine.x(FIRST_HART, STACK_POINTER);
        let supervisor_satp = self.satp();
        let mut processes = Processes::new();
        processes.enter(SUPERVISOR, 1, supervisor_satp);

        let heap = self.call("sbrk(0)", SystemCall::Sbrk, 0)?;
        let layout = layout(stack_pointer, self.lowest_of_stack(stack_pointer), heap)?;
        self.load_agent()?;
        SUPERVISOR.plant(&mut self.machine, FIRST_HART);
        let first_pid = self.call("fork", SystemCall::Fork, 0)?;
        // The supervisor's own copy of the page that `wait` writes statuses to.
        self.machine
            .set_x(FIRST_HART, A1, crate::driver::STATUS_ADDRESS);
        self.machine.set_x(FIRST_HART, A2, 0);
        self.machine.set_pc(FIRST_HART, self.agent.stubs.store[0]);
        self.run_to_hint("back from a store to its own data", CALL_BUDGET)?;

        let first = Slot::FIRST;
        self.switch_from(supervisor_satp)?;
        first.plant(&mut self.machine, FIRST_HART);
        processes.enter(first, first_pid, self.satp());
        let booted = Program {
            entry: self.agent.stubs.entry,
            image: self.image(&layout)?,
            layout,
        };
        let Planted { files, problems } = planted;
        let setting = Setting {
            first_pid,
            booted: Arc::new(booted),
            files,
        };

        self.machine.edges_mut().fill(0);
        Ok(Guest {
            snapshot: self.machine.snapshot(),
            panic_entry: self.symbols.panic_entry(),
            requests: FrameRequests::discover(&self.symbols),
            canaries: Canaries::find(&self.symbols),
            accounts: FrameAccounts::discover(&self.symbols, &self.machine),
            kernel_image: self.symbols.image(),
            symbols: self.symbols,
            file: self.file,
            unwinder: Arc::default(),
            agent: self.agent,
            dialect,
            board,
            setting,
            disk_problems: problems,
            at_end: Resources::default(),
            processes,
            fronts: [Some(first), None, None],
        })
    }

    fn satp(&self) -> u64 {
        self.machine.csr(FIRST_HART, CSR_SATP).unwrap_or(0)
    }

    /// Runs on until some process stands at its hint.
    fn run_to_hint(&mut self, stage: &'static str, budget: u64) -> Result<(), BootError> {
        let deadline = self.machine.steps().saturating_add(budget);
        let mut naps = 0;
        let mut spin = Spin::default();
        let how = loop {
            let left = deadline.saturating_sub(self.machine.steps());
            let exit = self.machine.run_hart(FIRST_HART, left.min(GLANCE));
            self.drain_console();
            match exit {
                Exit::Hint { .. } => return Ok(()),
                // Asleep until a tick that the held clock has to be told to make.
                Exit::Idle if naps < PATIENCE && self.machine.raise_timer(FIRST_HART) => naps += 1,
                Exit::Idle if naps < PATIENCE => {
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
                Exit::Budget | Exit::Breakpoint { .. } => {
                    if let Some(panic) = self.panic() {
                        break panic;
                    }
                    if left <= GLANCE {
                        break STILL_RUNNING.to_owned();
                    }
                    if spin.goes_on(&mut self.machine) {
                        // It may wait for a tick without sleeping.
                        if naps == TICKS_FOR_SPIN || !self.machine.raise_timer(FIRST_HART) {
                            break "it runs in a loop without any change".to_owned();
                        }
                        naps += 1;
                        spin = Spin::default();
                    }
                }
            }
        };
        Err(self.never_reached(stage, how))
    }

    /// Takes over what the kernel has printed, keeping the tail.
    fn drain_console(&mut self) {
        self.console.extend(self.machine.console_output());
        let excess = self.console.len().saturating_sub(CONSOLE_BYTES_KEPT);
        self.console.drain(..excess);
    }

    /// That the kernel has printed that it panicked, if it has, and its words.
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

    /// Touches what the agent's file holds. A kernel that loads programs on demand then reads the
    /// disk now, and not within a case, where only the harness lets time pass.
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

    /// A system call by the process at the front that must come back with 0 or more.
    fn call(
        &mut self,
        name: &'static str,
        call: SystemCall,
        argument: u64,
    ) -> Result<u64, BootError> {
        self.machine.set_x(FIRST_HART, A0, argument);
        self.machine.set_x(FIRST_HART, A1, 0);
        self.machine.set_x(FIRST_HART, A7, call.number());
        self.machine
            .set_pc(FIRST_HART, self.agent.stubs.system_call);
        let satp = self.satp();
        self.run_to_hint("back from the agent's first system calls", CALL_BUDGET)?;
        if self.satp() != satp {
            // The child of a fork ran first; its parent comes round.
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

    /// Raises the timer until another address space than `satp` stands at its hint.
    fn switch_from(&mut self, satp: u64) -> Result<(), BootError> {
        const STAGE: &str = "to a switch from one process to another";
        for _ in 0..PATIENCE {
            self.machine.raise_timer(FIRST_HART);
            self.run_to_hint(STAGE, CALL_BUDGET)?;
            if self.satp() != satp {
                return Ok(());
            }
        }
        let how = "timer interrupts do not make it switch".to_owned();
        Err(self.never_reached(STAGE, how))
    }

    /// Where the stack begins that ends at `stack_pointer`: with the lowest page of those below it that
    /// the program may touch. If it may touch them all, the guard page among them is missing, and the
    /// stack is taken for one page.
    fn lowest_of_stack(&self, stack_pointer: u64) -> u64 {
        let top = stack_pointer.saturating_sub(1) & !(FRAME_BYTES - 1);
        let is_open = |page| {
            let mapping = self.machine.translate(self.satp(), page);
            mapping.is_some_and(|mapping| mapping.pte & PTE_USER != 0)
        };
        let data_end = DATA_START + DATA_BYTES;
        let guards = (data_end..top).step_by(FRAME_BYTES as usize);
        let guard = guards.filter(|page| !is_open(*page)).last();
        guard.map_or(top, |guard| guard + FRAME_BYTES)
    }

    /// What process `a` holds: the agent's own bytes, and its stack as the kernel filled it.
    fn image(&self, layout: &Layout) -> Result<Image, BootError> {
        let mut stack = Vec::new();
        for page in (layout.stack.start..layout.stack.end).step_by(FRAME_BYTES as usize) {
            let mut bytes = [0; FRAME_BYTES as usize];
            let mapping = self.machine.translate(self.satp(), page);
            let read = mapping.map(|found| self.machine.read_physical(found.physical, &mut bytes));
            if !matches!(read, Some(Ok(()))) {
                return Err(BootError::Layout {
                    stack_pointer: layout.stack.end,
                    heap: layout.heap,
                });
            }
            stack.extend_from_slice(&bytes);
        }
        let segment = |address: u64, bytes: &[u8], permissions| Segment {
            address,
            length: bytes.len() as u64,
            bytes: bytes.to_vec(),
            permissions,
        };
        Ok(Image {
            segments: vec![
                segment(TEXT_START, &self.agent.text, Permissions::READ_EXECUTE),
                segment(DATA_START, &self.agent.data, Permissions::READ_WRITE),
                segment(layout.stack.start, &stack, Permissions::READ_WRITE),
            ],
        })
    }
}

/// xv6's user address space: text, data, one guard page, the stack, the heap; at the top the
/// trapframe below the trampoline.
fn layout(stack_pointer: u64, stack_start: u64, heap: u64) -> Result<Layout, BootError> {
    let data_end = DATA_START + DATA_BYTES;
    let plausible = heap.is_multiple_of(FRAME_BYTES)
        && (stack_start + 1..=heap).contains(&stack_pointer)
        && heap < RAM_START
        && stack_start >= data_end + FRAME_BYTES;
    if !plausible {
        return Err(BootError::Layout {
            stack_pointer,
            heap,
        });
    }
    let trampoline = MAX_VA - FRAME_BYTES;
    Ok(Layout {
        text: TEXT_START..TEXT_START + TEXT_BYTES,
        data: DATA_START..data_end,
        guard: stack_start - FRAME_BYTES..stack_start,
        stack: stack_start..heap,
        heap,
        trapframe: trampoline - FRAME_BYTES,
        trampoline,
        max_va: MAX_VA,
        kernel: RAM_START,
    })
}
