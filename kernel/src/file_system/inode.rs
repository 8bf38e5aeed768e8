//! Inodes in memory: a table of those in use, and the right to look into one.

use abi::file_system::{DiskInode, INODES_PER_BLOCK, Kind, MAX_FILE_SIZE};
use abi::limits::{INODES, ROOT_DEVICE};
use abi::stat::Stat;

use super::{Failed, buffer, layout, log};
use crate::scheduling::{SleepGuard, SleepLock};
use crate::sync::SpinLock;

/// Which inode an entry of the table is for.
#[derive(Clone, Copy)]
struct Tag {
    number: u32,
    /// How many refer to it; 0 for a free entry.
    references: u16,
}

/// An inode's contents, after the first look at it.
pub(super) struct Cached {
    /// The inode whose contents these are; 0 if there is no such inode.
    number: u32,
    pub(super) inode: DiskInode,
}

static TABLE: SpinLock<[Tag; INODES]> = SpinLock::new(
    &"inodes",
    [Tag {
        number: 0,
        references: 0,
    }; INODES],
);

static CACHED: [SleepLock<Cached>; INODES] = [const {
    SleepLock::new(Cached {
        number: 0,
        inode: DiskInode {
            kind: 0,
            major: 0,
            minor: 0,
            links: 0,
            size: 0,
            addresses: [0; 13],
        },
    })
}; INODES];

/// Keeps an inode in the table. When the last reference to an inode without names is dropped, the
/// inode is freed; so that must happen inside a transaction.
pub struct InodeReference {
    index: u8,
    number: u32,
}

/// Refers to inode `number`.
///
/// # Errors
/// Too many inodes are in use.
pub(super) fn get(number: u32) -> Result<InodeReference, Failed> {
    let mut table = TABLE.lock();
    // An entry without references still knows its inode, and can be used again.
    let known = table.iter().position(|tag| tag.number == number);
    let index = match known {
        Some(index) => index,
        None => {
            let free = table.iter().position(|tag| tag.references == 0);
            let index = free.ok_or(Failed)?;
            // It has no references, so it is not locked. What it may know of this inode is older
            // than what other entries wrote since.
            let mut cached = CACHED[index].try_lock().ok_or(Failed)?;
            cached.number = 0;
            index
        }
    };
    let tag = &mut table[index];
    tag.number = number;
    tag.references += 1;
    Ok(InodeReference {
        index: index as u8,
        number,
    })
}

/// The block that holds inode `number`, and the offset in it.
pub(super) fn place(number: u32) -> Result<(u32, usize), Failed> {
    let block = layout().inode_block(number).ok_or(Failed)?;
    Ok((block, number as usize % INODES_PER_BLOCK * DiskInode::SIZE))
}

/// Inode `number` as it is on the disk, in use or not.
fn read(number: u32) -> Result<DiskInode, Failed> {
    let (block, offset) = place(number)?;
    let buffer = buffer::get(block)?;
    let bytes = buffer.bytes()[offset..].first_chunk().ok_or(Failed)?;
    Ok(DiskInode::decode(bytes))
}

/// Whether inode `number` is in use but has no names.
///
/// # Errors
/// The disk cannot read it.
pub(super) fn is_orphan(number: u32) -> Result<bool, Failed> {
    let inode = read(number)?;
    Ok(inode.kind != Kind::Free as u16 && inode.links == 0)
}

impl InodeReference {
    fn index(&self) -> usize {
        self.index.into()
    }

    /// The inode's number.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Waits for the inode and looks into it; no other process can meanwhile.
    ///
    /// # Errors
    /// The disk cannot read it, it is not in use, or it is damaged.
    pub fn lock(&self) -> Result<Inode<'_>, Failed> {
        let mut cached = CACHED[self.index()].lock();
        if cached.number != self.number {
            let inode = read(self.number)?;
            let in_use = !matches!(Kind::from_number(inode.kind), None | Some(Kind::Free));
            if !in_use || inode.size as usize > MAX_FILE_SIZE {
                return Err(Failed);
            }
            cached.inode = inode;
            cached.number = self.number;
        }
        Ok(Inode {
            cached,
            reference: self,
        })
    }
}

