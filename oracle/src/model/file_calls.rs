//! Operations on file descriptors, whatever they lead to: `read`, `write`, `fstat`, `close`, `dup`.

use super::open_file::{OpenFile, OpenNode, Target};
use super::pipe::Way;
use super::{Access, FAILED, Model, Witness};
use crate::case::Process;
use crate::dialect::{ReadBelowZero, RefusedTransaction};
use abi::file_system::Kind;

impl Model {
    /// What a descriptor of a process refers to.
    pub(super) fn file(&self, process: Process, fd: i8) -> Option<Target> {
        Some(self.open_files[self.descriptor(process, fd)?].target)
    }

    /// The file of the disk that a descriptor of a process leads to, if it leads to one.
    pub(super) fn open_node(&self, process: Process, fd: i8) -> Option<OpenNode> {
        match self.file(process, fd)? {
            Target::File(node) => Some(node),
            Target::Pipe { .. } => None,
        }
    }

    /// The open file that a descriptor refers to.
    pub(super) fn descriptor(&self, process: Process, fd: i8) -> Option<usize> {
        let limit = self.world.dialect.limits.files_per_process;
        let at = usize::try_from(fd).ok();
        let at = at.filter(|at| *at < usize::from(limit))?;
        self.of(process).files[at]
    }

    /// The lowest descriptor of a process that is free.
    pub(crate) fn next_descriptor(&self, process: Process) -> Option<usize> {
        self.free_descriptor(process, 0)
    }

    /// The lowest descriptor that is free, above those named.
    pub(super) fn free_descriptor(&self, process: Process, from: usize) -> Option<usize> {
        let limit = usize::from(self.world.dialect.limits.files_per_process);
        (from..limit).find(|at| self.of(process).files[*at].is_none())
    }

    /// Whether the table of open files has room for `more`.
    pub(super) fn has_room_for(&self, more: usize) -> bool {
        let open = self.open_files.iter().filter(|file| file.holders > 0);
        open.count() + more <= usize::from(self.world.dialect.limits.files)
    }

    /// Opens `target` as descriptor `fd`, which is free.
    pub(super) fn add_file(&mut self, process: Process, fd: usize, target: Target) {
        let file = OpenFile { target, holders: 1 };
        let mut free = self.open_files.iter();
        let number = match free.position(|file| file.holders == 0) {
            Some(number) => {
                self.open_files[number] = file;
                number
            }
            None => {
                self.open_files.push(file);
                self.open_files.len() - 1
            }
        };
        self.of_mut(process).files[fd] = Some(number);
    }

    /// One descriptor fewer refers to the open file with that number.
    pub(super) fn release(&mut self, number: usize) {
        let file = &mut self.open_files[number];
        file.holders -= 1;
        if let (0, Target::Pipe { pipe, way }) = (file.holders, file.target) {
            self.pipes[pipe].close(way);
        }
    }

    pub(super) fn fstat(&mut self, process: Process, fd: i8, address: u64, witness: &Witness) {
        let Some(OpenNode { inode, .. }) = self.open_node(process, fd) else {
            return self.returns(process, FAILED);
        };
        let node = self.files.node(inode);
        let device = self.world.dialect.files.device;
        let Some(stat) = node.map(|node| node.stat(device)) else {
            return self.returns(process, FAILED);
        };
        if self.hand_out(process, address, &stat.encode(), false, witness) {
            self.returns(process, 0);
        }
    }

    pub(super) fn close(&mut self, process: Process, fd: i8) {
        let Some(number) = self.descriptor(process, fd) else {
            return self.returns(process, FAILED);
        };
        self.of_mut(process).files[fd as usize] = None;
        self.release(number);
        self.returns(process, 0);
    }

    pub(super) fn dup(&mut self, process: Process, fd: i8) {
        let free = self.free_descriptor(process, 0);
        let (Some(number), Some(free)) = (self.descriptor(process, fd), free) else {
            return self.returns(process, FAILED);
        };
        self.of_mut(process).files[free] = Some(number);
        self.open_files[number].holders += 1;
        self.returns(process, free as u64);
    }

    pub(super) fn read(
        &mut self,
        process: Process,
        fd: i8,
        address: u64,
        length: i16,
        witness: &Witness,
    ) {
        match self.file(process, fd) {
            Some(Target::Pipe {
                pipe,
                way: Way::Read,
            }) => self.read_pipe(process, pipe, address, length, witness),
            Some(Target::File(node)) if node.readable && self.is_console(node) => {
                self.read_console(process, address, length, witness);
            }
            Some(Target::File(node)) if node.readable => {
                let number = self.descriptor(process, fd);
                self.read_node(process, number, node, address, length, witness);
            }
            _ => self.returns(process, FAILED),
        }
    }

