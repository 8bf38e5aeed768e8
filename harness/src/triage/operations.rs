//! What triage has to know about each kind of operation, derived from the table of operations.

use oracle::case::{Family, Kind, Says};

/// How a kernel serves an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// How it accesses user memory.
    pub(crate) memory: Memory,
    /// Whether it moves as many bytes as it is asked to, or fewer.
    pub(crate) moves_bytes: bool,
    /// Whether its result is an address or a process identifier, so that another one may be right as well.
    pub(crate) names: bool,
    /// Its approximate cost on a C kernel, relative to the cheapest operation. There the file system and
    /// `exec` take hundreds of thousands of instructions, and other system calls take thousands.
    pub(crate) cost: u64,
}

/// How an operation accesses user memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// The program itself loads, stores or jumps.
    Access,
    /// The kernel reads a string from it.
    Path,
    /// The kernel reads other bytes from it.
    CopyIn,
    /// The kernel stores to it.
    CopyOut,
    /// Not at all.
    Untouched,
}

impl Service {
    /// How a kernel serves operations of a kind, by the table of operations.
    pub(crate) fn of(kind: Kind) -> Service {
        Service {
            memory: Memory::of(kind.family()),
            moves_bytes: kind.moves_bytes(),
            names: kind.says() == Says::Name,
            cost: kind.work(),
        }
    }
}

impl Memory {
    fn of(family: Family) -> Memory {
        match family {
            Family::Access => Memory::Access,
            Family::Path => Memory::Path,
            Family::CopyIn => Memory::CopyIn,
            Family::CopyOut => Memory::CopyOut,
            Family::Break
            | Family::Descriptor
            | Family::Process
            | Family::Question
            | Family::Time
            | Family::Habit
            | Family::Environment => Memory::Untouched,
        }
    }
}
