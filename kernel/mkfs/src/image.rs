//! An image in memory: its blocks, its superblock, its inodes.

use abi::file_system::{
    BLOCK_SIZE, DIRECT_BLOCKS, DiskInode, INODES_PER_BLOCK, MAGIC, SUPER_BLOCK, SuperBlock,
};

use crate::Error;

/// An xv6 file-system image.
#[derive(Clone, Debug)]
pub struct Image {
    pub(crate) bytes: Vec<u8>,
    pub(crate) layout: SuperBlock,
    /// How many of an inode's addresses are of data blocks.
    pub(crate) direct_blocks: usize,
}

impl Image {
    /// Takes `bytes` for an image, after a check of its superblock. A transaction that was
    /// committed to the log but not yet installed is installed, as a booting kernel would do.
    ///
    /// # Errors
    /// Not an xv6 image, cut short, or with a superblock or log that contradicts itself.
    pub fn open(bytes: impl Into<Vec<u8>>) -> Result<Image, Error> {
        let bytes = bytes.into();
        let start = SUPER_BLOCK as usize * BLOCK_SIZE;
        let header = bytes
            .get(start..)
            .and_then(|rest| rest.first_chunk())
            .ok_or(Error::TooShort(bytes.len()))?;
        let layout = SuperBlock::decode(header);
        if let Some(other) = other_block_size(&bytes).filter(|_| layout.magic != MAGIC) {
            return Err(Error::OtherBlocks(other));
        }
        check_layout(&layout, bytes.len())?;
        let mut image = Image {
            bytes,
            layout,
            direct_blocks: DIRECT_BLOCKS,
        };
        image.install_log()?;
        image.direct_blocks = image.count_direct_blocks()?;
        Ok(image)
    }

    /// The image's bytes, as a disk holds them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The image's bytes, as a disk holds them.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The image's superblock.
    pub fn super_block(&self) -> &SuperBlock {
        &self.layout
    }

    /// Block `number`, which the caller has checked against the layout.
    pub(crate) fn block(&self, number: u32) -> &[u8; BLOCK_SIZE] {
        let start = number as usize * BLOCK_SIZE;
        self.bytes[start..]
            .first_chunk()
            .expect("block numbers are checked against the superblock, and that against the image")
    }

    /// Block `number`, which the caller has checked against the layout, for writing.
    pub(crate) fn block_mut(&mut self, number: u32) -> &mut [u8; BLOCK_SIZE] {
        let start = number as usize * BLOCK_SIZE;
        self.bytes[start..]
            .first_chunk_mut()
            .expect("block numbers are checked against the superblock, and that against the image")
    }

    fn inode_place(&self, number: u32) -> Result<(u32, usize), Error> {
        let block = self
            .layout
            .inode_block(number)
            .filter(|_| number != 0)
            .ok_or(Error::NoSuchInode(number))?;
        let offset = number as usize % INODES_PER_BLOCK * DiskInode::SIZE;
        Ok((block, offset))
    }

    pub(crate) fn inode(&self, number: u32) -> Result<DiskInode, Error> {
        let (block, offset) = self.inode_place(number)?;
        let bytes = self.block(block)[offset..]
            .first_chunk()
            .expect("inodes do not straddle blocks");
        Ok(DiskInode::decode(bytes))
    }

    pub(crate) fn set_inode(&mut self, number: u32, inode: &DiskInode) -> Result<(), Error> {
        let (block, offset) = self.inode_place(number)?;
        self.block_mut(block)[offset..offset + DiskInode::SIZE].copy_from_slice(&inode.encode());
        Ok(())
    }

    /// Copies a committed transaction from the log to its home blocks and empties the log.
    fn install_log(&mut self) -> Result<(), Error> {
        if self.layout.log_blocks == 0 {
            return Ok(());
        }
        let header = *self.block(self.layout.log_start);
        let homes = self.layout.logged_blocks(&header).ok_or(Error::BadLog)?;
        for (position, home) in (self.layout.log_start + 1..).zip(homes) {
            *self.block_mut(home) = *self.block(position);
        }
        self.block_mut(self.layout.log_start)[..4].fill(0);
        Ok(())
    }
}

/// The size of blocks with which the second one would be a superblock.
fn other_block_size(bytes: &[u8]) -> Option<usize> {
    const SIZES: [usize; 4] = [512, 2048, 4096, 8192];
    let begins_so = |size: &usize| {
        let header = bytes.get(*size..).and_then(|rest| rest.first_chunk());
        header.is_some_and(|header| SuperBlock::decode(header).magic == MAGIC)
    };
    SIZES.into_iter().find(begins_so)
}

/// Checks that the areas follow one another and fit the image.
fn check_layout(layout: &SuperBlock, bytes: usize) -> Result<(), Error> {
    if layout.magic != MAGIC {
        return Err(Error::NotXv6(layout.magic));
    }
    let held = (bytes / BLOCK_SIZE) as u64;
    if u64::from(layout.size) > held {
        return Err(Error::CutShort {
            said: layout.size,
            held,
        });
    }
    match layout.contradiction() {
        None => Ok(()),
        Some(contradiction) => Err(Error::BadLayout(contradiction)),
    }
}
