//! Operations that a kernel serves by the same code.

use crate::triage::operations::{Memory, Service};
use oracle::case::Kind;

/// Operations that a kernel serves by the same code: a bug there shows in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Loads, stores and jumps of the program itself.
    Access,
    /// System calls that read a string from user memory.
    Path,
    /// System calls that read other bytes from it.
    CopyIn,
    /// System calls that store to it.
    CopyOut,
    /// System calls that do any of the three.
    Copying,
    /// Another one, on its own.
    Other(Kind),
    /// The operation does not matter.
    Any,
}

impl Family {
    /// The family of an operation.
    pub(super) fn of(kind: Kind) -> Family {
        match Service::of(kind).memory {
            Memory::Access => Family::Access,
            Memory::Path => Family::Path,
            Memory::CopyIn => Family::CopyIn,
            Memory::CopyOut => Family::CopyOut,
            Memory::Untouched => Family::Other(kind),
        }
    }

    /// This family, but all system calls that copy are one.
    pub(super) fn coarse(self) -> Family {
        if self.copies() { Family::Copying } else { self }
    }

    /// Whether it consists of system calls that copy from or to user memory.
    pub(super) fn copies(self) -> bool {
        match self {
            Family::Path | Family::CopyIn | Family::CopyOut | Family::Copying => true,
            Family::Access | Family::Other(_) | Family::Any => false,
        }
    }

    /// Whether it stores to user memory.
    pub(super) fn stores(self) -> bool {
        matches!(self, Family::CopyOut | Family::Access)
    }
}
