//! From a kernel ELF and a file-system image to the snapshot that every case starts from.
//!
//! The agent is planted as `/init`, and more than once. When it makes its first hint call it becomes the supervisor;
//! a fork of it becomes process `a`, and with `a` at its hint the snapshot is taken.

use super::frames::{FRAME_BYTES, FrameAccounts, RAM_START};
use super::location::GuestFiles;
use super::planted::{Planted, plant};
use super::requests::FrameRequests;
use super::symbols::Symbols;
use super::{Guest, Resources};
use crate::agent::{Agent, DATA_BYTES, DATA_FILE_BYTES, DATA_START, TEXT_BYTES, TEXT_START};
use crate::engine::{
    CSR_SATP, Canaries, Engine, FIRST_HART, HARTS, Processes, STACK_POINTER, SUPERVISOR, Slot,
    Standing, Vigil,
};
use abi::SystemCall;
use emulator::{Clock, Config, Coverage, Exit, Machine};
use oracle::{Dialect, Image, Layout, Permissions, Process, Program, Segment, Setting};
use std::sync::{Arc, OnceLock};

/// Instructions a kernel may take from power-on to its first process's first hint. The C kernel,
/// which fills all RAM byte by byte, takes 430 million.
const BOOT_BUDGET: u64 = 4_000_000_000;
/// Instructions that each further hart may take until it waits for something to do.
const HART_BUDGET: u64 = 50_000_000;
/// Instructions for one of the system calls that set the stage.
const CALL_BUDGET: u64 = 100_000_000;
/// Ticks granted to a kernel that sleeps while booting, or to its scheduler to come round.
const PATIENCE: u32 = 64;

const A0: usize = 10;
const A1: usize = 11;
const A2: usize = 12;
const A7: usize = 17;

/// One past the largest Sv39 user address that xv6 uses.
const MAX_VA: u64 = abi::layout::MAX_VIRTUAL;

/// Why a kernel could not be brought to the start of a case.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The image is not an xv6 file system, or is too full to take the agent.
    #[error("cannot plant the agent in the file-system image: {0}")]
    FileSystem(#[from] mkfs::Error),
    /// The kernel's ELF file does not fit the machine.
    #[error("cannot load the kernel: {0}")]
    Kernel(#[from] emulator::BuildError),
    /// The machine stopped before the agent ran.
    #[error(
        "the kernel never came {stage}: {how} after {instructions} instructions, at pc {pc:#x}{function}\n\
         its console shows:\n{console}"
    )]
    NeverReached {
        /// What it should have come to.
        stage: &'static str,
        /// What it did instead.
        how: String,
        /// Instructions since power-on.
        instructions: u64,
        /// Where it was.
        pc: u64,
        /// In which function, as ` in name`, or nothing.
        function: String,
        /// The tail of its console.
        console: String,
    },
    /// A system call that sets the stage failed.
    #[error("the agent's first {call} returned {value}: the kernel cannot run a case")]
    Refused {
        /// Which one.
        call: &'static str,
        /// What it returned.
        value: i64,
    },
    /// The stack or the first program break is not where any xv6 has it.
    #[error(
        "the agent's address space is not one of xv6's: stack pointer {stack_pointer:#x}, first program break {heap:#x}"
    )]
    Layout {
        /// `sp` at the entry point.
        stack_pointer: u64,
        /// What `sbrk(0)` said.
        heap: u64,
    },
}

impl Guest {
    /// Boots `files` and stops at the start of a case.
    ///
    /// # Errors
    /// Says how far the kernel got, and shows its console.
    pub fn boot(files: &GuestFiles, dialect: Dialect) -> Result<Arc<Self>, BootError> {
        let agent = Agent::assemble();
        let mut image = mkfs::Image::open(files.file_system.clone())?;
        plant(&mut image, &agent)?;
        let planted = Planted::find(&image)?;
        let disk = image.into_bytes();
        let mut stage = Stage::open(files, &agent, disk.clone(), HARTS)?;
        if !stage.start_other_harts() {
            stage = Stage::open(files, &agent, disk, 1)?;
        }
        let mut guest = Arc::new(stage.set(dialect, planted)?);
        let at_end = calibrate(&guest);
        if let Some(guest) = Arc::get_mut(&mut guest) {
            guest.at_end = at_end;
        }
        Ok(guest)
    }
}