impl Clone for InodeReference {
    fn clone(&self) -> InodeReference {
        TABLE.lock()[self.index()].references += 1;
        InodeReference { ..*self }
    }
}

impl Drop for InodeReference {
    fn drop(&mut self) {
        let mut table = TABLE.lock();
        if table[self.index()].references == 1 {
            // There is no other reference, so it is not locked. If it has no names, no directory
            // leads to it any more: only this process can reach it.
            let cached = CACHED[self.index()].try_lock();
            if let Some(cached) = cached.filter(|cached| cached.is_nameless(self.number)) {
                drop(table);
                let reference = &*self;
                Inode { cached, reference }.erase();
                table = TABLE.lock();
            }
        }
        let tag = &mut table[self.index()];
        tag.references -= 1;
    }
}

impl Cached {
    /// Whether this is inode `number`, in use but without names.
    fn is_nameless(&self, number: u32) -> bool {
        let in_use = self.inode.kind != Kind::Free as u16;
        self.number == number && in_use && self.inode.links == 0
    }
}

/// An inode, for this process alone until dropped.
pub struct Inode<'a> {
    pub(super) cached: SleepGuard<'static, Cached>,
    reference: &'a InodeReference,
}

impl Inode<'_> {
    /// Its number.
    pub fn number(&self) -> u32 {
        self.reference.number
    }

    /// What it is; an unknown kind counts as free.
    pub fn kind(&self) -> Kind {
        Kind::from_number(self.cached.inode.kind).unwrap_or(Kind::Free)
    }

    /// Bytes of its contents.
    pub fn size(&self) -> u32 {
        self.cached.inode.size
    }

    /// A device's major number.
    pub fn major(&self) -> u16 {
        self.cached.inode.major
    }

    /// Sets a device's numbers; [`Inode::update`] must follow.
    pub fn set_device(&mut self, major: u16, minor: u16) {
        self.cached.inode.major = major;
        self.cached.inode.minor = minor;
    }

    /// How many names it has.
    pub fn links(&self) -> u16 {
        self.cached.inode.links
    }

    /// Counts one name more, or one fewer; [`Inode::update`] must follow.
    ///
    /// # Errors
    /// The count would not fit into the C kernel's, which is signed.
    pub fn add_links(&mut self, change: i16) -> Result<(), Failed> {
        let links = i16::try_from(self.links()).map_err(|_| Failed)?;
        let links = links.checked_add(change).ok_or(Failed)?;
        self.cached.inode.links = u16::try_from(links).map_err(|_| Failed)?;
        Ok(())
    }

    /// What `fstat` returns.
    pub fn stat(&self) -> Stat {
        Stat {
            device: ROOT_DEVICE,
            inode: self.number(),
            kind: self.kind(),
            links: self.links(),
            size: self.size().into(),
        }
    }

    /// Writes the inode to its place on the disk, in the transaction under way.
    ///
    /// # Errors
    /// The disk cannot read the block it is in.
    pub fn update(&mut self) -> Result<(), Failed> {
        let (block, offset) = place(self.number())?;
        let mut buffer = buffer::get(block)?;
        let bytes = self.cached.inode.encode();
        buffer.bytes_mut()[offset..offset + DiskInode::SIZE].copy_from_slice(&bytes);
        log::write(&buffer);
        Ok(())
    }

    /// Frees the inode and its blocks: it has no names and no users.
    fn erase(&mut self) {
        // On a damaged disk, what cannot be read stays in use.
        let _ = self.truncate();
        self.cached.inode.kind = Kind::Free as u16;
        let _ = self.update();
        self.cached.number = 0;
    }
}
