//! The bytes of an inode: reading them, and replacing them.

use abi::file_system::{DIRECT_BLOCKS, DiskInode, Kind};

use crate::{Error, Image};

impl Image {
    /// How many of an inode's addresses name data blocks; the next one names the indirect block.
    /// In solutions of the course's lab on file systems there is one data block fewer than in xv6,
    /// and the last address names a block of indirect blocks. This is such an image if a file that
    /// needs more than the direct blocks of xv6 has no last address.
    pub(crate) fn count_direct_blocks(&self) -> Result<usize, Error> {
        let fewer = DIRECT_BLOCKS - 1;
        let block_bytes = self.block_bytes();
        let most = (fewer + self.addresses_per_block()) * block_bytes;
        let large = DIRECT_BLOCKS * block_bytes..most;
        for number in 1..self.layout.inodes {
            let inode = self.inode(number)?;
            let needs_indirect = inode.kind == Kind::File as u16
                && large.contains(&(inode.size as usize).saturating_sub(1));
            if needs_indirect {
                let is_lab = inode.addresses[fewer] != 0 && inode.addresses[DIRECT_BLOCKS] == 0;
                return Ok(if is_lab { fewer } else { DIRECT_BLOCKS });
            }
        }
        Ok(DIRECT_BLOCKS)
    }

    /// The most bytes that a file has without a block of indirect blocks.
    pub(crate) fn largest_file(&self) -> usize {
        (self.direct_blocks + self.addresses_per_block()) * self.block_bytes()
    }

    /// The block addresses of an inode's data, in order; 0 for a block never written.
    pub(crate) fn data_blocks(&self, number: u32, inode: &DiskInode) -> Result<Vec<u32>, Error> {
        if inode.size as usize > self.largest_file() {
            return Err(Error::BadSize {
                inode: number,
                size: inode.size,
                most: self.largest_file(),
            });
        }
        let count = (inode.size as usize).div_ceil(self.block_bytes());
        let direct = self.direct_blocks;
        let mut blocks = inode.addresses[..direct.min(count)].to_vec();
        if count > direct {
            let indirect = self.indirect_addresses(number, inode.addresses[direct])?;
            blocks.extend_from_slice(&indirect[..count - direct]);
        }
        match blocks
            .iter()
            .find(|&&block| block != 0 && !self.layout.data_area().contains(&block))
        {
            Some(&block) => Err(Error::BadBlock {
                inode: number,
                block,
            }),
            None => Ok(blocks),
        }
    }

    pub(crate) fn indirect_addresses(&self, inode: u32, block: u32) -> Result<Vec<u32>, Error> {
        if block == 0 {
            return Ok(vec![0; self.addresses_per_block()]);
        }
        if !self.layout.data_area().contains(&block) {
            return Err(Error::BadBlock { inode, block });
        }
        let (words, _) = self.block(block).as_chunks();
        Ok(words.iter().copied().map(u32::from_le_bytes).collect())
    }

    pub(crate) fn read_inode_data(&self, number: u32) -> Result<Vec<u8>, Error> {
        let inode = self.inode(number)?;
        let blocks = self.data_blocks(number, &inode)?;
        let mut bytes = Vec::with_capacity(blocks.len() * self.block_bytes());
        for block in blocks {
            match block {
                0 => bytes.resize(bytes.len() + self.block_bytes(), 0),
                block => bytes.extend_from_slice(self.block(block)),
            }
        }
        bytes.truncate(inode.size as usize);
        Ok(bytes)
    }

    /// Makes `bytes` the contents of an inode; on an error the inode keeps no contents.
    pub(crate) fn write_inode_data(&mut self, number: u32, bytes: &[u8]) -> Result<(), Error> {
        let mut inode = self.inode(number)?;
        self.release_blocks(number, &inode)?;
        inode.addresses = [0; DIRECT_BLOCKS + 1];
        inode.size = 0;
        self.set_inode(number, &inode)?;
        self.fill_blocks(number, &mut inode, bytes)?;
        inode.size = bytes.len() as u32;
        self.set_inode(number, &inode)
    }

    fn release_blocks(&mut self, number: u32, inode: &DiskInode) -> Result<(), Error> {
        let indirect = inode.addresses[self.direct_blocks];
        let mut blocks = inode.addresses.to_vec();
        blocks.extend(self.indirect_addresses(number, indirect)?);
        for block in blocks.into_iter().filter(|&block| block != 0) {
            if !self.layout.data_area().contains(&block) {
                return Err(Error::BadBlock {
                    inode: number,
                    block,
                });
            }
            self.set_in_use(block, false);
        }
        Ok(())
    }

    /// Stores `bytes` in new blocks of an inode that has none, or gives all of them back.
    fn fill_blocks(
        &mut self,
        number: u32,
        inode: &mut DiskInode,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let mut taken = Vec::new();
        let result = self.take_blocks(bytes.len(), &mut taken);
        if let Err(error) = result {
            for block in taken {
                self.set_in_use(block, false);
            }
            return Err(error);
        }
        let direct = self.direct_blocks;
        let mut taken = taken.into_iter();
        for (index, chunk) in bytes.chunks(self.block_bytes()).enumerate() {
            if index == direct {
                inode.addresses[direct] = taken.next().ok_or(Error::OutOfBlocks)?;
            }
            let block = taken.next().ok_or(Error::OutOfBlocks)?;
            self.block_mut(block)[..chunk.len()].copy_from_slice(chunk);
            match index.checked_sub(direct) {
                None => inode.addresses[index] = block,
                Some(slot) => {
                    let indirect = self.block_mut(inode.addresses[direct]);
                    indirect[slot * 4..slot * 4 + 4].copy_from_slice(&block.to_le_bytes());
                }
            }
        }
        self.set_inode(number, inode)
    }

    /// Allocates what `length` bytes need: data blocks, and the indirect block before the first
    /// data block that it names.
    fn take_blocks(&mut self, length: usize, taken: &mut Vec<u32>) -> Result<(), Error> {
        if length > self.largest_file() {
            return Err(Error::OutOfBlocks);
        }
        let data = length.div_ceil(self.block_bytes());
        let count = data + usize::from(data > self.direct_blocks);
        for _ in 0..count {
            taken.push(self.allocate_block()?);
        }
        Ok(())
    }
}
