//! Directories and paths: finding, listing, replacing and removing files.

use abi::file_system::{DirectoryEntry, DiskInode, Kind, NAME_SIZE, ROOT_INODE};

use crate::{Error, Image};

/// One entry of a directory, as [`Image::list`] gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name; bytes that are not UTF-8 are replaced.
    pub name: String,
    /// Its inode's number.
    pub inode: u32,
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub size: u32,
}

impl Image {
    /// The bytes of the file at `path` (components separated by `/`, from the root).
    ///
    /// # Errors
    /// There is no such file, or the image is damaged there.
    pub fn read_file(&self, path: &str) -> Result<Vec<u8>, Error> {
        let number = self.find(path)?;
        match self.inode(number)?.kind {
            kind if kind == Kind::File as u16 => self.read_inode_data(number),
            _ => Err(Error::NotAFile(path.into())),
        }
    }

    /// The entries of the directory at `path`; `/` or an empty path is the root.
    ///
    /// # Errors
    /// There is no such directory, or the image is damaged there.
    pub fn list(&self, path: &str) -> Result<Vec<Entry>, Error> {
        let number = self.find(path)?;
        let mut entries = Vec::new();
        for entry in self.entries(number, path)? {
            let inode = self.inode(entry.inode.into())?;
            entries.push(Entry {
                name: String::from_utf8_lossy(entry.name()).into_owned(),
                inode: entry.inode.into(),
                kind: Kind::from_number(inode.kind).unwrap_or(Kind::Free),
                size: inode.size,
            });
        }
        Ok(entries)
    }

    /// Makes `bytes` the contents of the file at `path`, which is created if it does not exist.
    /// On an error the image is as it was.
    ///
    /// # Errors
    /// The parent does not exist, the path names no file, the image is full or damaged.
    pub fn replace_file(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let most = self.largest_file();
        if bytes.len() > most {
            return Err(Error::TooLarge {
                name: path.into(),
                size: bytes.len(),
                most,
            });
        }
        self.transact(|image| {
            let number = match image.find(path) {
                Ok(number) => number,
                Err(Error::NotFound(_)) => image.create(path, Kind::File, 0, 0)?,
                Err(error) => return Err(error),
            };
            if image.inode(number)?.kind != Kind::File as u16 {
                return Err(Error::NotAFile(path.into()));
            }
            image.write_inode_data(number, bytes)
        })
    }

    /// Makes an empty directory at `path`. On an error the image is as it was.
    ///
    /// # Errors
    /// The parent does not exist, the name exists, the image is full or damaged.
    pub fn create_directory(&mut self, path: &str) -> Result<(), Error> {
        self.transact(|image| image.create(path, Kind::Directory, 0, 0).map(|_| ()))
    }

    /// Makes a device file at `path`. On an error the image is as it was.
    ///
    /// # Errors
    /// The parent does not exist, the name exists, the image is full or damaged.
    pub fn create_device(&mut self, path: &str, major: u16, minor: u16) -> Result<(), Error> {
        self.transact(|image| image.create(path, Kind::Device, major, minor).map(|_| ()))
    }

    /// Removes the name `path` of a file or device, and the file with its last name. On an error
    /// the image is as it was.
    ///
    /// # Errors
    /// There is no such file, or the image is damaged there.
    pub fn remove_file(&mut self, path: &str) -> Result<(), Error> {
        self.transact(|image| {
            let (parent, name) = image.parent(path)?;
            let number = image.find(path)?;
            let mut inode = image.inode(number)?;
            if inode.kind == Kind::Directory as u16 {
                return Err(Error::NotAFile(path.into()));
            }
            let mut bytes = image.read_inode_data(parent)?;
            let (entries, _) = bytes.as_chunks_mut();
            for bytes in entries {
                let entry = DirectoryEntry::decode(bytes);
                if entry.inode != 0 && entry.is_called(name.as_bytes()) {
                    *bytes = DirectoryEntry::default().encode();
                }
            }
            image.write_inode_data(parent, &bytes)?;
            inode.links = inode.links.saturating_sub(1);
            image.set_inode(number, &inode)?;
            match inode.links {
                0 => image.release_inode(number),
                _ => Ok(()),
            }
        })
    }

