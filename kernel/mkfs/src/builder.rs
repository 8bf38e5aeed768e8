//! Makes an image from nothing, laid out as the C kernel's `mkfs` does.

use abi::file_system::{BLOCK_SIZE, DiskInode, Kind, MAGIC, ROOT_INODE, SUPER_BLOCK, SuperBlock};
use abi::limits::LOG_BLOCKS;

use crate::image::BLOCK_SIZES;
use crate::{Error, Image};

/// Most blocks of an image: 1 GiB in xv6's, far beyond what xv6 is used with.
const MAX_BLOCKS: u32 = 1 << 20;

/// Makes a file-system image from nothing.
///
/// ```
/// let image = mkfs::Builder::new()
///     .file("README", b"hello")
///     .device("console", 1, 0)
///     .build()?;
/// assert_eq!(image.read_file("README")?, b"hello");
/// # Ok::<(), mkfs::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    blocks: u32,
    block_bytes: usize,
    inodes: u32,
    contents: Vec<(String, Content)>,
}

#[derive(Clone, Debug)]
enum Content {
    File(Vec<u8>),
    Directory,
    Device { major: u16, minor: u16 },
}

impl Default for Builder {
    fn default() -> Builder {
        Builder {
            blocks: 2000,
            block_bytes: BLOCK_SIZE,
            inodes: 200,
            contents: Vec::new(),
        }
    }
}

impl Builder {
    /// An empty image of the C kernel's size: 2000 blocks, 200 inodes.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Sets the number of blocks of the whole image.
    pub fn blocks(mut self, blocks: u32) -> Builder {
        self.blocks = blocks;
        self
    }

    /// Sets the size of a block: 512, 1024 (the default, as in xv6), 2048, 4096 or 8192 bytes.
    pub fn blocks_of(mut self, bytes: usize) -> Builder {
        self.block_bytes = bytes;
        self
    }

    /// Sets the number of inodes; number 0 is never used and number 1 is the root directory.
    pub fn inodes(mut self, inodes: u32) -> Builder {
        self.inodes = inodes;
        self
    }

    /// Adds a file, in the order of the calls.
    pub fn file(self, path: &str, bytes: &[u8]) -> Builder {
        self.add(path, Content::File(bytes.to_vec()))
    }

    /// Adds an empty directory.
    pub fn directory(self, path: &str) -> Builder {
        self.add(path, Content::Directory)
    }

    /// Adds a device file.
    pub fn device(self, path: &str, major: u16, minor: u16) -> Builder {
        self.add(path, Content::Device { major, minor })
    }

    fn add(mut self, path: &str, content: Content) -> Builder {
        self.contents.push((path.into(), content));
        self
    }

    /// Makes the image.
    ///
    /// # Errors
    /// Something does not fit, or a name is bad or given twice.
    pub fn build(&self) -> Result<Image, Error> {
        let mut image = self.empty()?;
        for (path, content) in &self.contents {
            match content {
                Content::File(_) if image.find(path).is_ok() => {
                    return Err(Error::Exists(path.clone()));
                }
                Content::File(bytes) => image.replace_file(path, bytes)?,
                Content::Directory => image.create_directory(path)?,
                Content::Device { major, minor } => image.create_device(path, *major, *minor)?,
            }
        }
        Ok(image)
    }

    fn empty(&self) -> Result<Image, Error> {
        if !BLOCK_SIZES.contains(&self.block_bytes) {
            return Err(Error::BadLayout(
                "a block has 512 bytes, or twice that, up to 8192",
            ));
        }
        if self.blocks > MAX_BLOCKS || self.inodes > 1 << 16 {
            return Err(Error::BadLayout(
                "at most 1048576 blocks and 65536 inodes are possible",
            ));
        }
        // As the C mkfs counts: one block more than needed where the division is exact.
        let inode_blocks = self.inodes / (self.block_bytes / DiskInode::SIZE) as u32 + 1;
        let bitmap_blocks = self.blocks / (self.block_bytes * 8) as u32 + 1;
        let log_blocks = LOG_BLOCKS as u32 + 1;
        let log_start = SUPER_BLOCK + 1;
        let meta_blocks = log_start + log_blocks + inode_blocks + bitmap_blocks;
        let layout = SuperBlock {
            magic: MAGIC,
            size: self.blocks,
            data_blocks: self.blocks.saturating_sub(meta_blocks),
            inodes: self.inodes,
            log_blocks,
            log_start,
            inode_start: log_start + log_blocks,
            bitmap_start: log_start + log_blocks + inode_blocks,
        };
        if meta_blocks >= self.blocks {
            return Err(Error::OutOfBlocks);
        }
        let mut bytes = vec![0; self.blocks as usize * self.block_bytes];
        let start = SUPER_BLOCK as usize * self.block_bytes;
        bytes[start..start + SuperBlock::SIZE].copy_from_slice(&layout.encode());

        let mut image = Image::open(bytes)?;
        for block in 0..meta_blocks {
            image.set_in_use(block, true);
        }
        let root = DiskInode {
            kind: Kind::Directory as u16,
            links: 1,
            ..DiskInode::default()
        };
        image.set_inode(ROOT_INODE, &root)?;
        image.add_entry(ROOT_INODE, ROOT_INODE, ".")?;
        image.add_entry(ROOT_INODE, ROOT_INODE, "..")?;
        Ok(image)
    }
}
