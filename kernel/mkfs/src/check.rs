//! Checks an image as a whole: the rules that every file system must satisfy after a kernel has used it.

use std::collections::{HashMap, HashSet};

use abi::file_system::{DirectoryEntry, Kind, ROOT_INODE};

use crate::{Error, Image};

/// Something wrong with an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// An inode that cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Error),
    /// An inode of a kind that does not exist.
    #[error("inode {inode} is of the unknown kind {kind}")]
    UnknownKind {
        /// The inode.
        inode: u32,
        /// Its kind.
        kind: u16,
    },
    /// A block that two owners claim.
    #[error("block {block} belongs to inode {first} and to inode {second}")]
    SharedBlock {
        /// The block.
        block: u32,
        /// Who claimed it first.
        first: u32,
        /// Who claims it as well.
        second: u32,
    },
    /// A block in use that the bitmap says is free.
    #[error("block {block} of inode {inode} is free according to the bitmap")]
    UsedButFree {
        /// The block.
        block: u32,
        /// Its owner.
        inode: u32,
    },
    /// A block that the bitmap says is in use but nobody owns.
    #[error("block {0} is in use according to the bitmap, but belongs to no file")]
    LostBlock(u32),
    /// A directory entry for an inode that is free.
    #[error("directory {directory} has the name {name:?} for inode {inode}, which is free")]
    DanglingName {
        /// The directory.
        directory: u32,
        /// The name.
        name: String,
        /// The inode.
        inode: u32,
    },
    /// A name that occurs twice in a directory.
    #[error("directory {directory} has the name {name:?} twice")]
    RepeatedName {
        /// The directory.
        directory: u32,
        /// The name.
        name: String,
    },
    /// A directory without its two first names, or with wrong ones.
    #[error("directory {0} lacks a correct . or ..")]
    BadDots(u32),
    /// An inode in use without names: a kernel frees it when it boots.
    #[error("inode {0} is in use, but has no names")]
    Orphan(u32),
    /// A link count that differs from the number of names.
    #[error("inode {inode} counts {said} links, but has {found}")]
    WrongLinks {
        /// The inode.
        inode: u32,
        /// By the inode.
        said: u16,
        /// By the directories.
        found: u32,
    },
}

impl Problem {
    /// The inode that it is about, if it is about one: that of a name, for a name.
    pub fn inode(&self) -> Option<u32> {
        match *self {
            Problem::UnknownKind { inode, .. }
            | Problem::UsedButFree { inode, .. }
            | Problem::DanglingName { inode, .. }
            | Problem::WrongLinks { inode, .. }
            | Problem::Orphan(inode)
            | Problem::BadDots(inode) => Some(inode),
            Problem::RepeatedName { directory, .. } => Some(directory),
            Problem::Unreadable(_) | Problem::SharedBlock { .. } | Problem::LostBlock(_) => None,
        }
    }

    /// Whether both are of one kind and about one inode.
    fn is_like(&self, other: &Problem) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && self.inode() == other.inode()
    }
}

