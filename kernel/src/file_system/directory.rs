//! Directories: arrays of names and inode numbers.

use abi::file_system::{DirectoryEntry, Kind};

use super::Failed;
use super::inode::Inode;

/// An entry and its offset in the directory.
pub(super) struct Found {
    pub(super) entry: DirectoryEntry,
    pub(super) offset: u32,
}

impl Inode<'_> {
    /// The first entry that `wanted` accepts.
    fn find_entry(
        &mut self,
        mut wanted: impl FnMut(u32, &DirectoryEntry) -> bool,
    ) -> Result<Option<Found>, Failed> {
        if self.kind() != Kind::Directory {
            return Err(Failed);
        }
        let mut found = None;
        let size = self.size();
        let read = self.read(0, size, |position, part| {
            // Entries do not straddle blocks, because their size divides a block's.
            let (entries, _) = part.as_chunks();
            for (index, bytes) in entries.iter().enumerate() {
                let entry = DirectoryEntry::decode(bytes);
                let offset = (position + index * DirectoryEntry::SIZE) as u32;
                if wanted(offset, &entry) {
                    found = Some(Found { entry, offset });
                    // Enough is read.
                    return Err(Failed);
                }
            }
            Ok(())
        });
        match found {
            Some(found) => Ok(Some(found)),
            None => read.map(|_| None),
        }
    }

    /// The entry called `name`. A directory that was removed but is still the current directory of
    /// a process has no entries, not even `..`: its parent may be gone, or another inode by now.
    pub(super) fn look_up(&mut self, name: &[u8]) -> Result<Option<Found>, Failed> {
        if self.links() == 0 {
            return Ok(None);
        }
        self.find_entry(|_, entry| entry.inode != 0 && entry.is_called(name))
    }

    /// Adds an entry. The caller has checked that no entry has that name.
    ///
    /// # Errors
    /// The disk is full, or the directory was removed, so that no path leads to it.
    pub(super) fn add_entry(&mut self, name: &[u8], number: u32) -> Result<(), Failed> {
        if self.links() == 0 || !(self.size() as usize).is_multiple_of(DirectoryEntry::SIZE) {
            return Err(Failed);
        }
        let unused = self.find_entry(|_, entry| entry.inode == 0)?;
        let offset = unused.map_or(self.size(), |found| found.offset);
        let inode = u16::try_from(number).map_err(|_| Failed)?;
        self.write_entry(offset, DirectoryEntry::new(inode, name))
    }

    /// Writes the entry at `offset`.
    pub(super) fn write_entry(&mut self, offset: u32, entry: DirectoryEntry) -> Result<(), Failed> {
        let bytes = entry.encode();
        let written = self.write(offset, bytes.len(), |position, part| {
            part.copy_from_slice(&bytes[position..position + part.len()]);
            Ok(())
        })?;
        if written == bytes.len() {
            Ok(())
        } else {
            Err(Failed)
        }
    }

    /// Whether it holds only `.` and `..`, which are its first two entries.
    pub(super) fn is_empty_directory(&mut self) -> Result<bool, Failed> {
        let other = self.find_entry(|offset, entry| {
            offset >= 2 * DirectoryEntry::SIZE as u32 && entry.inode != 0
        })?;
        Ok(other.is_none())
    }
}
