//! The write-ahead log: all of a file-system operation reaches the disk, or nothing of it.
//!
//! An operation's changed blocks stay in the cache, pinned, until no operation is under way. Then
//! all are written to the log. Writing the log's header commits them. Then the blocks are written to
//! their homes, and the header is cleared. After a crash, the blocks of a committed log are written
//! to their homes once more.

use abi::file_system::SuperBlock;
use abi::limits::{LOG_BLOCKS, OPERATION_BLOCKS};

use super::buffer::{self, Buffer};
use super::{Failed, layout};
use crate::scheduling::sleep::{Channel, sleep, wake};
use crate::sync::SpinLock;

struct Log {
    /// Operations under way.
    operations: usize,
    /// Whether blocks are being written; no operation may begin then.
    committing: bool,
    /// The home blocks of what was changed.
    blocks: [u32; LOG_BLOCKS],
    count: usize,
    /// How many the log on the disk has room for.
    capacity: usize,
}

static LOG: SpinLock<Log> = SpinLock::new(
    &"log",
    Log {
        operations: 0,
        committing: false,
        blocks: [0; LOG_BLOCKS],
        count: 0,
        capacity: 0,
    },
);

/// Notes how long the log on the disk is. `None` if it is too short for one operation.
pub fn initialise(layout: &SuperBlock) -> Option<()> {
    let blocks = layout.log_blocks.checked_sub(1)?;
    let capacity = LOG_BLOCKS.min(blocks as usize);
    LOG.lock().capacity = capacity;
    (capacity >= OPERATION_BLOCKS).then_some(())
}

/// Does `operation`, which changes at most [`OPERATION_BLOCKS`] blocks. On the disk, all of its
/// changes are made or none. Transactions cannot be nested.
pub fn transaction<T>(operation: impl FnOnce() -> T) -> T {
    begin();
    let result = operation();
    end();
    result
}

fn begin() {
    let mut log = LOG.lock();
    while log.committing || log.count + (log.operations + 1) * OPERATION_BLOCKS > log.capacity {
        log = sleep(Channel::of(&LOG), log);
    }
    log.operations += 1;
}

fn end() {
    let mut log = LOG.lock();
    log.operations -= 1;
    let last = log.operations == 0;
    if last && log.count > 0 {
        log.committing = true;
        let (blocks, count) = (log.blocks, log.count);
        drop(log);
        let committed = commit(&blocks[..count]);
        assert!(committed.is_ok(), "the disk cannot write the log");
        log = LOG.lock();
        log.count = 0;
        log.committing = false;
    }
    // Others wait for room in the log, or for the commitment.
    wake(Channel::of(&LOG));
}

/// Makes a changed block part of the transaction under way.
///
/// # Panics
/// Outside of a transaction, or in one that changes too many blocks.
pub fn write(buffer: &Buffer) {
    let mut log = LOG.lock();
    assert!(
        log.operations > 0,
        "a block changed outside of a transaction"
    );
    let count = log.count;
    if log.blocks[..count].contains(&buffer.block()) {
        return;
    }
    assert!(
        count < log.capacity,
        "a transaction changed too many blocks"
    );
    log.blocks[count] = buffer.block();
    log.count += 1;
    buffer.pin();
}

fn commit(blocks: &[u32]) -> Result<(), Failed> {
    let start = layout().log_start;
    for (position, &home) in (start + 1..).zip(blocks) {
        let mut copy = buffer::get(position)?;
        *copy.bytes_mut() = *buffer::get(home)?.bytes();
        copy.store()?;
    }
    write_header(start, blocks)?;
    for &home in blocks {
        let mut block = buffer::get(home)?;
        block.store()?;
        block.unpin();
    }
    write_header(start, &[])
}

fn write_header(start: u32, blocks: &[u32]) -> Result<(), Failed> {
    let mut header = buffer::get(start)?;
    let (words, _) = header.bytes_mut().as_chunks_mut::<4>();
    let numbers = core::iter::once(blocks.len() as u32).chain(blocks.iter().copied());
    for (word, number) in words.iter_mut().zip(numbers) {
        *word = number.to_le_bytes();
    }
    header.store()
}

/// Writes home what a crash left committed in the log. Returns how many blocks that were. If this
/// is cut short as well, the next boot does the same again.
///
/// # Errors
/// The log's header makes no sense, or the disk fails.
pub fn recover(layout: &SuperBlock) -> Result<usize, Failed> {
    let header = *buffer::get(layout.log_start)?.bytes();
    let homes = layout.logged_blocks(&header).ok_or(Failed)?;
    let count = homes.clone().count();
    for (position, home) in (layout.log_start + 1..).zip(homes) {
        let bytes = *buffer::get(position)?.bytes();
        let mut block = buffer::get(home)?;
        *block.bytes_mut() = bytes;
        block.store()?;
    }
    if count > 0 {
        write_header(layout.log_start, &[])?;
    }
    Ok(count)
}
