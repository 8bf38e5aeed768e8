//! The disk, from outside: what the kernel has written to it, and marks that make it fuller than it is.

use super::Driver;
use crate::guest::files::file_node;
use emulator::SECTOR_BYTES;
use mkfs::{Image, Problem};
use oracle::DiskContent;

impl Driver {
    /// Whether the kernel has written to the disk since the case began.
    pub fn has_written_disk(&self) -> bool {
        self.machine.has_written_disk()
    }

    /// What the disk holds. A transaction that is committed to the log counts as done.
    pub fn disk_content(&self) -> DiskContent {
        self.content_of(Image::open(self.machine.disk()))
    }

    /// What a disk holds from which the kernel was booted again. What is only in the log does not count.
    pub(super) fn content_after_boot(&self, disk: Vec<u8>) -> DiskContent {
        let image = Image::open_without_log(disk);
        let wrong_name = image.clone().ok().and_then(|image| {
            let is_named = |problem: &Problem| !matches!(problem, Problem::Orphan(_));
            self.wrong_name_in(image, is_named)
        });
        DiskContent {
            wrong_name,
            ..self.content_of(image)
        }
    }

    fn content_of(&self, image: Result<Image, mkfs::Error>) -> DiskContent {
        match image.and_then(|image| self.read_image(image)) {
            Ok(content) => content,
            Err(error) => DiskContent {
                nodes: Vec::new(),
                damage: Some(error.to_string()),
                wrong_name: None,
                free_blocks: 0,
            },
        }
    }

    /// Leaves at most so many blocks of the disk free. The kernel must not have read which blocks are free. A disk that
    /// cannot be read stays as it is.
    pub(super) fn leave_blocks(&mut self, keep: u16) {
        let before = self.machine.disk();
        let Ok(mut image) = Image::open(before.clone()) else {
            return;
        };
        image.reserve_blocks(keep.into(), &mut self.reserved);
        let (old, _) = before.as_chunks::<SECTOR_BYTES>();
        let (new, _) = image.as_bytes().as_chunks::<SECTOR_BYTES>();
        for (sector, (old, new)) in (0..).zip(old.iter().zip(new)) {
            if old != new {
                self.machine.write_disk(sector, new);
            }
        }
    }

    /// A file whose names are not those that it counts, as [`DiskContent`] has it. A disk that cannot be read is
    /// damaged, and this says nothing.
    pub fn wrong_name(&self) -> Option<(u32, String)> {
        let image = Image::open(self.machine.disk()).ok()?;
        self.wrong_name_in(image, |_| true)
    }

    fn wrong_name_in(
        &self,
        mut image: Image,
        counts: impl Fn(&Problem) -> bool,
    ) -> Option<(u32, String)> {
        image.release(&self.reserved).ok()?;
        let problems = image.check_names_since(&self.guest.disk_problems);
        let first = problems.into_iter().find(counts)?;
        Some((first.inode().unwrap_or(0), first.to_string()))
    }

    fn read_image(&self, mut image: Image) -> Result<DiskContent, mkfs::Error> {
        let free_blocks = image.free_blocks();
        image.release(&self.reserved)?;
        let nodes = image.nodes()?.into_iter().map(file_node).collect();
        let mut problems = image.check_blocks().into_iter();
        let before = &self.guest.disk_problems;
        let new = problems.find(|problem| !before.contains(problem));
        Ok(DiskContent {
            nodes,
            wrong_name: None,
            damage: new.map(|problem| problem.to_string()),
            free_blocks,
        })
    }
}
