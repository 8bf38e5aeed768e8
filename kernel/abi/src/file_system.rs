//! The on-disk file system: sizes, and structures with their encoding.
//!
//! A disk is an array of 1024-byte blocks:
//! `boot | superblock | log | inodes | free bitmap | data`. All numbers are little endian.

use core::ops::Range;

/// Bytes in a block.
pub const BLOCK_SIZE: usize = 1024;
/// The first word of a superblock.
pub const MAGIC: u32 = 0x1020_3040;
/// The block that holds the superblock.
pub const SUPER_BLOCK: u32 = 1;
/// The inode of the root directory. Inode 0 stands for "none".
pub const ROOT_INODE: u32 = 1;
/// Block addresses held in the inode itself.
pub const DIRECT_BLOCKS: usize = 12;
/// Block addresses held in the inode's one indirect block.
pub const INDIRECT_BLOCKS: usize = BLOCK_SIZE / 4;
/// Blocks of the largest file.
pub const MAX_FILE_BLOCKS: usize = DIRECT_BLOCKS + INDIRECT_BLOCKS;
/// Bytes of the largest file.
pub const MAX_FILE_SIZE: usize = MAX_FILE_BLOCKS * BLOCK_SIZE;
/// Inodes in a block.
pub const INODES_PER_BLOCK: usize = BLOCK_SIZE / DiskInode::SIZE;
/// Bits of the free bitmap in a block.
pub const BITS_PER_BLOCK: usize = BLOCK_SIZE * 8;
/// Longest name in a directory; a name of that length has no terminating zero byte.
pub const NAME_SIZE: usize = 14;

pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes([bytes[offset], bytes[offset + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes([
        bytes[offset],
        bytes[offset + 1],
        bytes[offset + 2],
        bytes[offset + 3],
    ])
}

/// Describes the disk's layout; held in block [`SUPER_BLOCK`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SuperBlock {
    /// [`MAGIC`].
    pub magic: u32,
    /// Blocks of the whole image.
    pub size: u32,
    /// Data blocks.
    pub data_blocks: u32,
    /// Inodes.
    pub inodes: u32,
    /// Blocks of the log, its header included.
    pub log_blocks: u32,
    /// First block of the log: its header.
    pub log_start: u32,
    /// First block of inodes.
    pub inode_start: u32,
    /// First block of the free bitmap.
    pub bitmap_start: u32,
}

impl SuperBlock {
    /// Bytes of the encoded form.
    pub const SIZE: usize = 32;

    /// Reads a superblock, without checking it.
    pub fn decode(bytes: &[u8; Self::SIZE]) -> SuperBlock {
        SuperBlock {
            magic: u32_at(bytes, 0),
            size: u32_at(bytes, 4),
            data_blocks: u32_at(bytes, 8),
            inodes: u32_at(bytes, 12),
            log_blocks: u32_at(bytes, 16),
            log_start: u32_at(bytes, 20),
            inode_start: u32_at(bytes, 24),
            bitmap_start: u32_at(bytes, 28),
        }
    }

    /// The on-disk form.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let words = [
            self.magic,
            self.size,
            self.data_blocks,
            self.inodes,
            self.log_blocks,
            self.log_start,
            self.inode_start,
            self.bitmap_start,
        ];
        let mut bytes = [0; Self::SIZE];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The block that holds inode `number`, or `None` if the disk has no such inode.
    pub fn inode_block(&self, number: u32) -> Option<u32> {
        if number >= self.inodes {
            return None;
        }
        self.inode_start
            .checked_add(number / INODES_PER_BLOCK as u32)
    }

    /// The block of the free bitmap that holds the bit of `block`.
    pub fn bitmap_block(&self, block: u32) -> Option<u32> {
        if block >= self.size {
            return None;
        }
        self.bitmap_start.checked_add(block / BITS_PER_BLOCK as u32)
    }

    /// The data blocks: the only ones that inodes may name.
    ///
    /// They are counted from the end: the C `mkfs` may leave a spare block before them.
    pub fn data_area(&self) -> Range<u32> {
        self.size.saturating_sub(self.data_blocks)..self.size
    }

    /// What is wrong with the layout: its areas must follow one another. `None` if they do.
    pub fn contradiction(&self) -> Option<&'static str> {
        self.contradiction_in_blocks_of(BLOCK_SIZE)
    }

    /// The same for a file system with blocks of this many bytes: a multiple of an inode's.
    pub fn contradiction_in_blocks_of(&self, bytes: usize) -> Option<&'static str> {
        let end = |start: u32, blocks: u32| u64::from(start) + u64::from(blocks);
        let inode_blocks = self.inodes.div_ceil((bytes / DiskInode::SIZE) as u32);
        let bitmap_blocks = self.size.div_ceil(bytes as u32 * 8);
        if self.log_start <= SUPER_BLOCK {
            Some("the log lies on the superblock")
        } else if end(self.log_start, self.log_blocks) > self.inode_start.into() {
            Some("log and inodes overlap")
        } else if end(self.inode_start, inode_blocks) > self.bitmap_start.into() {
            Some("inodes and bitmap overlap")
        } else if end(self.bitmap_start, bitmap_blocks) > self.data_area().start.into() {
            Some("bitmap and data overlap")
        } else {
            None
        }
    }

    /// The home blocks of the transaction that a log's header describes, in the order of the
    /// blocks that follow the header; `None` if it describes more than the log holds, or a block
    /// that no transaction changes.
    pub fn logged_blocks<'h>(
        &self,
        header: &'h [u8],
    ) -> Option<impl Iterator<Item = u32> + Clone + use<'h>> {
        let (words, _) = header.as_chunks();
        let (count, homes) = words.split_first()?;
        let count = u32::from_le_bytes(*count);
        let homes = homes.get(..count as usize)?;
        let homes = homes.iter().map(|word| u32::from_le_bytes(*word));
        let fits = count == 0 || count < self.log_blocks;
        let sensible = homes
            .clone()
            .all(|home| (self.inode_start..self.size).contains(&home));
        (fits && sensible).then_some(homes)
    }
}

