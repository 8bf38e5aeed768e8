//! Mounting: checks that the disk holds a file system, and finishes what a crash left undone.

use abi::file_system::{Kind, MAGIC, ROOT_INODE, SUPER_BLOCK, SuperBlock};

use super::{Failed, SUPER, buffer, inode, log, root};
use crate::devices::virtio_block;
use crate::{panic, print};

/// Reads the superblock, finishes a transaction that a crash cut short, and frees the inodes that
/// had lost their last name while they were in use. Called once, by the first process.
///
/// If the disk holds no file system that makes sense, this says so on the console and stops the
/// system: there is nothing to run.
pub fn mount() {
    if let Err(reason) = try_mount() {
        print::with_lock(|out| {
            out.text("cannot mount the disk: ");
            out.text(reason);
            out.text("\n");
        });
        panic::stop();
    }
}

/// Mounts the disk, or returns why that cannot be done.
fn try_mount() -> Result<(), &'static str> {
    let unreadable = |Failed| "it cannot be read";
    let bytes = *buffer::get(SUPER_BLOCK).map_err(unreadable)?.bytes();
    let Some(bytes) = bytes.first_chunk() else {
        unreachable!("a superblock is smaller than a block");
    };
    let layout = SuperBlock::decode(bytes);
    check(&layout)?;
    log::initialise(&layout).ok_or("its log is too short")?;
    *SUPER.lock() = layout;
    let recovered = log::recover(&layout).map_err(|Failed| "its log is damaged")?;
    if recovered > 0 {
        print::with_lock(|out| {
            out.text("recovering: ");
            out.decimal(recovered as i64);
            out.text(" blocks written from the log\n");
        });
    }
    match root().lock() {
        Ok(root) if root.kind() == Kind::Directory && root.links() > 0 => {}
        _ => return Err("it has no root directory"),
    }
    for number in ROOT_INODE + 1..layout.inodes {
        reclaim(number).map_err(unreadable)?;
    }
    Ok(())
}

fn check(layout: &SuperBlock) -> Result<(), &'static str> {
    if layout.magic != MAGIC {
        return Err("it holds no xv6 file system");
    }
    if u64::from(layout.size) > virtio_block::blocks() {
        return Err("it is smaller than its superblock says");
    }
    layout.contradiction().map_or(Ok(()), Err)
}

/// Frees inode `number` if it is in use but has no names.
fn reclaim(number: u32) -> Result<(), Failed> {
    if !inode::is_orphan(number)? {
        return Ok(());
    }
    print::with_lock(|out| {
        out.text("ireclaim: inode ");
        out.decimal(number.into());
        out.text(" had no names and is freed\n");
    });
    log::transaction(|| {
        let orphan = inode::get(number)?;
        // The last reference is dropped here, which frees the inode. A damaged inode stays.
        let _ = orphan.lock();
        Ok(())
    })
}
