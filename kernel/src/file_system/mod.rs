//! The file system: blocks cached in buffers, changes made whole by a log, inodes, directories.

mod allocation;
mod buffer;
mod contents;
mod directory;
mod inode;
mod log;
mod path;

use abi::file_system::{MAGIC, ROOT_INODE, SUPER_BLOCK, SuperBlock};

use crate::sync::SpinLock;

pub use inode::{Inode, InodeReference};
pub use log::transaction;
pub use path::{create, find, link, unlink};

/// An operation cannot be done: no such file, no room, a damaged disk. The user learns no more.
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

/// Reads the superblock, and finishes a transaction that a crash cut short. Once, by the first
/// process.
///
/// # Panics
/// If the disk holds no xv6 file system: there is nothing to run then.
pub fn mount() {
    let Ok(buffer) = buffer::get(SUPER_BLOCK) else {
        panic!("the disk cannot be read");
    };
    let Some(bytes) = buffer.bytes().first_chunk() else {
        unreachable!("a superblock is smaller than a block");
    };
    let layout = SuperBlock::decode(bytes);
    assert!(layout.magic == MAGIC, "the disk holds no xv6 file system");
    *SUPER.lock() = layout;
    drop(buffer);
    assert!(log::recover(&layout).is_ok(), "the disk's log is damaged");
}

/// The disk's layout.
fn layout() -> SuperBlock {
    *SUPER.lock()
}

/// The root directory.
pub fn root() -> InodeReference {
    match inode::get(ROOT_INODE) {
        Ok(root) => root,
        Err(Failed) => panic!("the inode table is full before the first process runs"),
    }
}