/// What an inode is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Kind {
    /// Not in use.
    Free = 0,
    /// A directory: an array of [`DirectoryEntry`].
    Directory = 1,
    /// A file.
    File = 2,
    /// A device, with major and minor number.
    Device = 3,
}

impl Kind {
    /// The kind that the on-disk number stands for.
    pub const fn from_number(number: u16) -> Option<Kind> {
        match number {
            0 => Some(Kind::Free),
            1 => Some(Kind::Directory),
            2 => Some(Kind::File),
            3 => Some(Kind::Device),
            _ => None,
        }
    }
}

/// An inode as it lies on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DiskInode {
    /// A [`Kind`]; free inodes are zero throughout.
    pub kind: u16,
    /// Device major number.
    pub major: u16,
    /// Device minor number.
    pub minor: u16,
    /// Directory entries that name this inode.
    pub links: u16,
    /// Bytes of the file.
    pub size: u32,
    /// Direct block addresses, then the address of the indirect block; 0 for none.
    pub addresses: [u32; DIRECT_BLOCKS + 1],
}

impl DiskInode {
    /// Bytes of the encoded form.
    pub const SIZE: usize = 64;

    /// Reads an inode.
    pub fn decode(bytes: &[u8; Self::SIZE]) -> DiskInode {
        let mut addresses = [0; DIRECT_BLOCKS + 1];
        for (index, address) in addresses.iter_mut().enumerate() {
            *address = u32_at(bytes, 12 + 4 * index);
        }
        DiskInode {
            kind: u16_at(bytes, 0),
            major: u16_at(bytes, 2),
            minor: u16_at(bytes, 4),
            links: u16_at(bytes, 6),
            size: u32_at(bytes, 8),
            addresses,
        }
    }

    /// The on-disk form.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[0..2].copy_from_slice(&self.kind.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.major.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.minor.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.links.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.size.to_le_bytes());
        for (chunk, address) in bytes[12..].chunks_exact_mut(4).zip(self.addresses) {
            chunk.copy_from_slice(&address.to_le_bytes());
        }
        bytes
    }
}

/// One entry of a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DirectoryEntry {
    /// The inode, or 0 for an unused entry.
    pub inode: u16,
    /// The name, filled up with zero bytes.
    pub name: [u8; NAME_SIZE],
}

impl DirectoryEntry {
    /// Bytes of the encoded form.
    pub const SIZE: usize = 16;

