//! Operations for which the disk may have no room. The model does not count every block, because kernels need different
//! numbers of them. It knows when there is room in any case. Otherwise the disk is read after the operation: an error is
//! right if fewer blocks are free than the operation may need.

use super::open_file::{OpenNode, Target};
use super::{Answer, FAILED, FileSystem, Model, Outcome, Witness};
use crate::case::{Call, OpenFlags, Operation, Process};

impl Model {
    /// Whether the disk may have no room for what an operation adds to it.
    pub(crate) fn may_fill_disk(&self, operation: &Operation) -> bool {
        let bytes = match operation.call {
            Call::Write { fd, length, .. } if self.writes_to_file(operation.process, fd) => {
                usize::try_from(length).unwrap_or(0)
            }
            call if makes_a_name(&call) => 0,
            _ => return false,
        };
        !self.files.has_room(bytes)
    }

    fn writes_to_file(&self, process: Process, fd: i8) -> bool {
        let node = self.open_node(process, fd);
        node.is_some_and(|node| node.writable && !self.is_console(node))
    }

    /// The inode of the file that an operation writes to, if it writes to one.
    pub(crate) fn file_written(&self, operation: &Operation) -> Option<u32> {
        let Call::Write { fd, .. } = operation.call else {
            return None;
        };
        Some(self.open_node(operation.process, fd)?.inode)
    }

    /// Whether it is not known where the next read or write of that descriptor begins.
    pub(super) fn has_lost_offset(&self, process: Process, fd: i8) -> bool {
        let node = self.open_node(process, fd);
        node.is_some_and(|node| node.is_lost)
    }

    /// Whether a system call fails because the disk has no room for a new name. Then nothing changes, and this adds the
    /// reply.
    pub(super) fn finds_no_room_for_name(&mut self, process: Process, witness: &Witness) -> bool {
        let fails = witness.found_no_room(process, FileSystem::BLOCKS_OF_A_NAME);
        if fails {
            self.excused(process, Outcome::Returns(Answer::Exactly(FAILED)));
        }
        fails
    }

    /// Writes to a file until the disk is full. How much was written shows in the file's size. Where the next read or
    /// write of the open file begins is left open. `arrived` says where the bytes come from, and how many of them the
    /// kernel can read.
    pub(super) fn stops_at_the_last_block(
        &mut self,
        process: Process,
        (number, node): (Option<usize>, OpenNode),
        (address, readable): (u64, usize),
        witness: &Witness,
    ) {
        let (offset, size) = (node.offset as usize, self.size_of(node.inode));
        let seen = witness.disk.map_or(size, |disk| disk.size);
        // What lies before the old end has its blocks.
        let written = seen.max(size).saturating_sub(offset).min(readable);
        let mut bytes = vec![0; written];
        let space = &mut self.of_mut(process).space;
        space.peek(address, &mut bytes);
        space.note_perhaps(address, readable as u64);
        self.files.write(node.inode, offset, &bytes);
        if let Some(number) = number {
            let is_lost = true;
            self.open_files[number].target = Target::File(OpenNode { is_lost, ..node });
        }
        self.excused(process, Outcome::Returns(Answer::Exactly(FAILED)));
    }
}

/// Whether an operation may add a name to a directory.
pub(super) fn makes_a_name(call: &Call) -> bool {
    let creates = |flags: OpenFlags| flags.contains(OpenFlags::CREATE);
    matches!(call, Call::Open { flags, .. } if creates(*flags))
        || matches!(
            call,
            Call::Link { .. } | Call::Mkdir { .. } | Call::Mknod { .. }
        )
}
