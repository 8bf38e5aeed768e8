//! The files that cases work with: planted in the file-system image, and known to the oracle.

use crate::agent::Agent;
use crate::driver::file_node;
use oracle::Files;
use oracle::setting::planted_files;

/// Puts the files that cases work with into `image`.
pub(super) fn plant(image: &mut mkfs::Image, agent: &Agent) -> Result<(), mkfs::Error> {
    let files = planted_files(agent.material());
    files
        .iter()
        .try_for_each(|(name, bytes)| image.replace_file(name, bytes))
}

/// What an image holds once the agent is planted.
pub(super) struct Planted {
    /// Everything that paths lead to.
    pub(super) files: Files,
    /// What is wrong with its blocks.
    pub(super) problems: Vec<mkfs::Problem>,
}

impl Planted {
    pub(super) fn find(image: &mkfs::Image) -> Result<Self, mkfs::Error> {
        let nodes = image.nodes()?.into_iter();
        let nodes = nodes.map(file_node);
        let inodes = image.super_block().inodes;
        Ok(Self {
            files: Files::new(nodes.collect(), inodes, image.free_blocks()),
            problems: image.check_blocks(),
        })
    }
}