    /// Reads from the open file with that number, which is at `node`. What was stored before the
    /// first byte that may not be stored stays there, but the read fails, and the offset stays.
    fn read_node(
        &mut self,
        process: Process,
        number: Option<usize>,
        node: OpenNode,
        address: u64,
        length: i16,
        witness: &Witness,
    ) {
        let Some(file) = self.files.node(node.inode) else {
            return self.returns(process, FAILED);
        };
        if file.kind == Kind::Device {
            // No driver: reads of the console do not come here.
            return self.returns(process, FAILED);
        }
        if length < 0 && self.world.dialect.files.read_below_zero == ReadBelowZero::Nothing {
            let answer = match witness.returned(process) {
                Some(0) => 0,
                _ => FAILED,
            };
            return self.returns(process, answer);
        }
        let left = file.bytes.get(node.offset as usize..).unwrap_or_default();
        // A kernel that takes a negative length for a large one reads nothing if offset and length
        // together pass 32 bits.
        let wanted = i32::from(length) as u32;
        let wanted = match node.offset.checked_add(wanted) {
            Some(_) => left.len().min(wanted as usize),
            None => 0,
        };
        let mut bytes = std::mem::take(&mut self.transferred);
        bytes.clear();
        bytes.extend_from_slice(&left[..wanted]);
        let rules = &self.world.dialect.files;
        // A kernel that has this defect elsewhere is right here if it fails.
        let has_failed = witness.returned(process) == Some(FAILED);
        let counts_all = rules.refused_transaction == RefusedTransaction::CountsAll;
        let all = if counts_all && !has_failed {
            self.hand_out_in_part(process, address, &bytes);
            true
        } else {
            self.hand_out(process, address, &bytes, false, witness)
        };
        self.transferred = bytes;
        if all {
            self.advance(number, node, wanted);
            self.returns(process, wanted as u64);
        }
    }

    /// Copies to user memory what it lets the kernel copy.
    fn hand_out_in_part(&mut self, process: Process, address: u64, bytes: &[u8]) {
        let space = &self.of(process).space;
        let length = bytes.len() as u64;
        let (least, most) = space.reach(address, length, Access::Store, &self.world);
        self.unknown |= least != most;
        let written = &bytes[..most as usize];
        self.of_mut(process).space.write(address, written);
    }

    /// The next read or write of an open file begins so many bytes further on.
    pub(super) fn advance(&mut self, number: Option<usize>, node: OpenNode, bytes: usize) {
        if let Some(number) = number {
            self.open_files[number].target = Target::File(OpenNode {
                offset: node.offset + bytes as u32,
                ..node
            });
        }
    }

    /// The most bytes that a read can transfer while no other process runs.
    pub(crate) fn readable(&self, process: Process, fd: i8, length: i16) -> u64 {
        match self.file(process, fd) {
            None => 0,
            Some(Target::Pipe { .. }) => {
                let length = u64::try_from(length).unwrap_or(0);
                length.min(u64::from(self.world.dialect.pipe.bytes))
            }
            Some(Target::File(node)) if self.is_console(node) => self.readable_of_console(length),
            Some(Target::File(node)) => {
                let node = self.files.node(node.inode);
                let size = node.map_or(0, |node| node.bytes.len() as u64);
                match self.world.dialect.files.read_below_zero {
                    ReadBelowZero::Nothing => size.min(u64::try_from(length).unwrap_or(0)),
                    ReadBelowZero::Everything => size.min(u64::from(i32::from(length) as u32)),
                }
            }
        }
    }

    pub(super) fn write(
        &mut self,
        process: Process,
        fd: i8,
        address: u64,
        length: i16,
        witness: &Witness,
    ) {
        match self.file(process, fd) {
            Some(Target::Pipe {
                pipe,
                way: Way::Write,
            }) => self.write_pipe(process, pipe, address, length, witness),
            Some(Target::File(node)) if node.writable && self.is_console(node) => {
                self.write_console(process, address, length, witness);
            }
            Some(Target::File(node)) if node.writable => {
                let number = self.descriptor(process, fd);
                self.write_node(process, number, node, address, length, witness);
            }
            _ => self.returns(process, FAILED),
        }
    }
}
