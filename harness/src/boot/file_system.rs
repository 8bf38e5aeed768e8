//! The file-system image that a kernel boots from. The agent and the files that cases use are added to it, inodes are
//! made scarce, and its contents are listed for the oracle.

use super::BootError;
use crate::agent::Agent;
use crate::guest::files::file_node;
use crate::guest::location::GuestFiles;
use emulator::SECTOR_BYTES;
use mkfs::{Image, Reserved};
use oracle::setting::planted_files;
use oracle::{FREE_INODES, Files};
use std::collections::BTreeSet;

/// The program that xv6 runs first.
const FIRST_PROGRAM: &str = "init";

/// The image that a kernel boots from, and what is known about it.
pub(super) struct Planted {
    /// A copy of the image, in which the agent replaces the first program.
    image: Image,
    /// Everything that paths lead to.
    files: Files,
    /// What is wrong with it.
    pub(super) problems: Vec<mkfs::Problem>,
    /// The inodes that are marked as in use.
    pub(super) reserved: Reserved,
}

impl Planted {
    /// Adds the agent to a copy of the image.
    pub(super) fn new(files: &GuestFiles, agent: &Agent) -> Result<Self, BootError> {
        let wrong = BootError::file_system(files);
        let mut image = Image::open(files.file_system.clone()).map_err(&wrong)?;
        let root = image.list("/").map_err(&wrong)?;
        if root.iter().all(|entry| entry.name != FIRST_PROGRAM) {
            return Err(BootError::no_init(files, &root));
        }
        add_files(&mut image, agent).map_err(&wrong)?;
        Self::of(image).map_err(&wrong)
    }

    fn of(mut image: Image) -> Result<Self, mkfs::Error> {
        let nodes = image.nodes()?.into_iter();
        let nodes: Vec<_> = nodes.map(file_node).collect();
        let problems = image.check();
        let is_free = |inode: &u32| nodes.iter().all(|node| node.inode != *inode);
        let inodes = image.super_block().inodes;
        let end = (1..inodes).filter(is_free).nth(FREE_INODES as usize);
        let end = end.unwrap_or(inodes);
        let mut reserved = Reserved::default();
        image.reserve_inodes(end, &mut reserved)?;
        let files = Files::new(nodes, inodes, image.free_blocks())
            .in_blocks_of(image.block_bytes())
            .with_free_inodes_below(end);
        Ok(Self {
            image,
            files,
            problems,
            reserved,
        })
    }

    /// The image's bytes, as a disk holds them.
    pub(super) fn bytes(&self) -> &[u8] {
        self.image.as_bytes()
    }

    /// The files, as the oracle knows them, once the kernel has read these sectors of the disk.
    pub(super) fn files_after(&self, read: &BTreeSet<u64>) -> Files {
        let layout = self.image.super_block();
        let bitmaps = (layout.size as usize).div_ceil(8 * self.image.block_bytes()) as u32;
        let sector =
            |block: u32| u64::from(block) * (self.image.block_bytes() / SECTOR_BYTES) as u64;
        let bitmap = sector(layout.bitmap_start)..sector(layout.bitmap_start + bitmaps);
        let files = self.files.clone();
        if read.range(bitmap).next().is_none() {
            files.with_room_unread()
        } else {
            files
        }
    }
}

/// Adds the files that cases use to `image`.
fn add_files(image: &mut Image, agent: &Agent) -> Result<(), mkfs::Error> {
    let files = planted_files(agent.material());
    files
        .iter()
        .try_for_each(|(name, bytes)| image.replace_file(name, bytes))
}
