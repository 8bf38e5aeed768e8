//! Paths: from names to inodes, and the operations that change what names mean. All of them run
//! inside a transaction.

use abi::file_system::{DirectoryEntry, Kind, NAME_SIZE};

use super::allocation::allocate_inode;
use super::inode::{Inode, InodeReference, get};
use super::{Failed, root};
use crate::scheduling::SleepLock;

/// Held by a process from before it waits for the first of two inodes until it has both. So only
/// one process at a time holds an inode and waits for another, and two never wait for each other,
/// even if a damaged disk has a directory inside itself.
static BOTH_INODES: SleepLock<()> = SleepLock::new(());

/// A name in a path: what lies between slashes, cut to the length of a directory entry's.
type Part<'p> = &'p [u8];

/// Splits the first name off a path. Returns it and the rest, without leading slashes.
fn split(path: &[u8]) -> Option<(Part<'_>, &[u8])> {
    let path = trim(path);
    if path.is_empty() {
        return None;
    }
    let end = path.iter().position(|&byte| byte == b'/');
    let (name, rest) = path.split_at(end.unwrap_or(path.len()));
    Some((&name[..name.len().min(NAME_SIZE)], trim(rest)))
}

fn trim(path: &[u8]) -> &[u8] {
    let start = path.iter().position(|&byte| byte != b'/');
    &path[start.unwrap_or(path.len())..]
}

fn start(directory: Option<&InodeReference>, path: &[u8]) -> InodeReference {
    match directory {
        Some(directory) if path.first() != Some(&b'/') => directory.clone(),
        _ => root(),
    }
}

/// The inode at `path`; a relative path begins at `directory`.
///
/// # Errors
/// There is none.
pub fn find(directory: Option<&InodeReference>, path: &[u8]) -> Result<InodeReference, Failed> {
    let mut inode = start(directory, path);
    let mut rest = path;
    while let Some((name, after)) = split(rest) {
        inode = step(&inode, name)?;
        rest = after;
    }
    Ok(inode)
}

/// The directory that holds the last name of `path`, and that name.
fn find_parent<'p>(
    directory: Option<&InodeReference>,
    path: &'p [u8],
) -> Result<(InodeReference, Part<'p>), Failed> {
    let mut inode = start(directory, path);
    let (mut name, mut rest) = split(path).ok_or(Failed)?;
    while let Some((next, after)) = split(rest) {
        inode = step(&inode, name)?;
        (name, rest) = (next, after);
    }
    Ok((inode, name))
}

fn step(directory: &InodeReference, name: &[u8]) -> Result<InodeReference, Failed> {
    let mut inode = directory.lock()?;
    let found = inode.look_up(name)?.ok_or(Failed)?;
    // While the directory is locked: the name keeps the number from becoming another inode's.
    get(found.entry.inode.into())
}

/// Makes a new inode at `path`. If a file is wanted, a file or device that exists already will do.
///
/// # Errors
/// The name exists already, or there is no room, or no such directory.
pub fn create(
    directory: Option<&InodeReference>,
    path: &[u8],
    kind: Kind,
    major: u16,
    minor: u16,
) -> Result<InodeReference, Failed> {
    let (parent, name) = find_parent(directory, path)?;
    let mut parent_inode = parent.lock()?;
    if let Some(found) = parent_inode.look_up(name)? {
        let existing = get(found.entry.inode.into())?;
        drop(parent_inode);
        let existing_kind = existing.lock()?.kind();
        let usable = matches!(existing_kind, Kind::File | Kind::Device);
        return if kind == Kind::File && usable {
            Ok(existing)
        } else {
            Err(Failed)
        };
    }
    let new = allocate_inode(kind)?;
    let mut inode = new.lock()?;
    inode.set_device(major, minor);
    inode.add_links(1)?;
    inode.update()?;
    let named = name_new(&mut parent_inode, &mut inode, name, kind);
    if named.is_err() {
        // It has no name, so its last reference frees it.
        inode.add_links(-1)?;
        inode.update()?;
    }
    drop(inode);
    named.map(|()| new)
}

/// Gives a new inode its name, and a directory its own first entries.
fn name_new(
    parent: &mut Inode<'_>,
    inode: &mut Inode<'_>,
    name: &[u8],
    kind: Kind,
) -> Result<(), Failed> {
    if kind != Kind::Directory {
        return parent.add_entry(name, inode.number());
    }
    if parent.links() == 0 {
        // It was removed. Counting the child's ".." would bring it back.
        return Err(Failed);
    }
    inode.add_entry(b".", inode.number())?;
    inode.add_entry(b"..", parent.number())?;
    // For the child's "..".
    parent.add_links(1)?;
    let added = parent.add_entry(name, inode.number());
    if added.is_err() {
        parent.add_links(-1)?;
    }
    parent.update()?;
    added
}

/// Gives the file at `old` a second name, `new`.
///
/// # Errors
/// There is no such file, it is a directory, or the new name exists or cannot be made.
pub fn link(directory: Option<&InodeReference>, old: &[u8], new: &[u8]) -> Result<(), Failed> {
    let (old_parent, old_name) = find_parent(directory, old)?;
    let file = step(&old_parent, old_name)?;
    let mut inode = file.lock()?;
    if inode.kind() == Kind::Directory {
        return Err(Failed);
    }
    inode.add_links(1)?;
    inode.update()?;
    drop(inode);
    let named = find_parent(directory, new).and_then(|(parent, name)| {
        if (parent.number(), name) == (old_parent.number(), old_name) {
            // It was there a moment ago. If another process has removed it since, that must not make a difference.
            return Err(Failed);
        }
        let mut parent = parent.lock()?;
        match parent.look_up(name)? {
            Some(_) => Err(Failed),
            None => parent.add_entry(name, file.number()),
        }
    });
    if named.is_err() {
        let mut inode = file.lock()?;
        inode.add_links(-1)?;
        inode.update()?;
    }
    named
}

/// Removes the name `path`.
///
/// # Errors
/// There is no such name, it is `.` or `..`, or a directory that is not empty.
pub fn unlink(directory: Option<&InodeReference>, path: &[u8]) -> Result<(), Failed> {
    let (parent, name) = find_parent(directory, path)?;
    if matches!(name, b"." | b"..") {
        return Err(Failed);
    }
    let both = BOTH_INODES.lock();
    let mut parent_inode = parent.lock()?;
    let found = parent_inode.look_up(name)?.ok_or(Failed)?;
    let file = get(found.entry.inode.into())?;
    if file.number() == parent.number() {
        return Err(Failed);
    }
    let mut inode = file.lock()?;
    drop(both);
    let removed = remove(&mut parent_inode, found.offset, &mut inode);
    drop(inode);
    // Before `file`: if that is its last reference, the drop frees the file, which takes long.
    drop(parent_inode);
    removed
}

/// Removes the entry at `offset` of `parent`, which names `inode`.
fn remove(parent: &mut Inode<'_>, offset: u32, inode: &mut Inode<'_>) -> Result<(), Failed> {
    let is_directory = inode.kind() == Kind::Directory;
    if is_directory && !inode.is_empty_directory()? {
        return Err(Failed);
    }
    inode.add_links(-1)?;
    parent.write_entry(offset, DirectoryEntry::default())?;
    inode.update()?;
    if is_directory {
        // The child's ".." goes.
        parent.add_links(-1)?;
        parent.update()?;
    }
    Ok(())
}
