//! The disk at the end of a case that has changed files: does it hold what the model holds?

use super::{Clause, DiskContent, Finding, Judge, Observation, Planned};
use crate::case::Process;
use crate::files::FileNode;
use crate::model::DiskSeen;
use abi::file_system::Kind;
use std::collections::BTreeMap;

/// When the disk was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiskMoment {
    /// While processes may hold files that have no name.
    InBetween,
    /// When every process is gone.
    AtEnd,
}

impl Judge {
    /// Whether the disk holds what the model holds, if that is known while processes may hold files without a name.
    ///
    /// # Errors
    /// What the disk holds, if that is something else.
    pub fn inspect_disk(&self, disk: &DiskContent) -> Result<(), Finding> {
        if self.model.is_unknown() || self.is_in_doubt() || self.following.has_worlds() {
            return Ok(());
        }
        self.compare_disk(disk, DiskMoment::InBetween)
    }

    /// What matters of the disk for an operation for which it may have no room.
    pub(super) fn disk_seen(
        &self,
        planned: &Planned,
        observation: &Observation,
    ) -> Option<DiskSeen> {
        let disk = observation.disk.as_ref()?;
        let written = self.model.file_written(&planned.operation);
        let node = disk.nodes.iter().find(|node| Some(node.inode) == written);
        Some(DiskSeen {
            free_blocks: disk.free_blocks,
            size: node.map_or(0, |node| node.bytes.len()),
        })
    }

    /// Compares what the disk holds.
    pub(super) fn compare_disk(
        &self,
        disk: &DiskContent,
        moment: DiskMoment,
    ) -> Result<(), Finding> {
        if let Some(damage) = &disk.damage {
            let expected = "everything in use belongs to one file, and the rest is free";
            return Err(self.about_disk(Clause::BlocksComeBack, expected, damage.clone()));
        }
        if self.model.is_unknown() {
            return self.compare_names(disk);
        }
        let mut seen: BTreeMap<u32, &FileNode> = BTreeMap::new();
        seen.extend(disk.nodes.iter().map(|node| (node.inode, node)));
        for wanted in self.model.files.nodes() {
            // The processes that held a file without a name are gone.
            let is_gone = wanted.links == 0 && !self.model.supervisor_holds(wanted.inode);
            if is_gone && moment == DiskMoment::AtEnd {
                continue;
            }
            match seen.remove(&wanted.inode) {
                Some(seen) if seen == wanted => {}
                seen => return Err(self.wrong_file(wanted, seen)),
            }
        }
        match seen.into_values().next() {
            None => Ok(()),
            Some(left) => {
                let expected = format!("inode {} is free", left.inode);
                let seen = format!("it is {}", in_words(left));
                Err(self.about_disk(Clause::BlocksComeBack, &expected, seen))
            }
        }
    }

    /// Where it is not known what the disk must hold: whether every file has as many names as it counts, and the
    /// names lead to files.
    fn compare_names(&self, disk: &DiskContent) -> Result<(), Finding> {
        match &disk.wrong_name {
            Some((inode, problem)) if !self.model.supervisor_holds(*inode) => {
                let expected = "every file has the names that it counts";
                Err(self.about_disk(Clause::DiskContent, expected, problem.clone()))
            }
            _ => Ok(()),
        }
    }

    fn wrong_file(&self, wanted: &FileNode, seen: Option<&FileNode>) -> Finding {
        let expected = format!("inode {} is {}", wanted.inode, in_words(wanted));
        let seen = seen_in_words(Some(wanted), seen);
        self.about_disk(Clause::DiskContent, &expected, seen)
    }

    fn about_disk(&self, clause: Clause, expected: &str, seen: String) -> Finding {
        let expected = format!("on the disk, {expected}");
        self.finding(clause, Process::FIRST, expected, seen)
    }
}

/// What the disk holds where `wanted` should be.
pub(super) fn seen_in_words(wanted: Option<&FileNode>, seen: Option<&FileNode>) -> String {
    let words = state_in_words(seen);
    let differs = wanted.zip(seen).and_then(|(wanted, seen)| {
        let mut bytes = wanted.bytes.iter().zip(&seen.bytes);
        bytes.position(|(wanted, seen)| wanted != seen)
    });
    match differs {
        Some(at) => format!("it is {words}; the first wrong byte is byte {at}"),
        None => format!("it is {words}"),
    }
}

/// What an inode is, or that it is free.
pub(super) fn state_in_words(node: Option<&FileNode>) -> String {
    node.map_or_else(|| "free".to_owned(), in_words)
}

fn in_words(node: &FileNode) -> String {
    let kind = match node.kind {
        Kind::Directory => "a directory",
        Kind::File => "a file",
        Kind::Device => "a device",
        Kind::Free => "free",
    };
    let names = match node.links {
        1 => "1 name".to_owned(),
        links => format!("{links} names"),
    };
    format!("{kind} of {} bytes with {names}", node.bytes.len())
}
