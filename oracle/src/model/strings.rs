//! Strings in user memory, as system calls read them: up to the first zero.

use super::{Access, Leave, Model};
use crate::case::Process;
use abi::limits::PATH;

/// A path in user memory.
pub(super) struct UserPath<'b> {
    /// Without the zero at its end; nothing if it cannot be read.
    pub(super) bytes: &'b [u8],
    /// How many bytes a kernel reads to find out.
    pub(super) looked_at: u64,
    /// Whether it can be read: it is not too long, and lies in memory.
    pub(super) leave: Leave,
}

impl UserPath<'_> {
    /// Room for a path and its zero.
    pub(super) fn buffer() -> [u8; PATH] {
        [0; PATH]
    }
}

impl Model {
    /// The path at `address`.
    pub(super) fn path<'b>(
        &self,
        process: Process,
        address: u64,
        buffer: &'b mut [u8; PATH],
    ) -> UserPath<'b> {
        let (leave, looked_at) = self.string(process, address, buffer);
        let length = match leave {
            Leave::Refused => 0,
            Leave::Either | Leave::Granted => looked_at as usize - 1,
        };
        UserPath {
            bytes: &buffer[..length],
            looked_at,
            leave,
        }
    }

    /// Reads the string at `address` into `buffer`, which bounds its length, its zero included:
    /// whether it can be read, and how many bytes a kernel looks at to find out. If it can, the last
    /// of these is the zero.
    pub(super) fn string(&self, process: Process, address: u64, buffer: &mut [u8]) -> (Leave, u64) {
        let space = &self.of(process).space;
        let length = buffer.len() as u64;
        let (least, most) = space.reach(address, length, Access::Load, &self.world);
        let readable = &mut buffer[..most as usize];
        space.peek(address, readable);
        match readable.iter().position(|byte| *byte == 0) {
            None => (Leave::Refused, most),
            Some(end) if (end as u64) < least => (Leave::Granted, end as u64 + 1),
            Some(end) => (Leave::Either, end as u64 + 1),
        }
    }
}
