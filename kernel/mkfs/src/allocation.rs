//! Free blocks and free inodes.

use abi::file_system::{DiskInode, Kind};

use crate::{Error, Image};

impl Image {
    /// Whether the bitmap says that `block` is in use; the caller has checked its number.
    pub(crate) fn in_use(&self, block: u32) -> bool {
        let (bitmap, byte, mask) = self.bit(block);
        self.block(bitmap)[byte] & mask != 0
    }

    fn bit(&self, block: u32) -> (u32, usize, u8) {
        let bits = self.bits_per_block();
        let bit = block as usize % bits;
        let bitmap = self.layout.bitmap_start + block / bits as u32;
        (bitmap, bit / 8, 1 << (bit % 8))
    }

    pub(crate) fn set_in_use(&mut self, block: u32, in_use: bool) {
        let (bitmap, byte, mask) = self.bit(block);
        let byte = &mut self.block_mut(bitmap)[byte];
        if in_use {
            *byte |= mask;
        } else {
            *byte &= !mask;
        }
    }

    /// Data blocks that are free.
    pub fn free_blocks(&self) -> usize {
        self.layout
            .data_area()
            .filter(|&block| !self.in_use(block))
            .count()
    }

    /// Takes the lowest free data block, zeroed.
    pub(crate) fn allocate_block(&mut self) -> Result<u32, Error> {
        let block = self
            .layout
            .data_area()
            .find(|&block| !self.in_use(block))
            .ok_or(Error::OutOfBlocks)?;
        self.set_in_use(block, true);
        self.block_mut(block).fill(0);
        Ok(block)
    }

    /// Takes the lowest free inode. It is in use as soon as it is written with a kind.
    pub(crate) fn free_inode(&self) -> Result<u32, Error> {
        for number in 1..self.layout.inodes.min(1 << 16) {
            if self.inode(number)?.kind == Kind::Free as u16 {
                return Ok(number);
            }
        }
        Err(Error::OutOfInodes)
    }

    /// Frees an inode and its blocks.
    pub(crate) fn release_inode(&mut self, number: u32) -> Result<(), Error> {
        self.write_inode_data(number, &[])?;
        self.set_inode(number, &DiskInode::default())
    }
}
