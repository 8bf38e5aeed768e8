//! A case as a program performs it: what each process does, and what must happen.

use super::value::Value;
use abi::SystemCall;
use oracle::{Process, Width};

/// Everything that a program is made of.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// In order.
    pub(super) rows: Vec<Row>,
    /// How the case is performed.
    pub(super) several: bool,
    /// Processes of the case.
    pub(super) processes: usize,
    /// The processes that must be alive when the case is over.
    pub(super) living: Vec<Process>,
    /// The status with which `a` must end.
    pub(super) status: i32,
    /// Whether free frames are compared before and after.
    pub(super) counts_frames: bool,
    /// Files that must be there.
    pub(super) files: Vec<&'static str>,
    /// How the program differs from the case.
    pub(super) notes: Vec<String>,
    /// Why no program can see what is wrong, if none can.
    pub(super) hidden: Option<&'static str>,
}

/// A row of the program.
#[derive(Debug)]
pub(super) enum Row {
    /// An operation that is not performed, and why.
    Comment(String),
    /// A process does something.
    Line(Line),
    /// The conductor does something.
    Conduct(Conduct),
}

/// What a process does.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) words: String,
    pub(super) process: Process,
    pub(super) act: Act,
    pub(super) check: Check,
    /// Whether it is announced first, because it may be the last thing that happens.
    pub(super) announced: bool,
    /// The processes that must have continued when it is done.
    pub(super) going_on: Vec<Process>,
    /// The processes that must be dead when it is done.
    pub(super) dead: Vec<Process>,
}

/// Something to do.
#[derive(Debug)]
pub(super) enum Act {
    SystemCall(SystemCall, [Value; 3]),
    Load(Width, Value),
    Store(Width, Value, Value),
    StoreString(Value, &'static [u8], bool),
    Fetch(Value),
    Touch {
        address: Value,
        count: u64,
        stride: u64,
        write: bool,
    },
    Fork(Process),
    Rest(u32),
    /// Waits for a child, which must have ended with this status.
    Reap(Process, i32),
    /// Nothing. A rehearsal of a line does this: the process gets its own copies of the pages that it needs. A habit
    /// does it too: the lines that follow contain what the habit changes.
    Nothing,
}

/// What must happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Nothing to compare: it is done.
    Done,
    /// This value.
    Returns(Value),
    /// At least this.
    AtLeast(u64),
    /// The process ends.
    Dies,
    /// The process sleeps, and never wakes.
    Sleeps,
}

/// What the conductor does by itself.
#[derive(Debug)]
pub(super) enum Conduct {
    Frames(u64),
    GiveFramesBack,
    CountFrames,
    TakesAtMost(u64),
    GivesAtLeast(u64),
}
