//! The file-system image that a kernel boots from. The agent and the files that cases use are added to it,
//! and its contents are listed for the oracle.

use super::BootError;
use crate::agent::Agent;
use crate::guest::files::file_node;
use crate::guest::location::GuestFiles;
use oracle::Files;
use oracle::setting::planted_files;

/// The program that xv6 runs first.
const FIRST_PROGRAM: &str = "init";

/// A copy of the image, in which the agent replaces the first program.
pub(super) fn with_agent(files: &GuestFiles, agent: &Agent) -> Result<mkfs::Image, BootError> {
    let wrong = BootError::file_system(files);
    let mut image = mkfs::Image::open(files.file_system.clone()).map_err(&wrong)?;
    let root = image.list("/").map_err(&wrong)?;
    if root.iter().all(|entry| entry.name != FIRST_PROGRAM) {
        return Err(BootError::no_init(files, &root));
    }
    add_files(&mut image, agent).map_err(&wrong)?;
    Ok(image)
}

/// Adds the files that cases use to `image`.
fn add_files(image: &mut mkfs::Image, agent: &Agent) -> Result<(), mkfs::Error> {
    let files = planted_files(agent.material());
    files
        .iter()
        .try_for_each(|(name, bytes)| image.replace_file(name, bytes))
}

/// What an image holds after the agent was added.
pub(super) struct Contents {
    /// Everything that paths lead to.
    pub(super) files: Files,
    /// What is wrong with its blocks.
    pub(super) problems: Vec<mkfs::Problem>,
}

impl Contents {
    pub(super) fn of(image: &mkfs::Image) -> Result<Self, mkfs::Error> {
        let nodes = image.nodes()?.into_iter();
        let nodes = nodes.map(file_node);
        let inodes = image.super_block().inodes;
        Ok(Self {
            files: Files::new(nodes.collect(), inodes, image.free_blocks())
                .in_blocks_of(image.block_bytes()),
            problems: image.check_blocks(),
        })
    }
}
