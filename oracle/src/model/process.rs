//! A process of the model.

use super::space::AddressSpace;
use crate::case::Process;
use crate::program_file::Program;
use abi::file_system::ROOT_INODE;
use std::sync::Arc;

/// The state of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProcessState {
    /// It can be given an operation.
    Ready,
    /// It sleeps in the kernel.
    Blocked,
    /// It has ended, and its parent has not waited for it yet.
    Zombie,
    /// It was reaped, or never born.
    #[default]
    Gone,
}

/// Why a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// It touched what it may not touch.
    ForbiddenAccess,
    /// It was killed.
    Killed,
    /// It exited.
    Exited,
    /// There was no frame for what it touched.
    OutOfFrames,
}

/// What a blocked process waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// A child that ended; its status goes to the address.
    Child { status: Option<u64> },
    /// A byte in a pipe, or no more writers.
    Byte {
        pipe: usize,
        address: u64,
        length: u64,
    },
    /// Room in a pipe, or no more readers; `done` bytes are written already.
    Room {
        pipe: usize,
        address: u64,
        length: u64,
        done: u64,
    },
    /// A complete line that was typed.
    Line { address: u64, length: u64 },
    /// Time.
    Ticks,
}

/// The end of a process, as a later step may have to prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Index of the operation at which it ended.
    pub step: usize,
    /// The reason.
    pub death: Death,
}

/// A process.
#[derive(Clone, Debug)]
pub(crate) struct ProcessModel {
    pub(crate) state: ProcessState,
    pub(crate) pid: u64,
    /// `None`: the supervisor.
    pub(crate) parent: Option<Process>,
    pub(crate) status: i32,
    /// Numbers of open files, by descriptor.
    pub(crate) files: [Option<usize>; 16],
    /// The inode of the current directory.
    pub(crate) directory: u32,
    /// The inode of the file that it runs from.
    pub(crate) program_file: u32,
    pub(crate) waiting: Option<Waiting>,
    /// What it puts into the high half of a register that holds an `int`; `None`: its sign.
    pub(crate) high_half: Option<u32>,
    pub(crate) space: AddressSpace,
    pub(crate) ended: Option<Ended>,
    pub(crate) born: bool,
}

impl ProcessModel {
    /// No process yet, with room for the memory of one that runs `program`.
    pub(crate) fn new(program: &Arc<Program>) -> ProcessModel {
        ProcessModel {
            state: ProcessState::Gone,
            pid: 0,
            parent: None,
            status: 0,
            files: [None; 16],
            directory: ROOT_INODE,
            program_file: 0,
            waiting: None,
            high_half: None,
            space: AddressSpace::new(program),
            ended: None,
            born: false,
        }
    }

    pub(crate) fn reset(&mut self) {
        self.state = ProcessState::Gone;
        self.pid = 0;
        self.parent = None;
        self.status = 0;
        self.files = [None; 16];
        self.directory = ROOT_INODE;
        self.program_file = 0;
        self.waiting = None;
        self.high_half = None;
        self.ended = None;
        self.born = false;
    }
}