impl Image {
    /// What is wrong with names and the counts of links, and was not already wrong `before`.
    pub fn check_names_since(&self, before: &[Problem]) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.check_names(&mut problems);
        problems.retain(|problem| !before.iter().any(|known| known.is_like(problem)));
        problems
    }

    /// Checks the whole image: inodes, blocks, bitmap, directories, link counts. An empty list
    /// means that all is well.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = self.check_blocks();
        self.check_names(&mut problems);
        problems
    }

    /// Checks inodes, blocks and bitmap, and no names.
    pub fn check_blocks(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut owners: HashMap<u32, u32> = HashMap::new();
        for number in 1..self.layout.inodes {
            let blocks = match self.owned_blocks(number) {
                Ok(blocks) => blocks,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            for block in blocks {
                if let Some(&first) = owners.get(&block) {
                    problems.push(Problem::SharedBlock {
                        block,
                        first,
                        second: number,
                    });
                    continue;
                }
                owners.insert(block, number);
                if !self.in_use(block) {
                    problems.push(Problem::UsedButFree {
                        block,
                        inode: number,
                    });
                }
            }
        }
        let lost = self
            .layout
            .data_area()
            .filter(|&block| self.in_use(block) && !owners.contains_key(&block));
        problems.extend(lost.map(Problem::LostBlock));
        problems
    }

    /// All blocks that an inode holds, beyond its size as well.
    fn owned_blocks(&self, number: u32) -> Result<Vec<u32>, Problem> {
        let inode = self.inode(number)?;
        if Kind::from_number(inode.kind).is_none() {
            return Err(Problem::UnknownKind {
                inode: number,
                kind: inode.kind,
            });
        }
        if inode.kind == Kind::Free as u16 {
            return Ok(Vec::new());
        }
        if inode.size as usize > self.largest_file() {
            return Err(Problem::Unreadable(Error::BadSize {
                inode: number,
                size: inode.size,
                most: self.largest_file(),
            }));
        }
        let mut blocks = inode.addresses.to_vec();
        blocks.extend(self.indirect_addresses(number, inode.addresses[self.direct_blocks])?);
        blocks.retain(|&block| block != 0);
        match blocks
            .iter()
            .find(|&&block| !self.layout.data_area().contains(&block))
        {
            Some(&block) => Err(Problem::Unreadable(Error::BadBlock {
                inode: number,
                block,
            })),
            None => Ok(blocks),
        }
    }

    /// Walks the directories from the root, counting the names of each inode.
    fn check_names(&self, problems: &mut Vec<Problem>) {
        let mut names: HashMap<u32, u32> = HashMap::new();
        let mut waiting = vec![(ROOT_INODE, ROOT_INODE)];
        let mut seen = HashSet::from([ROOT_INODE]);
        while let Some((directory, parent)) = waiting.pop() {
            let entries = match self.entries(directory, "") {
                Ok(entries) => entries,
                Err(error) => {
                    problems.push(error.into());
                    continue;
                }
            };
            self.check_directory(directory, parent, &entries, problems);
            for entry in entries {
                let child = u32::from(entry.inode);
                if entry.is_called(b".") {
                    continue;
                }
                *names.entry(child).or_default() += 1;
                let is_directory = self
                    .inode(child)
                    .is_ok_and(|inode| inode.kind == Kind::Directory as u16);
                if is_directory && !entry.is_called(b"..") && seen.insert(child) {
                    waiting.push((child, directory));
                }
            }
        }
        for number in 1..self.layout.inodes {
            let Ok(inode) = self.inode(number) else {
                continue;
            };
            if inode.kind == Kind::Free as u16 {
                continue;
            }
            let found = names.get(&number).copied().unwrap_or(0);
            if u32::from(inode.links) != found {
                problems.push(Problem::WrongLinks {
                    inode: number,
                    said: inode.links,
                    found,
                });
            } else if found == 0 {
                problems.push(Problem::Orphan(number));
            }
        }
    }

    fn check_directory(
        &self,
        directory: u32,
        parent: u32,
        entries: &[DirectoryEntry],
        problems: &mut Vec<Problem>,
    ) {
        let dot = |name: &[u8], inode: u32| {
            entries
                .iter()
                .any(|entry| entry.is_called(name) && u32::from(entry.inode) == inode)
        };
        if !dot(b".", directory) || !dot(b"..", parent) {
            problems.push(Problem::BadDots(directory));
        }
        let mut sorted: Vec<_> = entries.iter().map(DirectoryEntry::name).collect();
        sorted.sort_unstable();
        for pair in sorted.windows(2).filter(|pair| pair[0] == pair[1]) {
            problems.push(Problem::RepeatedName {
                directory,
                name: String::from_utf8_lossy(pair[0]).into_owned(),
            });
        }
        for entry in entries {
            let free = match self.inode(entry.inode.into()) {
                Ok(inode) => inode.kind == Kind::Free as u16,
                Err(_) => true,
            };
            if free {
                problems.push(Problem::DanglingName {
                    directory,
                    name: String::from_utf8_lossy(entry.name()).into_owned(),
                    inode: entry.inode.into(),
                });
            }
        }
    }
}
