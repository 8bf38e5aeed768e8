//! What the driver saw: events, frames, mappings, and how it all ended.

use crate::case::Process;
use crate::files::FileNode;

/// What was seen of the kernel during one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// In the order in which they happened.
    pub events: Vec<Event>,
    /// Why the machine stopped, if it did.
    pub failure: Option<Failure>,
    /// In which functions of the kernel it stopped, as one word without numbers, if that is known. It
    /// distinguishes one failure from another.
    pub stopped_in: Option<Box<str>>,
    /// Whether the free list was seen empty, from outside, when the kernel refused a frame.
    pub out_of_frames: bool,
    /// A store to a mapped page for which the kernel was refused a frame, if that was seen.
    pub refused_store: Option<RefusedStore>,
    /// Frames that the step could take. `None` if that is not known, or if the case makes one of its requests fail.
    pub available: Option<u64>,
    /// Free frames before and after the step.
    pub frames: Option<(u64, u64)>,
    /// Every valid leaf entry in the page tables of some processes: at least of the step's process, if it still
    /// lives.
    pub mappings: Option<Vec<PageMapping>>,
    /// The process identifiers of the crowd's members: of those that were made, or of those that were reaped.
    pub crowd: Vec<u64>,
    /// What the members of the crowd loaded that did not die of it, if they had to load a byte.
    pub loaded_by_crowd: Vec<u8>,
    /// What the disk holds after the step, if the step asked for that.
    pub disk: Option<DiskContent>,
    /// Instructions retired.
    pub instructions: u64,
    /// In a race: which hart ran when, in order.
    pub turns: Vec<Turn>,
}

/// A store to a mapped page, for which the kernel was refused a frame to copy it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedStore {
    /// The process that stores.
    pub process: Process,
    /// Holders of the page's frame when the step or the race began, by the kernel's own count.
    pub holders_before: u16,
    /// Holders of the page's frame when the kernel was refused the other frame.
    pub holders: u16,
}

impl RefusedStore {
    /// Whether the store needed no frame in any order of the operations of a race. It is not enough that there is one
    /// holder now: others may have released the frame between the kernel's check and its request. A frame that had one
    /// holder at the start keeps one, because only a holder can share it.
    pub fn needs_none(&self) -> bool {
        self.holders_before <= 1 && self.holders <= 1
    }
}

/// A stretch of a race in which one hart ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The hart.
    pub hart: usize,
    /// The process that was given its operation on this hart, or the last one that has come to a hint on it. The
    /// hart may have switched to others since.
    pub process: Option<Process>,
    /// Instructions begun.
    pub instructions: u64,
    /// Why it ended.
    pub end: TurnEnd,
    /// Where in the kernel the hart was then; `None` in user mode.
    pub kernel_pc: Option<u64>,
}

/// Why a hart's turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnEnd {
    /// A change point of the schedule.
    GivesWay,
    /// A change point, at which the timer interrupts.
    PreEmpted,
    /// It ran for so long that it may be waiting for another hart.
    TooLong,
    /// A process asks for its next operation: the supervisor, if it is `None`.
    Arrives(Option<Process>),
    /// No process is runnable.
    Sleeps,
}

/// Something that a process did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It came back from its operation, now or from an earlier step in which it was blocked.
    Returned {
        /// The process.
        process: Process,
        /// `a0` after a system call; the loaded value, zero extended; for touches that load the
        /// wrapping sum of the bytes, else 0.
        value: u64,
    },
    /// It came back from `exec` as a new program, at its first instruction.
    Started {
        /// The process.
        process: Process,
        /// `a0`: how many arguments it was given.
        arguments: u64,
        /// `a1`: where the array of their addresses is.
        array: u64,
        /// `sp`.
        stack: u64,
        /// `pc`.
        entry: u64,
    },
    /// The child of a fork asked for its first operation, with 0 in `a0`.
    Born {
        /// The process.
        child: Process,
    },
    /// It left the hart without coming back: blocked, exited or killed.
    Silent {
        /// The process.
        process: Process,
        /// The last trap that it took from user mode.
        trap: Option<UserTrap>,
        /// Whether the kernel printed that it killed the process.
        killed_message: bool,
    },
    /// The supervisor's `wait` returned an orphan.
    Reaped {
        /// Its process identifier.
        pid: u64,
        /// Its exit status.
        status: i32,
    },
    /// Its `pause` has come back.
    Paused {
        /// The process.
        process: Process,
        /// How many ticks of the clock have passed meanwhile, at most.
        ticks: u64,
    },
    /// Its `uptime` has come back, and it was not the first one of the case.
    Clocked {
        /// The process.
        process: Process,
        /// How many more ticks it returned than the first one.
        counted: u64,
        /// The most ticks of the clock that can have passed since then.
        passed: u64,
    },
    /// It was seen asking for an operation.
    Appeared {
        /// The process.
        process: Process,
    },
}

/// A trap taken from user mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserTrap {
    /// `scause`, without the interrupt bit.
    pub cause: u64,
    /// `stval`.
    pub value: u64,
    /// `sepc`.
    pub pc: u64,
}

