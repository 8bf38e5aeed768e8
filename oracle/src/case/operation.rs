//! Operations: what a process, or the environment, does next.

use super::{
    Address, Amount, Flavour, OpenFlags, OpenMode, Process, Schedule, StoredValue, Stride, Target,
    Text, Width,
};
use std::num::NonZeroU8;

/// The file descriptors that a case can name: whatever a process may have, and some that none has.
pub const DESCRIPTORS: std::ops::RangeInclusive<i8> = -64..=63;

/// One operation: a line of a case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operation {
    /// Who does it; `a` for what is done to everybody: see [`Call::is_done_to_all`].
    pub process: Process,
    /// What is done.
    pub call: Call,
}

impl Operation {
    /// `process` does `call`. What is done to everybody counts as done by `a`.
    pub fn new(process: Process, call: Call) -> Operation {
        let process = match call.is_done_to_all() {
            true => Process::FIRST,
            false => process,
        };
        Operation { process, call }
    }
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Moves the program break.
    Sbrk {
        /// By how much.
        amount: Amount,
        /// The second argument.
        flavour: Flavour,
    },
    /// Loads from memory.
    Load {
        /// How many bytes.
        width: Width,
        /// From where.
        address: Address,
    },
    /// Stores to memory.
    Store {
        /// How many bytes.
        width: Width,
        /// To where.
        address: Address,
        /// What; its low bytes.
        value: StoredValue,
    },
    /// Jumps to an address.
    Fetch {
        /// Where to.
        address: Address,
    },
    /// Loads or stores one byte at each of several addresses.
    Touch {
        /// The first.
        address: Address,
        /// How many.
        count: NonZeroU8,
        /// How far apart.
        stride: Stride,
        /// Whether it stores: the number of touches still to do, this one included.
        write: bool,
    },
    /// Makes a child.
    Fork {
        /// The child's name, one that no process had before.
        child: Process,
    },
    /// Ends the process.
    Exit {
        /// With this status.
        status: i32,
    },
    /// Waits for a child to end.
    Wait {
        /// Where its status goes, if anywhere.
        status: Option<Address>,
    },
    /// Kills a process.
    Kill {
        /// Which.
        target: Target,
    },
    /// Asks for the own process identifier.
    Getpid,
    /// Makes a pipe.
    Pipe {
        /// Where the two file descriptors go.
        address: Address,
    },
    /// Reads from a file descriptor.
    Read {
        /// Which.
        fd: i8,
        /// To where.
        address: Address,
        /// How many bytes at most.
        length: i16,
    },
    /// Writes to a file descriptor.
    Write {
        /// Which.
        fd: i8,
        /// From where.
        address: Address,
        /// How many bytes.
        length: i16,
    },
    /// Closes a file descriptor.
    Close {
        /// Which.
        fd: i8,
    },
    /// Duplicates a file descriptor.
    Dup {
        /// Which.
        fd: i8,
    },
    /// Stores a string by stores of its own.
    String {
        /// Where its first byte goes.
        address: Address,
        /// What.
        text: Text,
        /// Whether the zero that ends it is stored as well.
        terminated: bool,
    },
    /// Stores the eight bytes of an address.
    Point {
        /// To where.
        address: Address,
        /// Which address; its page is one of [`Address::NEAR_PAGES`].
        target: Address,
    },
    /// Opens a file.
    Open {
        /// Where its path is.
        address: Address,
        /// For what.
        mode: OpenMode,
        /// What is done besides.
        flags: OpenFlags,
    },
    /// Gives a file one name more.
    Link {
        /// Where the path of the file is.
        address: Address,
        /// Where the new path is; its page is one of [`Address::NEAR_PAGES`].
        new: Address,
    },
    /// Takes a name away from a file or an empty directory.
    Unlink {
        /// Where its path is.
        address: Address,
    },
    /// Makes a directory.
    Mkdir {
        /// Where its path is.
        address: Address,
    },
    /// Makes a file that stands for a device.
    Mknod {
        /// Where its path is.
        address: Address,
        /// The device's major number.
        major: u8,
    },
    /// Asks what a file descriptor stands for.
    Fstat {
        /// Which.
        fd: i8,
        /// Where the answer goes.
        address: Address,
    },
    /// Changes the current directory.
    Chdir {
        /// Where its path is.
        address: Address,
    },
    /// Starts a program in place of the one that asks.
    Exec {
        /// Where its path is.
        address: Address,
        /// Where the array of the addresses of its arguments is; its page is one of
        /// [`Address::NEAR_PAGES`].
        arguments: Address,
    },
    /// Lets timer interrupts pass, and others run.
    Yield {
        /// How many rounds of the scheduler.
        ticks: NonZeroU8,
    },
    /// Asks for the number of timer ticks.
    Uptime,
    /// Sleeps.
    Pause {
        /// For how many ticks.
        ticks: i8,
    },
    /// The environment leaves only so many frames free.
    Frames {
        /// How many; [`Call::ALL_FRAMES`] gives back what earlier ones took.
        free: u16,
    },
    /// The environment lets one request for frames fail, once, as if none were free.
    FailFrame {
        /// Which one, counted from now on: 1 is the next.
        nth: NonZeroU8,
    },
    /// The environment lets the operations that follow race: two or three, of different processes.
    Together {
        /// How.
        schedule: Schedule,
    },
}

