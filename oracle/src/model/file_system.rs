//! The disk's files as they change during a case: what a kernel does to them at once and without
//! ever failing half way.
//!
//! It is as deterministic as xv6: a new file gets the lowest free inode, a new name the first free
//! entry of its directory. A file that lost its last name stays as long as a process holds it.

use crate::dialect::RemovedDirectory;
use crate::files::{FileNode, Files, names};
use abi::file_system::{DirectoryEntry, Kind, NAME_SIZE, ROOT_INODE};
use std::sync::Arc;

/// The name of the program that a kernel starts first, in the root directory.
pub(crate) const FIRST_PROGRAM: &[u8] = b"init";

/// The files of a disk.
#[derive(Clone, Debug)]
pub(crate) struct FileSystem {
    start: Arc<Files>,
    /// How many blocks the case may take.
    free_blocks: usize,
    /// Whether no path was looked up yet, so that the kernel has read nothing of the disk in this case.
    is_unread: bool,
    /// Files that differ from those at the start, by inode, in ascending order; `None`: free.
    changed: Vec<(u32, Option<FileNode>)>,
    /// Blocks that the case may have taken, at most: those given back do not count.
    blocks_taken: usize,
    /// Whether there may be files without names.
    nameless: bool,
    removed_directory: RemovedDirectory,
}

impl FileSystem {
    /// Blocks that a new name may take: one for the entry, and one for the first entries of a new
    /// directory; and the same of addresses.
    pub(super) const BLOCKS_OF_A_NAME: usize = 4;

    pub(super) fn new(start: Files, removed_directory: RemovedDirectory) -> FileSystem {
        FileSystem {
            free_blocks: start.free_blocks(),
            is_unread: true,
            start: Arc::new(start),
            changed: Vec::new(),
            blocks_taken: 0,
            nameless: false,
            removed_directory,
        }
    }

    /// Bytes of a block of the disk.
    pub(super) fn block_bytes(&self) -> usize {
        self.start.block_bytes()
    }

    /// Back to the start of a case.
    pub(super) fn reset(&mut self) {
        self.free_blocks = self.start.free_blocks();
        self.is_unread = true;
        self.changed.clear();
        self.blocks_taken = 0;
        self.nameless = false;
    }

    /// The program that the kernel starts first, as it was before the case.
    pub(crate) fn first_program(&self) -> Option<&FileNode> {
        self.start.find(FIRST_PROGRAM)
    }

    /// The file with that inode.
    pub(crate) fn node(&self, inode: u32) -> Option<&FileNode> {
        match self.place(inode) {
            Ok(at) => self.changed[at].1.as_ref(),
            Err(_) => self.start.node(inode),
        }
    }

    /// Whether any file is another than at the start.
    pub(crate) fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Every file, in the order of their inodes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &FileNode> {
        (ROOT_INODE..self.start.inodes()).filter_map(|inode| self.node(inode))
    }

    /// Notes that the kernel reads from the disk what paths lead to.
    pub(super) fn note_path(&mut self) {
        self.is_unread = false;
    }

    /// Whether the environment can still leave few blocks free.
    pub(super) fn can_leave_blocks(&self) -> bool {
        self.is_unread && self.start.is_room_unread()
    }

    /// Leaves at most so many blocks free.
    pub(super) fn leave_blocks(&mut self, free: usize) {
        self.free_blocks = free.min(self.free_blocks);
    }