/// Why the machine stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The kernel panicked and said this.
    Panic {
        /// Its words.
        text: String,
    },
    /// The kernel does not come back: its state repeats, or it does nothing new for far longer than such an
    /// operation takes.
    Hang,
    /// A hart can never continue.
    Stuck {
        /// Where it is.
        pc: u64,
    },
    /// The guest switched the machine off.
    PoweredOff,
    /// A register that a trap must preserve came back changed.
    Registers {
        /// The process whose register it is.
        process: Process,
        /// The register's name in the calling convention.
        register: &'static str,
        /// What it held.
        expected: u64,
        /// What it holds.
        seen: u64,
        /// What has happened to the process in between.
        passage: Passage,
    },
}

/// How a process left its program and came back to it: its last trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// A system call.
    SystemCall,
    /// A page fault, or another exception.
    Fault,
    /// An interrupt, with which other processes may have run.
    Interrupt,
    /// It was born, as the copy of its parent.
    Birth,
    /// It has started a new program. No register of the new program may hold a value of the kernel or of another
    /// process.
    Program,
}

bitflags::bitflags! {
    /// The bits of a page-table entry that matter here.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct PageFlags: u8 {
        /// R.
        const READ = 1;
        /// W.
        const WRITE = 2;
        /// X.
        const EXECUTE = 4;
        /// U.
        const USER = 8;
    }
}

/// What a mapped frame is used for, as far as it can be seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FrameKind {
    /// A frame of the allocator, or nothing special is known.
    #[default]
    Ordinary,
    /// It is on the free list.
    Free,
    /// It holds a page table.
    PageTable,
    /// It belongs to the kernel's image.
    Kernel,
    /// It lies outside RAM.
    OutsideMemory,
}

/// A page that is mapped in a process's address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageMapping {
    /// The process.
    pub process: Process,
    /// Virtual address of the page.
    pub address: u64,
    /// Physical address of the frame.
    pub frame: u64,
    /// Its permission bits.
    pub flags: PageFlags,
    /// How many address spaces share the frame by the kernel's own count, if it keeps one.
    pub sharers: Option<u16>,
    /// What the frame is.
    pub kind: FrameKind,
}

/// The exit of a process while the supervisor sleeps in `wait`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nap {
    /// The process that was told to exit.
    pub process: Process,
    /// Whether the supervisor came back before anything else was done.
    pub woken: bool,
}

/// A frame whose number of holders is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miscount {
    /// Its physical address.
    pub frame: u64,
    /// How many pages of living processes map it.
    pub mapped: u64,
    /// How many holders the kernel has recorded.
    pub recorded: u64,
}

/// What was seen at the end of a case, after every process was told to exit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// What the supervisor's `wait` returned: process identifiers and statuses. Processes that
    /// were ready were told to exit with status 0, those that were blocked were killed.
    pub reaped: Vec<(u64, i32)>,
    /// Whether `wait` at last said that no child is left.
    pub all_reaped: bool,
    /// What the disk holds, if the case may have changed it.
    pub disk: Option<DiskContent>,
    /// For each ready process that was told to exit while the supervisor slept in `wait`, whether the supervisor
    /// woke. Empty if it did not sleep while the case ended.
    pub naps: Vec<Nap>,
    /// Before any process was told to exit: a frame with more or fewer recorded holders than pages that
    /// map it.
    pub miscount: Option<Miscount>,
    /// Free frames: how many there should be, and how many there are by the kernel's own count.
    pub frames: Option<(u64, u64)>,
    /// How many frames the kernel can really hand out, counted one by one.
    pub at_hand: Option<u64>,
    /// Frames promised to programs: how many there should be, and how many there are.
    pub promised: Option<(u64, u64)>,
    /// Forks by the supervisor until it was refused one: how many there should be, and how many
    /// there were.
    pub forks: Option<(u64, u64)>,
    /// Why the machine stopped, if it did.
    pub failure: Option<Failure>,
    /// In which functions of the kernel it stopped, as one word without numbers, if that is known. It
    /// distinguishes one failure from another.
    pub stopped_in: Option<Box<str>>,
    /// What was seen after a power cut, if the case has ended with one. Then nothing else was seen.
    pub reboot: Option<Reboot>,
}

/// What was seen when the kernel booted again after a power cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reboot {
    /// When the power was cut.
    pub moment: CutMoment,
    /// Why the kernel has not started its first program, if it has not.
    pub failure: Option<Failure>,
    /// In which functions of the kernel it stopped, as in [`End::stopped_in`].
    pub stopped_in: Option<Box<str>>,
    /// What the disk holds after the boot, where files are read from it. What the log holds does not count.
    pub disk: DiskContent,
}

/// When the power was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutMoment {
    /// When the last operation had ended.
    After,
    /// In the last operation.
    Within,
    /// In the last race.
    WithinRace,
}

/// What the disk was seen to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskContent {
    /// Every file in use, named or not, in the order of their inodes.
    pub nodes: Vec<FileNode>,
    /// What is wrong with the disk and was not wrong before, in words: with its files, or with what it marks as
    /// free.
    pub damage: Option<String>,
    /// A file whose names are not those that it counts, and what is wrong with them, in words: its inode, or 0 if it is
    /// not about one file. Nothing that was wrong before. Looked for at the end of a case, if the judge
    /// asks for it.
    pub wrong_name: Option<(u32, String)>,
    /// Blocks that are free.
    pub free_blocks: usize,
}

impl DiskContent {
    /// The file of that inode.
    pub(super) fn node(&self, inode: u32) -> Option<&FileNode> {
        self.nodes.iter().find(|node| node.inode == inode)
    }
}