impl Call {
    /// As [`Call::Frames`]' number: no frame is withheld.
    pub const ALL_FRAMES: u16 = u16::MAX;

    /// Whether no process does it, but the environment, to all of them.
    pub fn is_done_to_all(&self) -> bool {
        matches!(
            self,
            Call::Frames { .. } | Call::FailFrame { .. } | Call::Together { .. }
        )
    }

    /// Which kind of operation it is.
    pub fn kind(&self) -> Kind {
        match self {
            Call::Sbrk { .. } => Kind::Sbrk,
            Call::Load { .. } => Kind::Load,
            Call::Store { .. } => Kind::Store,
            Call::Fetch { .. } => Kind::Fetch,
            Call::Touch { write: false, .. } => Kind::TouchRead,
            Call::Touch { write: true, .. } => Kind::TouchWrite,
            Call::Fork { .. } => Kind::Fork,
            Call::Exit { .. } => Kind::Exit,
            Call::Wait { .. } => Kind::Wait,
            Call::Kill { .. } => Kind::Kill,
            Call::Getpid => Kind::Getpid,
            Call::Pipe { .. } => Kind::Pipe,
            Call::Read { .. } => Kind::Read,
            Call::Write { .. } => Kind::Write,
            Call::Close { .. } => Kind::Close,
            Call::Dup { .. } => Kind::Dup,
            Call::String { .. } => Kind::String,
            Call::Point { .. } => Kind::Point,
            Call::Open { .. } => Kind::Open,
            Call::Link { .. } => Kind::Link,
            Call::Unlink { .. } => Kind::Unlink,
            Call::Mkdir { .. } => Kind::Mkdir,
            Call::Mknod { .. } => Kind::Mknod,
            Call::Fstat { .. } => Kind::Fstat,
            Call::Chdir { .. } => Kind::Chdir,
            Call::Exec { .. } => Kind::Exec,
            Call::Yield { .. } => Kind::Yield,
            Call::Uptime => Kind::Uptime,
            Call::Pause { .. } => Kind::Pause,
            Call::Frames { .. } => Kind::Frames,
            Call::FailFrame { .. } => Kind::FailFrame,
            Call::Together { .. } => Kind::Together,
        }
    }

    /// The address that the operation touches (the first, if there are two), if it touches one.
    pub fn address(&self) -> Option<Address> {
        match *self {
            Call::Load { address, .. }
            | Call::Store { address, .. }
            | Call::Fetch { address }
            | Call::Touch { address, .. }
            | Call::Pipe { address }
            | Call::Read { address, .. }
            | Call::Write { address, .. }
            | Call::String { address, .. }
            | Call::Point { address, .. }
            | Call::Open { address, .. }
            | Call::Link { address, .. }
            | Call::Unlink { address }
            | Call::Mkdir { address }
            | Call::Mknod { address, .. }
            | Call::Fstat { address, .. }
            | Call::Chdir { address }
            | Call::Exec { address, .. } => Some(address),
            Call::Wait { status } => status,
            _ => None,
        }
    }