    /// An entry for `name`, cut to [`NAME_SIZE`] bytes as xv6 does.
    pub fn new(inode: u16, name: &[u8]) -> DirectoryEntry {
        let mut entry = DirectoryEntry {
            inode,
            name: [0; NAME_SIZE],
        };
        for (to, from) in entry.name.iter_mut().zip(name) {
            *to = *from;
        }
        entry
    }

    /// Reads an entry.
    pub fn decode(bytes: &[u8; Self::SIZE]) -> DirectoryEntry {
        let mut name = [0; NAME_SIZE];
        name.copy_from_slice(&bytes[2..]);
        DirectoryEntry {
            inode: u16_at(bytes, 0),
            name,
        }
    }

    /// The on-disk form.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[0..2].copy_from_slice(&self.inode.to_le_bytes());
        bytes[2..].copy_from_slice(&self.name);
        bytes
    }

    /// The name without its filling.
    pub fn name(&self) -> &[u8] {
        let end = self.name.iter().position(|&byte| byte == 0);
        &self.name[..end.unwrap_or(NAME_SIZE)]
    }

    /// Whether this entry is called `name`; longer names count up to [`NAME_SIZE`] bytes.
    pub fn is_called(&self, name: &[u8]) -> bool {
        self.name() == &name[..name.len().min(NAME_SIZE)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_survive_encoding() {
        let block = LAYOUT;
        assert_eq!(SuperBlock::decode(&block.encode()), block);
        assert_eq!(block.data_area(), 47..2000);
        assert_eq!(block.contradiction(), None);

        let mut inode = DiskInode {
            kind: Kind::File as u16,
            major: 1,
            minor: 2,
            links: 3,
            size: 0x1234_5678,
            ..DiskInode::default()
        };
        inode.addresses[0] = 47;
        inode.addresses[DIRECT_BLOCKS] = 0xffff_fffe;
        assert_eq!(DiskInode::decode(&inode.encode()), inode);

        let entry = DirectoryEntry::new(7, b"a name that is too long");
        assert_eq!(DirectoryEntry::decode(&entry.encode()), entry);
        assert_eq!(entry.name(), b"a name that is");
        assert!(entry.is_called(b"a name that is too long"));
        assert!(!entry.is_called(b"a name"));
    }

    const LAYOUT: SuperBlock = SuperBlock {
        magic: MAGIC,
        size: 2000,
        data_blocks: 1953,
        inodes: 200,
        log_blocks: 31,
        log_start: 2,
        inode_start: 33,
        bitmap_start: 46,
    };

    #[test]
    fn areas_must_follow_one_another() {
        let wrong = |change: fn(&mut SuperBlock)| {
            let mut layout = LAYOUT;
            change(&mut layout);
            layout.contradiction().unwrap()
        };
        assert!(wrong(|layout| layout.log_start = 1).contains("superblock"));
        assert!(wrong(|layout| layout.log_blocks = 32).starts_with("log and"));
        assert!(wrong(|layout| layout.log_blocks = u32::MAX).starts_with("log and"));
        assert!(wrong(|layout| layout.inodes = 209).starts_with("inodes and"));
        assert!(wrong(|layout| layout.inodes = u32::MAX).starts_with("inodes and"));
        assert!(wrong(|layout| layout.data_blocks = 1954).starts_with("bitmap and"));
        assert!(wrong(|layout| layout.data_blocks = 2001).starts_with("bitmap and"));
        assert!(wrong(|layout| layout.bitmap_start = u32::MAX).starts_with("bitmap and"));
    }

    #[test]
    fn a_log_header_names_blocks_that_can_be_logged() {
        let logged = |words: &[u32]| {
            let mut header = [0; BLOCK_SIZE];
            let (places, _) = header.as_chunks_mut();
            for (place, word) in places.iter_mut().zip(words) {
                *place = word.to_le_bytes();
            }
            let homes = LAYOUT.logged_blocks(&header)?;
            Some(homes.eq(words[1..].iter().copied()))
        };
        assert_eq!(logged(&[0]), Some(true));
        assert_eq!(logged(&[2, 33, 1999]), Some(true));
        assert_eq!(logged(&[2, 33, 2000]), None);
        assert_eq!(logged(&[1, 32]), None);
        assert_eq!(logged(&[u32::MAX, 33]), None);
        let mut full = [40; 31];
        full[0] = 30;
        assert_eq!(logged(&full), Some(true));
        full[0] = 31;
        assert_eq!(logged(&full), None);
    }
}
