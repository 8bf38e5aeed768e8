//! Why an image could not be read or changed.

use abi::file_system::{MAGIC, NAME_SIZE};

/// Why an image could not be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Too short to hold a superblock.
    #[error("the image has {0} bytes, too few for a superblock; is it an xv6 image?")]
    TooShort(usize),
    /// The superblock does not begin with xv6's magic number.
    #[error("not an xv6 file system: the superblock begins with {0:#x}, not {MAGIC:#x}")]
    NotXv6(u32),
    /// The superblock says that there are more blocks than the image holds.
    #[error("the image is too short: its superblock says {said} blocks, but the file has {held}")]
    CutShort {
        /// Blocks by the superblock.
        said: u32,
        /// Whole blocks in the image.
        held: u64,
    },
    /// The superblock's areas overlap or leave the image.
    #[error("the superblock contradicts itself: {0}")]
    BadLayout(&'static str),
    /// The log's header is not one that a kernel could have written.
    #[error("the log's header is damaged")]
    BadLog,
    /// An inode points outside the data area.
    #[error("inode {inode} points to block {block}, which is not a data block")]
    BadBlock {
        /// The inode.
        inode: u32,
        /// What it points to.
        block: u32,
    },
    /// An inode number outside the inode table.
    #[error("there is no inode {0}")]
    NoSuchInode(u32),
    /// An inode's size exceeds what its block addresses can hold.
    #[error("inode {inode} claims {size} bytes; no file has more than {most}")]
    BadSize {
        /// The inode.
        inode: u32,
        /// Its size.
        size: u32,
        /// The size of the largest file.
        most: usize,
    },
    /// A path does not exist.
    #[error("{0}: no such file or directory")]
    NotFound(String),
    /// A path's parent is not a directory.
    #[error("{0}: not a directory")]
    NotADirectory(String),
    /// The operation is for files only.
    #[error("{0}: not a file")]
    NotAFile(String),
    /// The name exists already.
    #[error("{0}: exists already")]
    Exists(String),
    /// An unusable name.
    #[error("{0:?} is not a file name: a name has 1 to {NAME_SIZE} bytes, and no '/' or zero byte")]
    BadName(String),
    /// More bytes than a file can hold.
    #[error("{name}: {size} bytes, but a file holds at most {most}")]
    TooLarge {
        /// The file.
        name: String,
        /// The size asked for.
        size: usize,
        /// The size of the largest file.
        most: usize,
    },
    /// No free block is left.
    #[error("the image is full: no free block is left; build it with more blocks")]
    OutOfBlocks,
    /// No free inode is left.
    #[error("the image is full: no free inode is left; build it with more inodes")]
    OutOfInodes,
}
