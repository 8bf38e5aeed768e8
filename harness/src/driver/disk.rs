//! The disk, read from outside: what the kernel has written to it.

use super::Driver;
use crate::guest::files::file_node;
use oracle::DiskContent;

impl Driver {
    /// Whether the kernel has written to the disk since the case began.
    pub fn has_written_disk(&self) -> bool {
        self.machine.has_written_disk()
    }

    /// What the disk holds. A transaction that is committed to the log counts as done.
    pub fn disk_content(&self) -> DiskContent {
        match self.read_disk() {
            Ok(content) => content,
            Err(error) => DiskContent {
                nodes: Vec::new(),
                damage: Some(error.to_string()),
            },
        }
    }

    fn read_disk(&self) -> Result<DiskContent, mkfs::Error> {
        let image = mkfs::Image::open(self.machine.disk())?;
        let nodes = image.nodes()?.into_iter().map(file_node).collect();
        let mut problems = image.check_blocks().into_iter();
        let before = &self.guest.disk_problems;
        let new = problems.find(|problem| !before.contains(problem));
        Ok(DiskContent {
            nodes,
            damage: new.map(|problem| problem.to_string()),
        })
    }
}
