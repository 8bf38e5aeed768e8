//! Free blocks and free inodes on the disk.

use core::ops::Range;

use abi::file_system::{BITS_PER_BLOCK, BLOCK_SIZE, DiskInode, INODES_PER_BLOCK, Kind};

use super::inode::{InodeReference, get as get_inode, place};
use super::{Failed, buffer, layout, log};

/// Takes a free block of the data area, zeroed.
///
/// # Errors
/// The disk is full.
pub(super) fn allocate_block() -> Result<u32, Failed> {
    const BITS: u32 = BITS_PER_BLOCK as u32;
    let layout = layout();
    let Range { mut start, end } = layout.data_area();
    while start < end {
        let mut bitmap = buffer::get(layout.bitmap_block(start).ok_or(Failed)?)?;
        let base = start / BITS * BITS;
        let bits = (start - base) as usize..(end - base).min(BITS) as usize;
        if let Some(bit) = first_free(bitmap.bytes(), bits) {
            let block = base + bit as u32;
            zero(block)?;
            bitmap.bytes_mut()[bit / 8] |= 1 << (bit % 8);
            log::write(&bitmap);
            return Ok(block);
        }
        start = base + BITS;
    }
    Err(Failed)
}

/// The first bit in `range` that is clear.
fn first_free(bitmap: &[u8; BLOCK_SIZE], range: Range<usize>) -> Option<usize> {
    let mut bit = range.start;
    while bit < range.end {
        let byte = bit / 8;
        // Those before `bit` count as taken.
        let taken = bitmap[byte] | ((1 << (bit % 8)) - 1);
        if taken != u8::MAX {
            let free = byte * 8 + taken.trailing_ones() as usize;
            return (free < range.end).then_some(free);
        }
        bit = (byte + 1) * 8;
    }
    None
}

fn zero(block: u32) -> Result<(), Failed> {
    let mut buffer = buffer::get(block)?;
    *buffer.bytes_mut() = [0; BLOCK_SIZE];
    log::write(&buffer);
    Ok(())
}

/// Frees a block.
///
/// # Errors
/// It is not a data block in use, or its bitmap cannot be read.
pub(super) fn free_block(block: u32) -> Result<(), Failed> {
    let layout = layout();
    if !layout.data_area().contains(&block) {
        return Err(Failed);
    }
    let mut bitmap = buffer::get(layout.bitmap_block(block).ok_or(Failed)?)?;
    let bit = block as usize % BITS_PER_BLOCK;
    let (byte, mask) = (&mut bitmap.bytes_mut()[bit / 8], 1 << (bit % 8));
    if *byte & mask == 0 {
        return Err(Failed);
    }
    *byte &= !mask;
    log::write(&bitmap);
    Ok(())
}

/// Takes a free inode and makes it one of `kind`, without names or contents.
///
/// # Errors
/// All inodes are in use.
pub(super) fn allocate_inode(kind: Kind) -> Result<InodeReference, Failed> {
    let inodes = layout().inodes;
    for first in (0..inodes).step_by(INODES_PER_BLOCK) {
        let (block, _) = place(first)?;
        let mut buffer = buffer::get(block)?;
        let last = inodes.min(first + INODES_PER_BLOCK as u32);
        for number in first.max(1)..last {
            let (_, offset) = place(number)?;
            let bytes = &mut buffer.bytes_mut()[offset..offset + DiskInode::SIZE];
            let in_use = bytes.iter().take(2).any(|&byte| byte != 0);
            if !in_use {
                // Before the inode is marked: there may be no room for another one in memory.
                let reference = get_inode(number)?;
                let inode = DiskInode {
                    kind: kind as u16,
                    ..DiskInode::default()
                };
                bytes.copy_from_slice(&inode.encode());
                log::write(&buffer);
                return Ok(reference);
            }
        }
    }
    Err(Failed)
}
