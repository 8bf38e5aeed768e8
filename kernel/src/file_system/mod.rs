//! The file system: blocks cached in buffers, changes made whole by a log, inodes, directories.

mod allocation;
mod buffer;
mod contents;
mod directory;
mod file_copy;
mod inode;
mod log;
mod mount;
mod path;
pub mod program_file;

use abi::file_system::{ROOT_INODE, SuperBlock};

use crate::sync::SpinLock;

pub use inode::{Inode, InodeReference};
pub use log::transaction;
pub use mount::mount;
pub use path::{create, find, link, unlink};

/// An operation cannot be done: there is no such file or no room, or the disk is damaged. The user
/// is not told which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed;

static SUPER: SpinLock<SuperBlock> = SpinLock::new(
    &"superblock",
    SuperBlock {
        magic: 0,
        size: 0,
        data_blocks: 0,
        inodes: 0,
        log_blocks: 0,
        log_start: 0,
        inode_start: 0,
        bitmap_start: 0,
    },
);

/// The disk's layout, which [`mount`] has found sensible.
fn layout() -> SuperBlock {
    *SUPER.lock()
}

/// Checks a block number that an inode on the disk names.
///
/// # Errors
/// It is not the number of a data block.
fn data_block(block: u32) -> Result<u32, Failed> {
    if layout().data_area().contains(&block) {
        Ok(block)
    } else {
        Err(Failed)
    }
}

/// The root directory.
pub fn root() -> InodeReference {
    match inode::get(ROOT_INODE) {
        Ok(root) => root,
        Err(Failed) => panic!("the inode table is full before the first process runs"),
    }
}
