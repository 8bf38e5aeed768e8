//! Regions: what a program may do with which of its addresses, and what it finds there. They are
//! the truth about an address space; its page table only caches what they allow.

use abi::layout::PAGE_SIZE;

use crate::address::{Page, PageRange};

/// What a program does to memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reads it.
    Load,
    /// Writes it.
    Store,
    /// Executes it.
    Fetch,
}

/// A set of accesses. The bits are those of a page-table entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Permissions(u8);

impl Permissions {
    /// No access at all.
    pub const NONE: Permissions = Permissions(0);
    /// Loads.
    pub const READ: Permissions = Permissions(1 << 1);
    /// Stores.
    pub const WRITE: Permissions = Permissions(1 << 2);
    /// Fetches.
    pub const EXECUTE: Permissions = Permissions(1 << 3);
    /// Loads and stores.
    pub const READ_WRITE: Permissions = Self::READ.and(Self::WRITE);

    /// Both sets together.
    pub const fn and(self, other: Permissions) -> Permissions {
        Permissions(self.0 | other.0)
    }

    /// Whether `access` is among them.
    #[inline]
    pub const fn allow(self, access: Access) -> bool {
        let needed = match access {
            Access::Load => Self::READ,
            Access::Store => Self::WRITE,
            Access::Fetch => Self::EXECUTE,
        };
        self.0 & needed.0 != 0
    }

    /// The permissions that a page-table entry's permission bits grant.
    #[inline]
    pub(super) const fn from_bits(bits: u8) -> Permissions {
        Permissions(bits)
    }

    /// The bits of a page-table entry that say the same.
    #[inline]
    pub const fn bits(self) -> u64 {
        self.0 as u64
    }
}

/// What a region is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The program's instructions and constants.
    Text,
    /// The program's variables.
    Data,
    /// The page below the stack that no program may touch.
    Guard,
    /// The stack.
    Stack,
    /// What `sbrk` moves the end of.
    Heap,
}

/// What a page of a region holds before it is first written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Backing {
    /// Nothing: the region never has pages.
    Nothing,
    /// Zeros.
    Zeros,
    /// These bytes of the program's file, then zeros.
    File {
        /// The first byte's offset in the file.
        offset: u32,
        /// How many bytes; `offset + length` is at most the file's size.
        length: u32,
    },
}

/// A part of the program's file: at most a page.
#[derive(Clone, Copy)]
pub struct FilePart {
    /// The first byte's offset in the file.
    pub offset: u32,
    /// How many bytes.
    pub length: usize,
}

/// A range of pages of one kind.
#[derive(Clone)]
pub struct Region {
    /// What it is for.
    pub kind: Kind,
    /// Its pages.
    pub pages: PageRange,
    /// What may be done there.
    pub permissions: Permissions,
    /// What its pages hold at first.
    pub backing: Backing,
}

impl Region {
    /// A heap of these pages.
    pub fn heap(pages: PageRange) -> Region {
        Region {
            kind: Kind::Heap,
            pages,
            permissions: Permissions::READ_WRITE,
            backing: Backing::Zeros,
        }
    }

    /// Its pages that begin with bytes of the program's file.
    pub fn file_pages(&self) -> PageRange {
        let bytes = match self.backing {
            Backing::File { length, .. } => u64::from(length),
            Backing::Nothing | Backing::Zeros => 0,
        };
        let end = Page::at_or_after(self.pages.start.start().0.saturating_add(bytes));
        self.pages.start..end
    }

    /// The part of the program's file that `page`, a page of this region, begins with. `None` if it
    /// begins with zeros.
    pub fn file_part(&self, page: Page) -> Option<FilePart> {
        let Backing::File { offset, length } = self.backing else {
            return None;
        };
        let pages = page.number().checked_sub(self.pages.start.number())?;
        let distance = u32::try_from(pages.checked_mul(PAGE_SIZE)?).ok()?;
        let left = length.checked_sub(distance).filter(|&left| left > 0)?;
        Some(FilePart {
            offset: offset.checked_add(distance)?,
            length: left.min(PAGE_SIZE as u32) as usize,
        })
    }
}

/// Most regions of a program: segments of its file, guard page, stack.
const CAPACITY: usize = 10;

/// The regions of a program image, which are those of an address space but its heap: ascending,
/// without overlap.
#[derive(Clone)]
pub struct Regions {
    regions: [Region; CAPACITY],
    count: usize,
}

/// A region overlaps one that exists, does not ascend, or is one too many.
#[derive(Debug)]
pub struct BadRegion;

impl Regions {
    /// No regions.
    pub const fn new() -> Regions {
        const UNUSED: Region = Region {
            kind: Kind::Guard,
            pages: Page::containing(0)..Page::containing(0),
            permissions: Permissions::NONE,
            backing: Backing::Nothing,
        };
        Regions {
            regions: [UNUSED; CAPACITY],
            count: 0,
        }
    }

    /// The regions in use.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        self.regions.iter().take(self.count)
    }

    /// Where the last one ends.
    pub fn end(&self) -> Page {
        self.iter()
            .last()
            .map_or(Page::containing(0), |region| region.pages.end)
    }

    /// How many pages the program's file backs.
    pub fn file_pages(&self) -> u64 {
        let counts = self.iter().map(|region| {
            let pages = region.file_pages();
            pages.end.number() - pages.start.number()
        });
        counts.sum()
    }

    /// One beyond the last page that the program's file backs.
    pub fn file_end(&self) -> Page {
        let ends = self.iter().map(Region::file_pages);
        let ends = ends.filter(|pages| !pages.is_empty());
        ends.last().map_or(Page::containing(0), |pages| pages.end)
    }

    /// Adds a region above the others.
    pub fn push(&mut self, region: Region) -> Result<(), BadRegion> {
        if region.pages.start < self.end() || region.pages.end < region.pages.start {
            return Err(BadRegion);
        }
        let slot = self.regions.get_mut(self.count).ok_or(BadRegion)?;
        *slot = region;
        self.count += 1;
        Ok(())
    }

    /// The region that holds `page`.
    #[inline]
    pub fn find(&self, page: Page) -> Option<&Region> {
        self.iter().find(|region| region.pages.contains(&page))
    }
}
