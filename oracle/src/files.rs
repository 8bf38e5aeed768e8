//! What the disk holds when a case begins.

use abi::file_system::{BLOCK_SIZE, DIRECT_BLOCKS, DirectoryEntry, Kind, ROOT_INODE};
use abi::stat::Stat;

/// A file, directory or device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileNode {
    /// Its inode's number.
    pub inode: u32,
    /// What it is.
    pub kind: Kind,
    /// A device's major number; else 0.
    pub major: u16,
    /// Directory entries that name it.
    pub links: u16,
    /// What it holds; a directory holds its entries, as on the disk.
    pub bytes: Vec<u8>,
}

impl FileNode {
    /// What `fstat` says about it, on the disk with that number.
    pub fn stat(&self, device: u32) -> Stat {
        Stat {
            device,
            inode: self.inode,
            kind: self.kind,
            links: self.links,
            size: self.bytes.len() as u64,
        }
    }

    /// The entry of that name, if it is a directory that has one: its place, and what it says.
    pub(crate) fn entry(&self, name: &[u8]) -> Option<(usize, DirectoryEntry)> {
        let mut entries = self.entries().enumerate();
        entries.find(|(_, entry)| entry.inode != 0 && entry.is_called(name))
    }

    /// The entries of a directory, those that are not in use as well; none of anything else.
    pub(crate) fn entries(&self) -> impl Iterator<Item = DirectoryEntry> + '_ {
        let bytes: &[u8] = match self.kind {
            Kind::Directory => &self.bytes,
            _ => &[],
        };
        let (entries, _) = bytes.as_chunks();
        entries.iter().map(DirectoryEntry::decode)
    }
}

/// All files of a disk, and the room that is left on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    nodes: Vec<FileNode>,
    inodes: u32,
    /// No inode is free from this number on.
    free_inodes_end: u32,
    free_blocks: usize,
    block_bytes: usize,
    /// Whether the kernel has not read which blocks are free when a case begins. Until it does, the environment can mark
    /// blocks as in use, and the kernel cannot tell this from a disk that was fuller from the start.
    is_room_unread: bool,
}

/// Inodes that are left free on the disk of every case: so few that a case can use them up.
pub const FREE_INODES: u32 = 16;

impl Files {
    /// These files, on a disk with so many `inodes` (number 0 included) and so many blocks free; the
    /// one with the root's inode is the directory where paths begin.
    pub fn new(mut nodes: Vec<FileNode>, inodes: u32, free_blocks: usize) -> Files {
        nodes.sort_by_key(|node| node.inode);
        Files {
            nodes,
            inodes,
            free_inodes_end: inodes,
            free_blocks,
            block_bytes: BLOCK_SIZE,
            is_room_unread: false,
        }
    }

    /// The same, on a disk with blocks of this many bytes in place of xv6's.
    pub fn in_blocks_of(self, block_bytes: usize) -> Files {
        Files {
            block_bytes,
            ..self
        }
    }

    /// The same files, on a disk where no inode is free from the number `end` on.
    pub fn with_free_inodes_below(self, end: u32) -> Files {
        Files {
            free_inodes_end: end.min(self.inodes),
            ..self
        }
    }

    /// Bytes of a block of the disk.
    pub(crate) fn block_bytes(&self) -> usize {
        self.block_bytes
    }

    /// The most blocks that `bytes` bytes of a file take, that of addresses included.
    pub(crate) fn blocks_for(&self, bytes: usize) -> usize {
        let blocks = bytes.div_ceil(self.block_bytes);
        blocks + usize::from(blocks > DIRECT_BLOCKS)
    }

    /// One more than the largest number that a new inode can get.
    pub(crate) fn free_inodes_end(&self) -> u32 {
        self.free_inodes_end
    }

    /// The same files, on a disk of which the kernel has not read which blocks are free.
    pub fn with_room_unread(self) -> Files {
        Files {
            is_room_unread: true,
            ..self
        }
    }

    /// Whether the kernel has not read which blocks are free.
    pub(crate) fn is_room_unread(&self) -> bool {
        self.is_room_unread
    }

    /// The file with that inode.
    pub fn node(&self, inode: u32) -> Option<&FileNode> {
        let at = self.nodes.binary_search_by_key(&inode, |node| node.inode);
        at.ok().map(|at| &self.nodes[at])
    }

    /// The file at `path`, from the root.
    pub fn find(&self, path: &[u8]) -> Option<&FileNode> {
        let mut names = names(path);
        names.try_fold(self.node(ROOT_INODE)?, |directory, name| {
            let (_, entry) = directory.entry(name)?;
            self.node(entry.inode.into())
        })
    }

    /// All of them, in the order of their inodes.
    pub fn nodes(&self) -> &[FileNode] {
        &self.nodes
    }

    /// The same files and directories, with the bytes of files changed.
    pub fn with_other_bytes(mut self, change: impl Fn(&mut Vec<u8>)) -> Files {
        let nodes = self.nodes.iter_mut();
        for node in nodes.filter(|node| node.kind == Kind::File) {
            change(&mut node.bytes);
        }
        self
    }

    /// One more than the largest number that an inode can have.
    pub(crate) fn inodes(&self) -> u32 {
        self.inodes
    }

    /// Blocks that no file holds.
    pub(crate) fn free_blocks(&self) -> usize {
        self.free_blocks
    }

    /// A root directory with files called `names`, whose inodes follow the root's: for tests and
    /// for repair, where no kernel was booted.
    pub(crate) fn flat(names: &[(&str, Vec<u8>)]) -> Files {
        const INODES: u32 = 200;
        const FREE_BLOCKS: usize = 1000;
        let root = ROOT_INODE as u16;
        let listed = names.iter().zip(root + 1..);
        let listed = listed.map(|((name, _), inode)| (*name, inode));
        let entries = [(".", root), ("..", root)].into_iter().chain(listed);
        let entries =
            entries.flat_map(|(name, inode)| DirectoryEntry::new(inode, name.as_bytes()).encode());
        let node = |inode, kind, bytes| FileNode {
            inode,
            kind,
            major: 0,
            links: 1,
            bytes,
        };
        let mut nodes = vec![node(ROOT_INODE, Kind::Directory, entries.collect())];
        let files = names.iter().zip(ROOT_INODE + 1..);
        nodes.extend(files.map(|((_, bytes), inode)| node(inode, Kind::File, bytes.clone())));
        let end = ROOT_INODE + 1 + names.len() as u32 + FREE_INODES;
        Files::new(nodes, INODES, FREE_BLOCKS)
            .with_free_inodes_below(end)
            .with_room_unread()
    }
}

/// The names in a path. Directory entries are compared with no more of them than they hold.
pub(crate) fn names(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let names = path.split(|byte| *byte == b'/');
    names.filter(|name| !name.is_empty())
}
