//! What is seen from outside where the envelope leaves the kernel a choice, and the answers.

use super::process::Death;
use crate::case::Process;

/// What was seen of each process in a step.
///
/// The model follows it only where the envelope leaves a choice: which of several zombies `wait`
/// reaps, which identifier a child gets, what gives way when there is no frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Witness {
    returned: [Option<u64>; Process::COUNT],
    silent: [bool; Process::COUNT],
    killed: [bool; Process::COUNT],
    /// Whether the free list was seen empty when a frame was refused.
    pub out_of_frames: bool,
    /// The process that was refused one for a store that needed none.
    pub refused_needlessly: Option<Process>,
    /// How many frames were free, if a frame was refused although that many are enough for the operation.
    pub refused_with: Option<u64>,
    /// The identifier of the last member of a crowd that was made.
    pub(crate) last_of_crowd: Option<u64>,
    /// What the disk held afterwards, if that was looked at.
    pub(crate) disk: Option<DiskSeen>,
    /// Whether there is an observation at all: without one the model predicts the ideal.
    observed: bool,
}

impl Witness {
    /// Nothing was seen: predict what a perfect kernel does.
    pub fn ideal() -> Witness {
        Witness::default()
    }

    /// Something was seen, said by the other methods.
    pub fn observed(out_of_frames: bool) -> Witness {
        Witness {
            out_of_frames,
            observed: true,
            ..Witness::default()
        }
    }

    /// `process` came back with `value`.
    pub fn saw_return(&mut self, process: Process, value: u64) {
        self.returned[process.index()] = Some(value);
    }

    /// `process` left the hart without coming back; `killed`: the kernel said that it killed it.
    pub fn saw_silence(&mut self, process: Process, killed: bool) {
        self.silent[process.index()] = true;
        self.killed[process.index()] = killed;
    }

    /// `process` asks for nothing when all that are ready do.
    pub fn saw_absence(&mut self, process: Process) {
        self.silent[process.index()] = true;
    }

    /// Whether the kernel said that it killed `process`.
    pub fn killed(&self, process: Process) -> bool {
        self.killed[process.index()]
    }

    pub(crate) fn is_ideal(&self) -> bool {
        !self.observed
    }

    /// What `process` came back with.
    pub fn returned(&self, process: Process) -> Option<u64> {
        self.returned[process.index()]
    }

    /// Whether `process` came back with an error because the disk has no room for what needs up to `blocks` blocks.
    pub(crate) fn found_no_room(&self, process: Process, blocks: usize) -> bool {
        let lacks = |disk: DiskSeen| disk.free_blocks < blocks;
        self.returned(process) == Some(FAILED) && self.disk.is_some_and(lacks)
    }

    /// Whether `process` fell silent and stayed so.
    pub fn silent(&self, process: Process) -> bool {
        self.silent[process.index()] && self.returned(process).is_none()
    }

    /// Whether `process` came back with this value although a frame was refused.
    pub(crate) fn excused_return(&self, process: Process, value: u64) -> bool {
        self.out_of_frames && self.returned(process) == Some(value)
    }

    /// Whether `process` fell silent when a frame was refused.
    pub(crate) fn excused_silence(&self, process: Process) -> bool {
        self.out_of_frames && self.silent(process)
    }
}

/// What the disk was seen to hold after an operation for which it may have had no room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DiskSeen {
    /// Blocks that are free.
    pub(crate) free_blocks: usize,
    /// Bytes of the file that was written; 0 if none was.
    pub(crate) size: usize,
}

/// What a process must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This value.
    Exactly(u64),
    /// Any value.
    Anything,
    /// A process identifier above this one.
    NewPid {
        /// The last one given.
        above: u64,
    },
    /// A number not below this one.
    AtLeast(u64),
}

impl Answer {
    /// Whether `value` is such an answer.
    pub fn admits(self, value: u64) -> bool {
        match self {
            Answer::Exactly(wanted) => value == wanted,
            Answer::Anything => true,
            Answer::NewPid { above } => value > above && value <= i32::MAX as u64,
            Answer::AtLeast(least) => value >= least,
        }
    }
}

/// What must happen to a process in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It comes back.
    Returns(Answer),
    /// It starts a new program.
    Starts {
        /// With so many arguments.
        arguments: u64,
        /// With this stack pointer, where the array of their addresses lies.
        stack: u64,
        /// At this address.
        entry: u64,
    },
    /// It sleeps.
    Blocks,
    /// It ends.
    Dies(Death),
    /// It is a child that asks for its first operation.
    Born,
    /// It gave its turns away, and is still at the same place.
    Stays,
    /// It is killed in a race; before that it may have come back with this.
    PerhapsReturns(Answer),
}

/// The outcome of a step for one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The process.
    pub process: Process,
    /// What must happen to it.
    pub outcome: Outcome,
    /// Whether it differs legally from the ideal, because no frame was free.
    pub excused: bool,
}

/// What system calls return for failure.
pub const FAILED: u64 = u64::MAX;