    /// Whether there is room for `bytes` bytes more, or for a name, in any case.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        let blocks = self.blocks_for_bytes(bytes) + Self::BLOCKS_OF_A_NAME;
        self.blocks_taken + blocks <= self.free_blocks
    }

    /// The most blocks that a write of `bytes` bytes needs. It may begin and end inside of blocks, and need its own
    /// block of addresses.
    pub(super) fn blocks_for_bytes(&self, bytes: usize) -> usize {
        self.start.blocks_for(bytes) + 2
    }

    fn place(&self, inode: u32) -> Result<usize, usize> {
        self.changed
            .binary_search_by_key(&inode, |changed| changed.0)
    }

    /// The file with that inode, to change; a free one if there is none.
    fn slot(&mut self, inode: u32) -> &mut Option<FileNode> {
        let at = match self.place(inode) {
            Ok(at) => at,
            Err(at) => {
                let node = self.start.node(inode).cloned();
                self.changed.insert(at, (inode, node));
                at
            }
        };
        &mut self.changed[at].1
    }

    /// The file at `path`, from the directory `start` unless it begins with a slash. No name at all
    /// is `start`.
    pub(super) fn find(&self, start: u32, path: &[u8]) -> Option<&FileNode> {
        self.walk(start, path, names(path))
    }

    /// The directory that holds the last name of `path`, and that name.
    fn find_parent<'p>(&self, start: u32, path: &'p [u8]) -> Option<(u32, &'p [u8])> {
        let mut names = names(path);
        let last = names.next_back()?;
        let parent = self.walk(start, path, names)?;
        let is_directory = parent.kind == Kind::Directory;
        is_directory.then_some((parent.inode, &last[..last.len().min(NAME_SIZE)]))
    }

    fn walk<'p>(
        &self,
        start: u32,
        path: &[u8],
        mut names: impl Iterator<Item = &'p [u8]>,
    ) -> Option<&FileNode> {
        let start = match path.first() {
            Some(b'/') => ROOT_INODE,
            _ => start,
        };
        names.try_fold(self.node(start)?, |directory, name| {
            self.node(self.entry(directory, name)?.1)
        })
    }

    /// The entry of that name: its place and the inode that it gives.
    fn entry(&self, directory: &FileNode, name: &[u8]) -> Option<(usize, u32)> {
        if directory.links == 0 && self.removed_directory == RemovedDirectory::Empty {
            return None;
        }
        let (at, entry) = directory.entry(name)?;
        Some((at, entry.inode.into()))
    }

    /// Whether a new name in that directory is kept: not in one that was removed.
    fn takes_names(&self, directory: u32) -> bool {
        self.node(directory).is_some_and(|node| node.links > 0)
    }

    fn add_entry(&mut self, directory: u32, name: &[u8], inode: u32) {
        let Some(node) = self.slot(directory) else {
            return;
        };
        let free = node.entries().position(|entry| entry.inode == 0);
        let entry = DirectoryEntry::new(inode as u16, name).encode();
        match free {
            Some(at) => {
                node.bytes[at * DirectoryEntry::SIZE..][..entry.len()].copy_from_slice(&entry)
            }
            None => node.bytes.extend_from_slice(&entry),
        }
        self.blocks_taken += Self::BLOCKS_OF_A_NAME;
    }

    fn add_links(&mut self, inode: u32, change: i16) {
        if let Some(node) = self.slot(inode) {
            node.links = node.links.saturating_add_signed(change);
        }
    }

    /// Makes a new file, directory or device at `path`; gives its inode. Where a file is wanted, one
    /// that is there already will do, and so will a device.
    pub(super) fn create(
        &mut self,
        start: u32,
        path: &[u8],
        kind: Kind,
        major: u16,
    ) -> Option<u32> {
        let (parent, name) = self.find_parent(start, path)?;
        if let Some((_, inode)) = self.entry(self.node(parent)?, name) {
            let found = self.node(inode)?.kind;
            let usable = kind == Kind::File && matches!(found, Kind::File | Kind::Device);
            return usable.then_some(inode);
        }
        if !self.takes_names(parent) {
            return None;
        }
        let mut inodes = ROOT_INODE..self.start.free_inodes_end();
        let inode = inodes.find(|inode| self.node(*inode).is_none())?;
        *self.slot(inode) = Some(FileNode {
            inode,
            kind,
            major,
            links: 1,
            bytes: Vec::new(),
        });
        if kind == Kind::Directory {
            self.add_entry(inode, b".", inode);
            self.add_entry(inode, b"..", parent);
            self.add_links(parent, 1);
        }
        self.add_entry(parent, name, inode);
        Some(inode)
    }

    /// Gives the file at `old` a second name, `new`; `None`: it cannot have it.
    pub(super) fn link(&mut self, start: u32, old: &[u8], new: &[u8]) -> Option<()> {
        let file = self.find(start, old)?;
        let (inode, kind) = (file.inode, file.kind);
        let (parent, name) = self.find_parent(start, new)?;
        let exists = self.entry(self.node(parent)?, name).is_some();
        if kind == Kind::Directory || exists || !self.takes_names(parent) {
            return None;
        }
        self.add_links(inode, 1);
        self.add_entry(parent, name, inode);
        Some(())
    }

    /// Removes the name `path`; `None`: there is none, or it cannot be removed.
    pub(super) fn unlink(&mut self, start: u32, path: &[u8]) -> Option<()> {
        let (parent, name) = self.find_parent(start, path)?;
        if matches!(name, b"." | b"..") {
            return None;
        }
        let (at, inode) = self.entry(self.node(parent)?, name)?;
        let node = self.node(inode)?;
        let is_directory = node.kind == Kind::Directory;
        if is_directory && node.entries().skip(2).any(|entry| entry.inode != 0) {
            return None;
        }
        let free = DirectoryEntry::default().encode();
        if let Some(parent) = self.slot(parent) {
            parent.bytes[at * DirectoryEntry::SIZE..][..free.len()].copy_from_slice(&free);
        }
        self.add_links(inode, -1);
        if is_directory {
            self.add_links(parent, -1);
        }
        self.nameless = true;
        Some(())
    }

    /// Removes the contents of a file.
    pub(super) fn truncate(&mut self, inode: u32) {
        if let Some(node) = self.slot(inode) {
            node.bytes.clear();
        }
    }

    /// Writes `bytes` to a file, from `offset` on, which is not beyond its end.
    pub(super) fn write(&mut self, inode: u32, offset: usize, bytes: &[u8]) {
        self.blocks_taken += self.blocks_for_bytes(bytes.len());
        let Some(node) = self.slot(inode) else {
            return;
        };
        let end = offset + bytes.len();
        if end > node.bytes.len() {
            node.bytes.resize(end, 0);
        }
        node.bytes[offset..end].copy_from_slice(bytes);
    }

    /// Frees the files that have no names and that no process holds.
    pub(super) fn free_nameless(&mut self, is_held: impl Fn(u32) -> bool) {
        if !self.nameless {
            return;
        }
        self.nameless = false;
        for (inode, node) in &mut self.changed {
            if node.as_ref().is_some_and(|node| node.links == 0) {
                if is_held(*inode) {
                    self.nameless = true
                } else {
                    *node = None
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FileSystem;
    use crate::dialect::RemovedDirectory;
    use crate::files::Files;
    use abi::file_system::{Kind, ROOT_INODE};

    fn disk() -> FileSystem {
        let files = Files::flat(&[("init", vec![1]), ("fourteen-bytes", vec![2])]);
        FileSystem::new(files, RemovedDirectory::Empty)
    }

    #[test]
    fn paths_lead_to_files() {
        let files = disk();
        let inode = |path: &str| {
            let found = files.find(ROOT_INODE, path.as_bytes());
            found.map(|node| node.inode - ROOT_INODE)
        };
        assert_eq!(inode("init"), Some(1));
        assert_eq!(inode("//./../init"), Some(1));
        assert_eq!(inode("fourteen-bytes-and-more"), Some(2));
        assert_eq!(inode("fourteen-byte"), None);
        assert_eq!(inode(""), Some(0));
        assert_eq!(inode("/"), Some(0));
        assert_eq!(inode("init/."), None);
        assert_eq!(inode("init/"), Some(1));
    }

    #[test]
    fn the_lowest_free_inode_and_the_first_free_entry_are_taken() {
        let mut files = disk();
        let root = ROOT_INODE;
        assert_eq!(files.create(root, b"dir", Kind::Directory, 0), Some(4));
        assert_eq!(files.create(4, b"../new", Kind::File, 0), Some(5));
        assert_eq!(files.create(root, b"/new", Kind::File, 0), Some(5));
        assert_eq!(files.create(root, b"dir", Kind::File, 0), None);
        assert_eq!(files.create(root, b"new/deep", Kind::File, 0), None);
        assert_eq!(files.unlink(root, b"init"), Some(()));
        files.free_nameless(|_| false);
        assert_eq!(files.node(2), None);
        assert_eq!(files.create(root, b"other", Kind::Device, 7), Some(2));
        let third = files.node(root).unwrap().entries().nth(2).unwrap();
        assert_eq!((third.inode, third.name()), (2, b"other".as_slice()));
        assert_eq!(files.node(root).unwrap().links, 2);
        files.reset();
        assert!(!files.is_changed());
        assert!(files.find(root, b"init").is_some());
    }

    #[test]
    fn what_is_held_outlives_its_names() {
        let mut files = disk();
        let root = ROOT_INODE;
        assert_eq!(files.link(root, b"init", b"new"), Some(()));
        assert_eq!(files.link(root, b"init", b"new"), None);
        assert_eq!(files.link(root, b".", b"dot"), None);
        assert_eq!(files.unlink(root, b"init"), Some(()));
        files.free_nameless(|_| false);
        assert_eq!(files.node(2).unwrap().links, 1);
        assert_eq!(files.unlink(root, b"new"), Some(()));
        files.free_nameless(|inode| inode == 2);
        assert_eq!(files.node(2).unwrap().bytes, [1]);
        files.free_nameless(|_| false);
        assert_eq!(files.node(2), None);
    }

    #[test]
    fn directories_go_when_they_are_empty() {
        let mut files = disk();
        let root = ROOT_INODE;
        files.create(root, b"dir", Kind::Directory, 0);
        files.create(root, b"dir/new", Kind::File, 0);
        assert_eq!(files.unlink(root, b"dir"), None);
        assert_eq!(files.unlink(root, b"dir/."), None);
        assert_eq!(files.unlink(root, b"dir/new"), Some(()));
        assert_eq!(files.unlink(root, b"dir"), Some(()));
        files.free_nameless(|inode| inode == 4);
        assert_eq!(files.node(root).unwrap().links, 1);
        // It is a process's current directory, but it is empty, and no file can be made in it.
        assert_eq!(files.find(4, b"..").map(|node| node.inode), None);
        assert_eq!(files.create(4, b"new", Kind::File, 0), None);
        files.removed_directory = RemovedDirectory::KeepsDots;
        assert_eq!(files.find(4, b"..").map(|node| node.inode), Some(root));
        assert_eq!(files.create(4, b"new", Kind::File, 0), None);
    }
}
