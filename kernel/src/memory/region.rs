//! Regions: what a program may do with which of its addresses. They are the truth about an
//! address space; its page table only caches what they allow.

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

/// A range of pages of one kind: text, data, the stack, or the guard page, which allows nothing.
#[derive(Clone)]
pub struct Region {
    /// Its pages.
    pub pages: PageRange,
    /// What may be done there.
    pub permissions: Permissions,
}

/// Most regions of a program: segments of its file, guard page, stack.
const CAPACITY: usize = 10;

/// The regions of an address space other than its heap: ascending, without overlap.
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
            pages: Page::containing(0)..Page::containing(0),
            permissions: Permissions::NONE,
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