    /// The same operation at another address; unchanged if it touches none.
    pub fn with_address(mut self, new: Address) -> Call {
        match &mut self {
            Call::Load { address, .. }
            | Call::Store { address, .. }
            | Call::Fetch { address }
            | Call::Touch { address, .. }
            | Call::Pipe { address }
            | Call::Read { address, .. }
            | Call::Write { address, .. }
            | Call::String { address, .. }
            | Call::Point { address, .. }
            | Call::Open { address, .. }
            | Call::Link { address, .. }
            | Call::Unlink { address }
            | Call::Mkdir { address }
            | Call::Mknod { address, .. }
            | Call::Fstat { address, .. }
            | Call::Chdir { address }
            | Call::Exec { address, .. } => *address = new,
            Call::Wait { status } if status.is_some() => *status = Some(new),
            _ => {}
        }
        self
    }

    /// The operation's second address, if it has one.
    pub fn second_address(&self) -> Option<Address> {
        match *self {
            Call::Point { target, .. } => Some(target),
            Call::Exec { arguments, .. } => Some(arguments),
            Call::Link { new, .. } => Some(new),
            _ => None,
        }
    }

    /// The same operation with another second address, brought near; unchanged if it has none.
    pub fn with_second_address(mut self, new: Address) -> Call {
        match &mut self {
            Call::Point { target: second, .. }
            | Call::Link { new: second, .. }
            | Call::Exec {
                arguments: second, ..
            } => *second = new.near(),
            _ => {}
        }
        self
    }
}

/// The kinds of operations, for counting and for signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is named for the call it stands for")]
pub enum Kind {
    Sbrk,
    Load,
    Store,
    Fetch,
    TouchRead,
    TouchWrite,
    Fork,
    Exit,
    Wait,
    Kill,
    Getpid,
    Pipe,
    Read,
    Write,
    Close,
    Dup,
    String,
    Point,
    Open,
    Link,
    Unlink,
    Mkdir,
    Mknod,
    Fstat,
    Chdir,
    Exec,
    Yield,
    Uptime,
    Pause,
    Frames,
    FailFrame,
    Together,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 32] = [
        Kind::Sbrk,
        Kind::Load,
        Kind::Store,
        Kind::Fetch,
        Kind::TouchRead,
        Kind::TouchWrite,
        Kind::Fork,
        Kind::Exit,
        Kind::Wait,
        Kind::Kill,
        Kind::Getpid,
        Kind::Pipe,
        Kind::Read,
        Kind::Write,
        Kind::Close,
        Kind::Dup,
        Kind::String,
        Kind::Point,
        Kind::Open,
        Kind::Link,
        Kind::Unlink,
        Kind::Mkdir,
        Kind::Mknod,
        Kind::Fstat,
        Kind::Chdir,
        Kind::Exec,
        Kind::Yield,
        Kind::Uptime,
        Kind::Pause,
        Kind::Frames,
        Kind::FailFrame,
        Kind::Together,
    ];

    /// The word that stands for the kind in text.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Sbrk => "sbrk",
            Kind::Load => "load",
            Kind::Store => "store",
            Kind::Fetch => "fetch",
            Kind::TouchRead => "touch",
            Kind::TouchWrite => "touch-write",
            Kind::Fork => "fork",
            Kind::Exit => "exit",
            Kind::Wait => "wait",
            Kind::Kill => "kill",
            Kind::Getpid => "getpid",
            Kind::Pipe => "pipe",
            Kind::Read => "read",
            Kind::Write => "write",
            Kind::Close => "close",
            Kind::Dup => "dup",
            Kind::String => "string",
            Kind::Point => "point",
            Kind::Open => "open",
            Kind::Link => "link",
            Kind::Unlink => "unlink",
            Kind::Mkdir => "mkdir",
            Kind::Mknod => "mknod",
            Kind::Fstat => "fstat",
            Kind::Chdir => "chdir",
            Kind::Exec => "exec",
            Kind::Yield => "yield",
            Kind::Uptime => "uptime",
            Kind::Pause => "pause",
            Kind::Frames => "frames",
            Kind::FailFrame => "frames fail",
            Kind::Together => "together",
        }
    }
}