    /// Applies `change`, or leaves the image as it was.
    fn transact(
        &mut self,
        change: impl FnOnce(&mut Image) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let before = self.bytes.clone();
        let result = change(self);
        if result.is_err() {
            self.bytes = before;
        }
        result
    }

    /// The inode at `path`.
    pub(crate) fn find(&self, path: &str) -> Result<u32, Error> {
        let mut number = ROOT_INODE;
        for name in components(path) {
            number = self
                .entries(number, path)?
                .into_iter()
                .find(|entry| entry.is_called(name.as_bytes()))
                .map(|entry| entry.inode.into())
                .ok_or_else(|| Error::NotFound(path.into()))?;
        }
        Ok(number)
    }

    /// The directory that holds `path`, and the name in it.
    fn parent<'p>(&self, path: &'p str) -> Result<(u32, &'p str), Error> {
        let path = path.trim_end_matches('/');
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let reserved = matches!(name, "" | "." | "..");
        if reserved || name.len() > NAME_SIZE || name.contains('\0') {
            return Err(Error::BadName(name.into()));
        }
        Ok((self.find(parent)?, name))
    }

    /// The entries in use of a directory.
    pub(crate) fn entries(&self, number: u32, path: &str) -> Result<Vec<DirectoryEntry>, Error> {
        if self.inode(number)?.kind != Kind::Directory as u16 {
            return Err(Error::NotADirectory(path.into()));
        }
        let bytes = self.read_inode_data(number)?;
        let (entries, _) = bytes.as_chunks();
        Ok(entries
            .iter()
            .map(DirectoryEntry::decode)
            .filter(|entry| entry.inode != 0)
            .collect())
    }

    /// Makes an empty inode and names it; a directory with its `.` and `..`.
    fn create(&mut self, path: &str, kind: Kind, major: u16, minor: u16) -> Result<u32, Error> {
        let (parent, name) = self.parent(path)?;
        if self
            .entries(parent, path)?
            .iter()
            .any(|entry| entry.is_called(name.as_bytes()))
        {
            return Err(Error::Exists(path.into()));
        }
        let number = self.free_inode()?;
        let inode = DiskInode {
            kind: kind as u16,
            major,
            minor,
            links: 1,
            ..DiskInode::default()
        };
        self.set_inode(number, &inode)?;
        self.add_entry(parent, number, name)?;
        if kind == Kind::Directory {
            self.add_entry(number, number, ".")?;
            self.add_entry(number, parent, "..")?;
            let mut inode = self.inode(parent)?;
            inode.links = inode.links.saturating_add(1);
            self.set_inode(parent, &inode)?;
        }
        Ok(number)
    }

    /// Names inode `number` in a directory: in the first unused entry, else at the end.
    pub(crate) fn add_entry(
        &mut self,
        directory: u32,
        number: u32,
        name: &str,
    ) -> Result<(), Error> {
        let inode = u16::try_from(number).map_err(|_| Error::OutOfInodes)?;
        let new = DirectoryEntry::new(inode, name.as_bytes()).encode();
        let mut bytes = self.read_inode_data(directory)?;
        let (entries, _) = bytes.as_chunks_mut();
        let unused = entries
            .iter_mut()
            .find(|entry| DirectoryEntry::decode(entry).inode == 0);
        match unused {
            Some(entry) => *entry = new,
            None => {
                bytes.truncate(bytes.len() / DirectoryEntry::SIZE * DirectoryEntry::SIZE);
                bytes.extend_from_slice(&new);
            }
        }
        self.write_inode_data(directory, &bytes)
    }
}

fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}
