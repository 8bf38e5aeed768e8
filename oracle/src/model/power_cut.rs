//! Power cuts: what the disk may hold afterwards.
//!
//! xv6 promises this with its log: each system call is one transaction, and each transaction is on the disk as a whole or
//! not at all. A transaction is on the disk when the call returns, if no other call was under way. A large `write` is
//! several transactions.

use super::{FileSystem, Model};
use crate::files::FileNode;

/// How often a case cuts the power: once while it runs, and once more while the kernel boots again.
const MOST_CUTS: u8 = 2;

impl Model {
    /// Whether the power can be cut now, or once more.
    pub(super) fn can_cut_power(&self) -> bool {
        self.world.can_reboot && self.power_cuts < MOST_CUTS
    }

    /// Keeps the files as they are before an operation in which the power may be cut.
    pub(super) fn remember_files(&mut self) {
        if self.power_cuts > 0 {
            self.files_before = Some(Box::new(self.files.clone()));
            self.written_from = None;
        }
    }

    /// What the files may be if the last operation was cut short: those before it first, those after it last.
    pub(crate) fn files_on_the_way(&self) -> Vec<FileSystem> {
        let Some(before) = &self.files_before else {
            return vec![self.files.clone()];
        };
        let mut states = vec![FileSystem::clone(before)];
        states.extend(self.written_in_part(before));
        states.push(self.files.clone());
        states
    }

    /// The files after each transaction of the last operation but the last one, if it has written to a file.
    fn written_in_part(&self, before: &FileSystem) -> Vec<FileSystem> {
        let Some((inode, start)) = self.written_from else {
            return Vec::new();
        };
        let Some(FileNode { bytes: new, .. }) = self.files.node(inode) else {
            return Vec::new();
        };
        let bytes = self.world.dialect.files.transaction_bytes.max(1) as usize;
        let ends = (start + bytes..new.len()).step_by(bytes);
        let in_part = |end| {
            let mut files = before.clone();
            files.write(inode, start, &new[start..end]);
            files
        };
        ends.map(in_part).collect()
    }

    /// Whether a file may be left without a name, and in use, after a power cut: it was already so before, or the last
    /// operation was about to free it. Some kernels free such files when they boot.
    pub(crate) fn may_be_nameless(&self, inode: u32) -> bool {
        let lacks_name = |node: &FileNode| node.links == 0;
        let before = self.files_before.as_ref();
        self.files.node(inode).is_some_and(lacks_name)
            || before.is_some_and(|before| before.node(inode).is_some())
    }
}
