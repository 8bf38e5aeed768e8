//! The files that cases work with: planted in the file-system image, and known to the oracle.

use crate::agent::Agent;
use crate::engine::file_node;
use oracle::Files;
use oracle::case::FULL_LENGTH_NAME;

/// The agent, as the program that a kernel starts first.
const PLAIN_AGENT: &str = "init";
/// The agent in a file that asks for a stack that grows.
const GROWING_AGENT: &str = "grow";
/// Bytes of the file that is no program: more than two blocks, and no multiple of one.
const NO_PROGRAM_BYTES: usize = 3000;

/// Puts the agent's files into `image`, and one that is no program.
pub(super) fn plant(image: &mut mkfs::Image, agent: &Agent) -> Result<(), mkfs::Error> {
    image.replace_file(PLAIN_AGENT, &agent.elf)?;
    image.replace_file(GROWING_AGENT, &agent.growing_elf)?;
    let bytes: Vec<u8> = (0..NO_PROGRAM_BYTES).map(|at| (at % 251) as u8).collect();
    image.replace_file(FULL_LENGTH_NAME, &bytes)
}

/// What an image holds once the agent is planted.
pub(super) struct Planted {
    /// Everything that paths lead to.
    pub(super) files: Files,
    /// The inodes of the agent's files: the plain one, and the one with a stack that grows.
    pub(super) agents: [u32; 2],
    /// What is wrong with its blocks.
    pub(super) problems: Vec<mkfs::Problem>,
}

impl Planted {
    pub(super) fn find(image: &mkfs::Image) -> Result<Self, mkfs::Error> {
        let nodes = image.nodes()?.into_iter();
        let nodes = nodes.map(file_node);
        let inodes = image.super_block().inodes;
        let files = Files::new(nodes.collect(), inodes, image.free_blocks());
        let inode = |name: &str| {
            let found = files.find(name.as_bytes());
            found.map(|node| node.inode)
        };
        let missing = |name: &str| mkfs::Error::NotFound(name.into());
        Ok(Self {
            agents: [
                inode(PLAIN_AGENT).ok_or_else(|| missing(PLAIN_AGENT))?,
                inode(GROWING_AGENT).ok_or_else(|| missing(GROWING_AGENT))?,
            ],
            files,
            problems: image.check_blocks(),
        })
    }
}
