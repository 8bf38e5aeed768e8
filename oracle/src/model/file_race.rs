//! Changes of files that race. Each takes effect at one moment: the kernel holds the lock of a directory, or of a file,
//! while it changes it. So the disk afterwards is what some order of the operations makes of it.

use super::full_disk::makes_a_name;
use super::{Model, ProcessState};
use crate::case::{Call, Kind, OpenFlags, Operation};

impl Model {
    /// Whether an operation changes what the disk holds, apart from the last close of a file without a name.
    pub(super) fn changes_files(&self, operation: &Operation) -> bool {
        if let Call::Write { fd, .. } = operation.call {
            let node = self.open_node(operation.process, fd);
            return node.is_some_and(|node| !self.is_console(node));
        }
        changes_names(&operation.call)
    }

    /// Whether a change of files may race: it takes effect at one moment, and there is room for it in any case.
    pub(super) fn change_may_race(&self, operation: &Operation) -> bool {
        let is_one_transaction = match operation.call {
            Call::Write { length, .. } => {
                let most = self.world.dialect.files.transaction_bytes;
                i64::from(length) <= i64::from(most) && self.may_touch_all(operation)
            }
            _ => true,
        };
        let is_alone = self
            .processes
            .iter()
            .all(|process| process.state != ProcessState::Blocked);
        is_one_transaction && is_alone && !self.may_fill_disk(operation)
    }

    /// Whether two operations may race as far as files are concerned.
    pub(super) fn files_may_race(&self, one: &Operation, other: &Operation) -> bool {
        let looks = |operation: &Operation| self.looks_into_files(operation);
        !(self.changes_files(one) && looks(other) || self.changes_files(other) && looks(one))
    }

    /// Whether an operation shows what a file holds or is, perhaps in the middle of a change.
    fn looks_into_files(&self, operation: &Operation) -> bool {
        if let Call::Read { fd, .. } = operation.call {
            return !self.is_pipe(operation.process, fd);
        }
        matches!(operation.call.kind(), Kind::Exec | Kind::Fstat)
    }

    /// Whether the disk has to be read after these operations have raced.
    pub(crate) fn race_changes_files(&self, group: &[Operation]) -> bool {
        group.iter().any(|operation| self.changes_files(operation))
    }

    /// Whether the disk must hold afterwards what some order of these operations makes of it. That is not so if a name
    /// is removed while a file is made: the kernel frees the inode after it has freed the name, so the new file may
    /// get the place of the name and still another inode.
    pub(crate) fn order_shows_on_disk(group: &[Operation]) -> bool {
        let frees = |operation: &Operation| {
            matches!(
                operation.call.kind(),
                Kind::Unlink | Kind::Close | Kind::Exit | Kind::Kill | Kind::Chdir
            )
        };
        let makes = |operation: &Operation| {
            changes_names(&operation.call) && operation.call.kind() != Kind::Unlink
        };
        !(group.iter().any(frees) && group.iter().any(makes))
    }

    /// Says that nothing can be compared any more.
    pub(crate) fn give_up(&mut self) {
        self.unknown = true;
    }
}

/// Whether an operation may change a directory, or remove the contents of a file.
fn changes_names(call: &Call) -> bool {
    let truncates = |flags: OpenFlags| flags.contains(OpenFlags::TRUNCATE);
    makes_a_name(call)
        || matches!(call, Call::Open { flags, .. } if truncates(*flags))
        || call.kind() == Kind::Unlink
}
