//! All inodes of an image, and what they hold.

use abi::file_system::{DiskInode, Kind};

use crate::{Error, Image};

/// An inode that is in use, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub inode: u32,
    /// What it is.
    pub kind: Kind,
    /// A device's major number; else 0.
    pub major: u16,
    /// Directory entries that name it.
    pub links: u16,
    /// Its bytes; those of a directory are its entries.
    pub bytes: Vec<u8>,
}

impl Image {
    /// Every inode in use, in the order of their numbers.
    ///
    /// # Errors
    /// The image is damaged.
    pub fn nodes(&self) -> Result<Vec<Node>, Error> {
        let mut nodes = Vec::new();
        for number in 1..self.super_block().inodes {
            let DiskInode {
                kind, major, links, ..
            } = self.inode(number)?;
            let Some(kind) = Kind::from_number(kind).filter(|kind| *kind != Kind::Free) else {
                continue;
            };
            nodes.push(Node {
                inode: number,
                kind,
                major,
                links,
                bytes: self.read_inode_data(number)?,
            });
        }
        Ok(nodes)
    }
}
