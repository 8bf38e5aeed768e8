//! Free memory: a list of blocks in the order of their addresses, no two of them adjacent.
//!
//! A block that is in use begins with its size too, in the 16 bytes before what its user gets.

use core::ptr::{self, NonNull};

/// Every block begins at a multiple of this, and so does its user's part.
pub const ALIGNMENT: usize = 16;

/// How a block begins.
#[repr(C, align(16))]
struct Block {
    /// Bytes, these included.
    size: usize,
    /// The next free block, or null; nothing in a block that is in use.
    next: *mut Block,
}

const HEADER: usize = size_of::<Block>();
const _: () = assert!(HEADER == ALIGNMENT);

/// The list.
pub struct FreeList {
    first: *mut Block,
}

impl FreeList {
    /// An empty list.
    pub const fn new() -> FreeList {
        FreeList {
            first: ptr::null_mut(),
        }
    }

    /// How many bytes are enough for a block for `size` bytes at a multiple of `alignment`, at any
    /// address.
    pub fn enough_for(size: usize, alignment: usize) -> Option<usize> {
        block_size(size)?
            .checked_add(alignment)?
            .checked_add(ALIGNMENT)
    }

    /// Takes `size` bytes at a multiple of `alignment`, a power of two, out of the first block that
    /// holds them.
    pub fn take(&mut self, size: usize, alignment: usize) -> Option<NonNull<u8>> {
        let size = block_size(size)?;
        let mut link = &raw mut self.first;
        loop {
            // SAFETY: `link` is the list's head or part of a free block, which is ours alone.
            let block = unsafe { *link };
            if block.is_null() {
                return None;
            }
            // SAFETY: `link` leads to `block`, which is free, and no reference to it is kept.
            if let Some(found) = unsafe { carve(link, size, alignment.max(ALIGNMENT)) } {
                return Some(found);
            }
            // SAFETY: as above.
            link = unsafe { &raw mut (*block).next };
        }
    }

    /// Makes memory free that `take` gave.
    ///
    /// # Safety
    /// It was not given back yet, and is not used any more.
    pub unsafe fn give_back(&mut self, memory: NonNull<u8>) {
        // SAFETY: what `take` gave has its header before it, which nothing else writes.
        unsafe {
            let block = memory.as_ptr().sub(HEADER);
            self.add(block, (*block.cast::<Block>()).size);
        }
    }

    /// Makes `size` bytes at `start` free, both multiples of [`ALIGNMENT`]: one block with the free
    /// ones that touch it.
    ///
    /// # Safety
    /// The bytes can be read and written, and belong to nobody.
    pub unsafe fn add(&mut self, start: *mut u8, mut size: usize) {
        let block = start.cast::<Block>();
        let mut before = ptr::null_mut::<Block>();
        let mut next = self.first;
        // SAFETY: the list's blocks are ours alone, and so are the new bytes.
        unsafe {
            while !next.is_null() && next < block {
                before = next;
                next = (*next).next;
            }
            let end = start.addr() + size;
            assert!(
                end_of(before) <= start.addr() && (next.is_null() || end <= next.addr()),
                "freed memory is freed again"
            );
            if end == next.addr() {
                size += (*next).size;
                next = (*next).next;
            }
            if end_of(before) == start.addr() {
                (*before).size += size;
                (*before).next = next;
            } else {
                block.write(Block { size, next });
                if before.is_null() {
                    self.first = block;
                } else {
                    (*before).next = block;
                }
            }
        }
    }
}

/// Bytes of a block whose user has `size` bytes.
fn block_size(size: usize) -> Option<usize> {
    size.checked_add(HEADER)?
        .checked_next_multiple_of(ALIGNMENT)
}

/// Where a free block ends; 0 for a null pointer.
///
/// # Safety
/// It is a block of the list, or null.
unsafe fn end_of(block: *mut Block) -> usize {
    if block.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise.
    block.addr() + unsafe { (*block).size }
}

/// Cuts a block of `size` bytes out of a free one, so that its user's part begins at a multiple of
/// `alignment`. What lies before and after it stays free. `None` if the free block is too small.
///
/// # Safety
/// `link` is the list's head or a `next` in it, and not null; nobody holds a reference to its
/// block.
unsafe fn carve(link: *mut *mut Block, size: usize, alignment: usize) -> Option<NonNull<u8>> {
    // SAFETY: the block is free, so it belongs to this function alone, and `before + size + behind`
    // is its size.
    unsafe {
        let block = *link;
        let Block { size: all, next } = block.read();
        let users = (block.addr() + HEADER).checked_next_multiple_of(alignment)?;
        let before = users - HEADER - block.addr();
        let behind = all.checked_sub(before.checked_add(size)?)?;
        let used = block.byte_add(before);
        let mut rest = next;
        if behind > 0 {
            rest = used.byte_add(size);
            rest.write(Block { size: behind, next });
        }
        if before > 0 {
            block.write(Block {
                size: before,
                next: rest,
            });
        } else {
            *link = rest;
        }
        used.write(Block {
            size,
            next: ptr::null_mut(),
        });
        NonNull::new(used.byte_add(HEADER).cast())
    }
}
