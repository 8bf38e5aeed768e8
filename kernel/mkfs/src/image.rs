//! An image in memory: its blocks, its superblock, its inodes.

use abi::file_system::{BLOCK_SIZE, DIRECT_BLOCKS, DiskInode, MAGIC, SUPER_BLOCK, SuperBlock};

use crate::Error;

/// An xv6 file-system image.
#[derive(Clone, Debug)]
pub struct Image {
    pub(crate) bytes: Vec<u8>,
    pub(crate) layout: SuperBlock,
    block_bytes: usize,
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
        let mut image = Image::unchecked(bytes.into())?;
        image.install_log()?;
        image.direct_blocks = image.count_direct_blocks()?;
        Ok(image)
    }

    /// The same, but what was committed to the log and not yet installed is left out.
    ///
    /// # Errors
    /// Those of [`Image::open`], except for a log that contradicts itself.
    pub fn open_without_log(bytes: impl Into<Vec<u8>>) -> Result<Image, Error> {
        let mut image = Image::unchecked(bytes.into())?;
        image.direct_blocks = image.count_direct_blocks()?;
        Ok(image)
    }

    /// An image of which only the superblock was checked.
    fn unchecked(bytes: Vec<u8>) -> Result<Image, Error> {
        let block_bytes = block_bytes(&bytes).unwrap_or(BLOCK_SIZE);
        let layout = super_block(&bytes, block_bytes).ok_or(Error::TooShort(bytes.len()))?;
        check_layout(&layout, block_bytes, bytes.len())?;
        Ok(Image {
            bytes,
            layout,
            block_bytes,
            direct_blocks: DIRECT_BLOCKS,
        })
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

    /// Bytes of a block: [`BLOCK_SIZE`] in xv6 itself, more in some kernels made from it.
    pub fn block_bytes(&self) -> usize {
        self.block_bytes
    }

    pub(crate) fn inodes_per_block(&self) -> usize {
        self.block_bytes / DiskInode::SIZE
    }

    pub(crate) fn bits_per_block(&self) -> usize {
        self.block_bytes * 8
    }

    pub(crate) fn addresses_per_block(&self) -> usize {
        self.block_bytes / size_of::<u32>()
    }

    /// Block `number`, which the caller has checked against the layout, and that was checked against the image.
    pub(crate) fn block(&self, number: u32) -> &[u8] {
        let start = number as usize * self.block_bytes;
        &self.bytes[start..start + self.block_bytes]
    }

    /// Block `number`, which the caller has checked against the layout, for writing.
    pub(crate) fn block_mut(&mut self, number: u32) -> &mut [u8] {
        let start = number as usize * self.block_bytes;
        &mut self.bytes[start..start + self.block_bytes]
    }

    fn inode_place(&self, number: u32) -> Result<(u32, usize), Error> {
        if number == 0 || number >= self.layout.inodes {
            return Err(Error::NoSuchInode(number));
        }
        let per_block = self.inodes_per_block();
        // The layout was checked: no inode lies beyond the last block.
        let block = self.layout.inode_start + number / per_block as u32;
        let offset = number as usize % per_block * DiskInode::SIZE;
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
        let header = self.block(self.layout.log_start).to_vec();
        let homes = self.layout.logged_blocks(&header).ok_or(Error::BadLog)?;
        for (position, home) in (self.layout.log_start + 1..).zip(homes) {
            let logged = self.block(position).to_vec();
            self.block_mut(home).copy_from_slice(&logged);
        }
        self.block_mut(self.layout.log_start)[..4].fill(0);
        Ok(())
    }
}

/// The sizes of blocks that are looked for: xv6's first, and of the others the likely ones.
pub(crate) const BLOCK_SIZES: [usize; 5] = [BLOCK_SIZE, 4096, 2048, 512, 8192];

/// The superblock of an image with blocks of this many bytes; `None` if the image is too short for one.
fn super_block(bytes: &[u8], block_bytes: usize) -> Option<SuperBlock> {
    let rest = bytes.get(SUPER_BLOCK as usize * block_bytes..)?;
    rest.first_chunk().map(SuperBlock::decode)
}

/// The size of blocks with which the second one is a superblock.
fn block_bytes(bytes: &[u8]) -> Option<usize> {
    let begins_so = |size: &usize| {
        let header = super_block(bytes, *size);
        header.is_some_and(|header| header.magic == MAGIC)
    };
    BLOCK_SIZES.into_iter().find(begins_so)
}

/// Checks that the areas follow one another and fit the image.
fn check_layout(layout: &SuperBlock, block_bytes: usize, bytes: usize) -> Result<(), Error> {
    if layout.magic != MAGIC {
        return Err(Error::NotXv6(layout.magic));
    }
    let held = (bytes / block_bytes) as u64;
    if u64::from(layout.size) > held {
        return Err(Error::CutShort {
            said: layout.size,
            held,
        });
    }
    match layout.contradiction_in_blocks_of(block_bytes) {
        None => Ok(()),
        Some(contradiction) => Err(Error::BadLayout(contradiction)),
    }
}