/// Counts what there is when a case has run in which nothing happened.
fn calibrate(guest: &Arc<Guest>) -> Resources {
    let mut engine = Engine::new(guest);
    engine.finish(&[(Process::FIRST, Standing::Ready)], Vigil::Awake);
    Resources {
        free: engine.free_frames(),
        promised: engine.promised_frames(),
        forks: engine.count_forks().unwrap_or(None),
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
    /// Boots the kernel on the first of `harts` harts up to the agent's first instruction.
    fn open(
        files: &GuestFiles,
        agent: &Agent,
        disk: Vec<u8>,
        harts: usize,
    ) -> Result<Self, BootError> {
        let config = Config {
            harts,
            clock: Clock::Held,
            hints: true,
            coverage: Coverage::Supervisor,
            ..Config::default()
        };
        let mut stage = Self {
            machine: Machine::new(&config, &files.kernel, disk)?,
            symbols: Symbols::read(&files.kernel),
            file: files.kernel.as_slice().into(),
            agent: agent.clone(),
            console: Vec::new(),
        };
        stage.run_to_hint("to the agent's first instruction", BOOT_BUDGET)?;
        Ok(stage)
    }

    /// Lets each further hart run until it sleeps for want of work. False: one does not, and could
    /// not be left alone while another runs.
    fn start_other_harts(&mut self) -> bool {
        (FIRST_HART + 1..self.machine.harts())
            .all(|hart| self.machine.run_hart(hart, HART_BUDGET) == Exit::Idle)
    }

    /// Sets the stage, from the supervisor's first hint to process `a` at its own.
    fn set(mut self, dialect: Dialect, planted: Planted) -> Result<Guest, BootError> {
        let stack_pointer = self.machine.x(FIRST_HART, STACK_POINTER);
        let supervisor_satp = self.satp();
        let mut processes = Processes::new();
        processes.enter(SUPERVISOR, 1, supervisor_satp);

        let heap = self.call("sbrk(0)", SystemCall::Sbrk, 0)?;
        let layout = layout(stack_pointer, heap)?;
        self.load_agent()?;
        SUPERVISOR.plant(&mut self.machine, FIRST_HART);
        let first_pid = self.call("fork", SystemCall::Fork, 0)?;
        // The supervisor's own copy of the page that `wait` writes statuses to.
        self.machine
            .set_x(FIRST_HART, A1, crate::engine::STATUS_ADDRESS);
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
            panic_entry: self.symbols.address("panic"),
            requests: FrameRequests::discover(&self.symbols),
            canaries: Canaries::find(&self.symbols),
            accounts: FrameAccounts::discover(&self.symbols),
            kernel_image: self.symbols.image(),
            symbols: self.symbols,
            file: self.file,
            unwinder: OnceLock::new(),
            agent: self.agent,
            dialect,
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
        let deadline = self.machine.retired().saturating_add(budget);
        for _ in 0..PATIENCE {
            let left = deadline.saturating_sub(self.machine.retired());
            let exit = self.machine.run_hart(FIRST_HART, left);
            self.console.extend(self.machine.console_output());
            let how = match exit {
                Exit::Hint { .. } => return Ok(()),
                // Asleep until a tick that the held clock has to be told to make.
                Exit::Idle if self.machine.raise_timer(FIRST_HART) => continue,
                Exit::Idle => "every hart waits for an interrupt that cannot come".to_owned(),
                Exit::Budget => "it was still running".to_owned(),
                Exit::Stuck { .. } => "it spins for ever".to_owned(),
                Exit::Finished { code } => format!("it switched the machine off with code {code}"),
                Exit::Breakpoint { .. } => continue,
            };
            return Err(self.never_reached(stage, how));
        }
        let how = "it sleeps tick after tick".to_owned();
        Err(self.never_reached(stage, how))
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
fn layout(stack_pointer: u64, heap: u64) -> Result<Layout, BootError> {
    let stack_start = stack_pointer.saturating_sub(1) & !(FRAME_BYTES - 1);
    let data_end = DATA_START + DATA_BYTES;
    let plausible = heap.is_multiple_of(FRAME_BYTES)
        && heap > stack_start
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
