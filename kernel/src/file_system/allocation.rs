//! Free blocks and free inodes on the disk.

use abi::file_system::{BITS_PER_BLOCK, BLOCK_SIZE, DiskInode, INODES_PER_BLOCK, Kind};

use super::inode::{InodeReference, get as get_inode, place};
use super::{Failed, buffer, layout, log};

/// Takes a free block, zeroed.
///
/// # Errors
/// The disk is full.
pub(super) fn allocate_block() -> Result<u32, Failed> {
    let layout = layout();
    let mut base = 0;
    while base < layout.size {
        let mut bitmap = buffer::get(layout.bitmap_block(base).ok_or(Failed)?)?;
        let bits = (layout.size - base).min(BITS_PER_BLOCK as u32) as usize;
        let free = bitmap.bytes().iter().position(|&byte| byte != u8::MAX);
        if let Some(byte) = free {
            let bit = bitmap.bytes()[byte].trailing_ones() as usize;
            if byte * 8 + bit < bits {
                bitmap.bytes_mut()[byte] |= 1 << bit;
                log::write(&bitmap);
                drop(bitmap);
                let block = base + (byte * 8 + bit) as u32;
                return zero(block).map(|()| block);
            }
        }
        base += BITS_PER_BLOCK as u32;
    }
    Err(Failed)
}

fn zero(block: u32) -> Result<(), Failed> {
    let mut buffer = buffer::get(block)?;
    *buffer.bytes_mut() = [0; BLOCK_SIZE];
    log::write(&buffer);
    Ok(())
}

/// Gives a block back.
///
/// # Errors
/// The disk has no such block, or cannot read its bitmap.
pub(super) fn free_block(block: u32) -> Result<(), Failed> {
    let mut bitmap = buffer::get(layout().bitmap_block(block).ok_or(Failed)?)?;
    let bit = block as usize % BITS_PER_BLOCK;
    bitmap.bytes_mut()[bit / 8] &= !(1 << (bit % 8));
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
                let inode = DiskInode {
                    kind: kind as u16,
                    ..DiskInode::default()
                };
                bytes.copy_from_slice(&inode.encode());
                log::write(&buffer);
                drop(buffer);
                return get_inode(number);
            }
        }
    }
    Err(Failed)
}
