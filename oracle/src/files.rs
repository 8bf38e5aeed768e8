//! What the disk holds while cases run: nobody changes it, so every read is foretold.

use abi::file_system::{DirectoryEntry, Kind, ROOT_INODE};
use abi::limits::ROOT_DEVICE;
use abi::stat::Stat;

/// A file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileNode {
    /// Its inode's number.
    pub inode: u32,
    /// What it is.
    pub kind: Kind,
    /// Directory entries that name it.
    pub links: u16,
    /// What it holds; a directory holds its entries, as on the disk.
    pub bytes: Vec<u8>,
}

/// The first bytes of a program file (System V ABI, "ELF header").
const PROGRAM_MAGIC: &[u8] = b"\x7fELF";

impl FileNode {
    /// What `fstat` says about it.
    pub fn stat(&self) -> Stat {
        Stat {
            device: ROOT_DEVICE,
            inode: self.inode,
            kind: self.kind,
            links: self.links,
            size: self.bytes.len() as u64,
        }
    }

    /// Whether a kernel takes it for a program.
    pub fn is_program(&self) -> bool {
        self.kind == Kind::File && self.bytes.starts_with(PROGRAM_MAGIC)
    }
}

/// All files that paths lead to, by their inodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    nodes: Vec<FileNode>,
}

impl Files {
    /// These files; the one with the root's inode is the directory where paths begin.
    pub fn new(mut nodes: Vec<FileNode>) -> Files {
        nodes.sort_by_key(|node| node.inode);
        Files { nodes }
    }

    /// The file with that inode.
    pub fn node(&self, inode: u32) -> Option<&FileNode> {
        let at = self.nodes.binary_search_by_key(&inode, |node| node.inode);
        at.ok().map(|at| &self.nodes[at])
    }

    /// The file at `path`, from the directory with the inode `start` unless it begins with a
    /// slash. Names are cut to the length of a directory entry's; no name at all is `start`.
    pub fn find(&self, start: u32, path: &[u8]) -> Option<&FileNode> {
        let start = match path.first() {
            Some(b'/') => ROOT_INODE,
            _ => start,
        };
        let names = path.split(|byte| *byte == b'/');
        let mut names = names.filter(|name| !name.is_empty());
        names.try_fold(self.node(start)?, |directory, name| {
            self.node(entry(directory, name)?)
        })
    }

    /// A root directory with files called `names`, whose inodes follow the root's: for tests and
    /// for repair, where no kernel was booted.
    pub(crate) fn flat(names: &[(&str, Vec<u8>)]) -> Files {
        let root = ROOT_INODE as u16;
        let listed = names.iter().zip(root + 1..);
        let listed = listed.map(|((name, _), inode)| (*name, inode));
        let entries = [(".", root), ("..", root)].into_iter().chain(listed);
        let entries =
            entries.flat_map(|(name, inode)| DirectoryEntry::new(inode, name.as_bytes()).encode());
        let node = |inode, kind, bytes| FileNode {
            inode,
            kind,
            links: 1,
            bytes,
        };
        let mut nodes = vec![node(ROOT_INODE, Kind::Directory, entries.collect())];
        let files = names.iter().zip(ROOT_INODE + 1..);
        nodes.extend(files.map(|((_, bytes), inode)| node(inode, Kind::File, bytes.clone())));
        Files { nodes }
    }
}

/// The inode that `directory` gives for `name`.
fn entry(directory: &FileNode, name: &[u8]) -> Option<u32> {
    if directory.kind != Kind::Directory {
        return None;
    }
    let (entries, _) = directory.bytes.as_chunks();
    let mut entries = entries.iter().map(DirectoryEntry::decode);
    let found = entries.find(|entry| entry.inode != 0 && entry.is_called(name));
    found.map(|entry| entry.inode.into())
}

#[cfg(test)]
mod tests {
    use super::{Files, ROOT_INODE};

    #[test]
    fn paths_lead_to_files() {
        let files = Files::flat(&[("init", vec![1]), ("fourteen-bytes", vec![2])]);
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
}
