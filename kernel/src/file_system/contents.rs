//! The bytes of an inode.

use abi::file_system::{
    BLOCK_SIZE, DIRECT_BLOCKS, INDIRECT_BLOCKS, MAX_FILE_BLOCKS, MAX_FILE_SIZE,
};

use super::allocation::{allocate_block, free_block};
use super::inode::Inode;
use super::program_file;
use super::{Failed, buffer, data_block, log};
use crate::memory::Frame;

/// A part of a file that lies in one block.
struct Part {
    /// Index of the block in the file.
    index: usize,
    /// Where the part begins in the block.
    start: usize,
    /// Its bytes.
    length: usize,
}

impl Part {
    /// The part at `offset`, of at most `length` bytes.
    fn at(offset: u32, length: usize) -> Part {
        let offset = offset as usize;
        let start = offset % BLOCK_SIZE;
        Part {
            index: offset / BLOCK_SIZE,
            start,
            length: length.min(BLOCK_SIZE - start),
        }
    }
}

impl Inode<'_> {
    /// The disk block that holds block `index` of the file; `None` if it was never written.
    ///
    /// # Errors
    /// The inode names a block that is not a data block, or its indirect block cannot be read.
    fn block(&self, index: usize) -> Result<Option<u32>, Failed> {
        let addresses = &self.cached.inode.addresses;
        let block = if index < DIRECT_BLOCKS {
            addresses[index]
        } else if index < MAX_FILE_BLOCKS && addresses[DIRECT_BLOCKS] != 0 {
            let indirect = buffer::get(data_block(addresses[DIRECT_BLOCKS])?)?;
            word(indirect.bytes(), index - DIRECT_BLOCKS)
        } else {
            0
        };
        match block {
            0 => Ok(None),
            block => data_block(block).map(Some),
        }
    }

    /// The same, after allocating the block if it was never written.
    fn block_to_write(&mut self, index: usize) -> Result<u32, Failed> {
        if let Some(block) = self.block(index)? {
            return Ok(block);
        }
        if index >= MAX_FILE_BLOCKS {
            return Err(Failed);
        }
        let addresses = &mut self.cached.inode.addresses;
        if index < DIRECT_BLOCKS {
            addresses[index] = allocate_block()?;
            return Ok(addresses[index]);
        }
        if addresses[DIRECT_BLOCKS] == 0 {
            addresses[DIRECT_BLOCKS] = allocate_block()?;
        }
        let mut buffer = buffer::get(addresses[DIRECT_BLOCKS])?;
        let block = allocate_block()?;
        let (words, _) = buffer.bytes_mut().as_chunks_mut();
        words[index - DIRECT_BLOCKS] = block.to_le_bytes();
        log::write(&buffer);
        Ok(block)
    }

    /// Hands the bytes from `offset` on, at most `length`, to `take`, block by block, and stops
    /// when `take` fails. Returns how many bytes were taken.
    pub fn read(
        &mut self,
        offset: u32,
        length: u32,
        mut take: impl FnMut(usize, &[u8]) -> Result<(), Failed>,
    ) -> Result<usize, Failed> {
        let size = self.size();
        if offset > size || offset.checked_add(length).is_none() {
            return Ok(0);
        }
        let length = length.min(size - offset) as usize;
        let mut done = 0;
        while done < length {
            let part = Part::at(offset + done as u32, length - done);
            let taken = match self.block(part.index)? {
                Some(block) => {
                    let buffer = buffer::get(block)?;
                    take(done, &buffer.bytes()[part.start..part.start + part.length])
                }
                None => take(done, &[0; BLOCK_SIZE][..part.length]),
            };
            if taken.is_err() {
                return match done {
                    0 => Err(Failed),
                    done => Ok(done),
                };
            }
            done += part.length;
        }
        Ok(done)
    }

    /// Fills `bytes` from `offset` on.
    ///
    /// # Errors
    /// The file is too short, or cannot be read.
    pub fn read_exact(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Failed> {
        let wanted = bytes.len();
        let done = self.read(offset, wanted as u32, |position, part| {
            bytes[position..position + part.len()].copy_from_slice(part);
            Ok(())
        })?;
        if done == wanted { Ok(()) } else { Err(Failed) }
    }

    /// Fills the first `length` bytes of `frame` from `offset` on.
    ///
    /// # Errors
    /// The file is too short, or cannot be read.
    pub fn read_frame(&mut self, offset: u32, frame: Frame, length: usize) -> Result<(), Failed> {
        let done = self.read(offset, length as u32, |position, part| {
            frame.write(position, part);
            Ok(())
        })?;
        if done == length { Ok(()) } else { Err(Failed) }
    }

    /// Writes `length` bytes from `offset` on, which is at most the file's size; `fill` puts them
    /// into the block. Returns how many were written: fewer if the disk is full, a block is bad, or
    /// `fill` fails.
    ///
    /// # Errors
    /// The file would have a gap or be too large, or cannot be copied for a program that runs from
    /// it.
    pub fn write(
        &mut self,
        offset: u32,
        length: usize,
        mut fill: impl FnMut(usize, &mut [u8]) -> Result<(), Failed>,
    ) -> Result<usize, Failed> {
        let end = (offset as usize).checked_add(length).ok_or(Failed)?;
        if offset > self.size() || end > MAX_FILE_SIZE {
            return Err(Failed);
        }
        program_file::preserve(self)?;
        let mut done = 0;
        while done < length {
            let part = Part::at(offset + done as u32, length - done);
            let Ok(mut buffer) = self.block_to_write(part.index).and_then(buffer::get) else {
                break;
            };
            let bytes = &mut buffer.bytes_mut()[part.start..part.start + part.length];
            let filled = fill(done, bytes);
            // Even a block that was filled in part has changed.
            log::write(&buffer);
            if filled.is_err() {
                break;
            }
            done += part.length;
        }
        let reached = offset + done as u32;
        if reached > self.size() {
            self.cached.inode.size = reached;
        }
        // Blocks may have been added even if the size is the same.
        self.update()?;
        Ok(done)
    }

    /// Removes the contents.
    ///
    /// # Errors
    /// The file cannot be copied for a program that runs from it; then nothing has changed. Or a
    /// block is bad; then the others are free.
    pub fn truncate(&mut self) -> Result<(), Failed> {
        program_file::preserve(self)?;
        let addresses = core::mem::take(&mut self.cached.inode.addresses);
        self.cached.inode.size = 0;
        let updated = self.update();
        let indirect = match addresses[DIRECT_BLOCKS] {
            0 => Ok(()),
            block => data_block(block)
                .and_then(buffer::get)
                .and_then(|indirect| {
                    free_all((0..INDIRECT_BLOCKS).map(|index| word(indirect.bytes(), index)))
                }),
        };
        updated.and(indirect).and(free_all(addresses.into_iter()))
    }
}

/// Frees all of `blocks` except the zeros among them.
fn free_all(blocks: impl Iterator<Item = u32>) -> Result<(), Failed> {
    let mut result = Ok(());
    for block in blocks.filter(|&block| block != 0) {
        result = result.and(free_block(block));
    }
    result
}

/// Word `index` of an indirect block.
fn word(bytes: &[u8; BLOCK_SIZE], index: usize) -> u32 {
    let (words, _) = bytes.as_chunks();
    words.get(index).map_or(0, |word| u32::from_le_bytes(*word))
}
