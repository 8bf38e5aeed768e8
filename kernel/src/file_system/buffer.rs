//! The buffer cache: disk blocks in memory, one copy of each, one user at a time.

use abi::file_system::BLOCK_SIZE;

use super::Failed;
use crate::devices::virtio_block::{Block, Direction, transfer};
use crate::scheduling::sleep::{Channel, sleep, wake};
use crate::scheduling::{SleepGuard, SleepLock};
use crate::sync::SpinLock;

/// Twice what the log can pin, so that pinned buffers never use up the cache.
const BUFFERS: usize = 2 * abi::limits::BUFFERS;

/// Which block a buffer is for, and how many use it.
#[derive(Clone, Copy)]
struct Tag {
    /// `None` if it was never used.
    block: Option<u32>,
    /// Users, waiting ones and the log included; only a buffer without any may be reused.
    users: u16,
    /// When it was last given up: the buffer unused for longest is reused first.
    last_use: u64,
}

struct Cache {
    tags: [Tag; BUFFERS],
    uses: u64,
}

struct Contents {
    /// The block whose bytes these are.
    block: Option<u32>,
    bytes: Block,
}

static CACHE: SpinLock<Cache> = SpinLock::new(
    &"buffers",
    Cache {
        tags: [Tag {
            block: None,
            users: 0,
            last_use: 0,
        }; BUFFERS],
        uses: 0,
    },
);

static CONTENTS: [SleepLock<Contents>; BUFFERS] = [const {
    SleepLock::new(Contents {
        block: None,
        bytes: Block::zeroed(),
    })
}; BUFFERS];

/// A disk block in memory, for this user alone until dropped.
pub struct Buffer {
    index: usize,
    block: u32,
    /// `None` only while it is dropped.
    contents: Option<SleepGuard<'static, Contents>>,
}

/// Names the buffer for `block`, adding a user; waits for a free one.
fn claim(block: u32) -> usize {
    let mut cache = CACHE.lock();
    loop {
        let tags = &mut cache.tags;
        let found = match tags.iter().position(|tag| tag.block == Some(block)) {
            Some(index) => Some(index),
            None => (0..BUFFERS)
                .filter(|&index| tags[index].users == 0)
                .min_by_key(|&index| tags[index].last_use),
        };
        if let Some(index) = found {
            tags[index].block = Some(block);
            tags[index].users += 1;
            return index;
        }
        cache = sleep(Channel::of(&CACHE), cache);
    }
}

fn release(index: usize) {
    let mut cache = CACHE.lock();
    cache.uses += 1;
    let uses = cache.uses;
    let tag = &mut cache.tags[index];
    tag.users -= 1;
    tag.last_use = uses;
    if tag.users == 0 {
        wake(Channel::of(&CACHE));
    }
}

/// The block with that number, read from the disk if it is not in memory.
///
/// # Errors
/// The disk cannot read it.
pub fn get(block: u32) -> Result<Buffer, Failed> {
    let index = claim(block);
    let mut buffer = Buffer {
        index,
        block,
        contents: Some(CONTENTS[index].lock()),
    };
    let contents = buffer.contents();
    if contents.block != Some(block) {
        contents.block = None;
        transfer(block, &mut contents.bytes, Direction::Read).map_err(|_| Failed)?;
        contents.block = Some(block);
    }
    Ok(buffer)
}

impl Buffer {
    fn contents(&mut self) -> &mut Contents {
        match &mut self.contents {
            Some(contents) => contents,
            None => unreachable!("only drop takes the contents"),
        }
    }

    /// The block's number.
    pub fn block(&self) -> u32 {
        self.block
    }

    /// The block's bytes.
    pub fn bytes(&self) -> &[u8; BLOCK_SIZE] {
        match &self.contents {
            Some(contents) => contents.bytes.bytes(),
            None => unreachable!("only drop takes the contents"),
        }
    }

    /// The block's bytes, to change them; `log::write` must follow.
    pub fn bytes_mut(&mut self) -> &mut [u8; BLOCK_SIZE] {
        self.contents().bytes.bytes_mut()
    }

    /// Writes the block to the disk.
    ///
    /// # Errors
    /// The disk cannot write it.
    pub fn store(&mut self) -> Result<(), Failed> {
        let block = self.block;
        let bytes = &mut self.contents().bytes;
        transfer(block, bytes, Direction::Write).map_err(|_| Failed)
    }

    /// Keeps the block in memory until [`unpin`].
    pub fn pin(&self) {
        CACHE.lock().tags[self.index].users += 1;
    }

    /// Undoes a [`Buffer::pin`].
    pub fn unpin(&self) {
        // This user holds it too, so it does not become reusable here.
        CACHE.lock().tags[self.index].users -= 1;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.contents = None;
        release(self.index);
    }
}
