//! Kinds of addresses, as different types: the compiler keeps them apart.

use core::ops::Range;

use abi::layout::{MAX_VIRTUAL, PAGE_SIZE};

/// Position of the page number in an address.
pub const PAGE_SHIFT: u32 = PAGE_SIZE.trailing_zeros();

/// An address that a user program named. It may be any number: it becomes a [`Page`] only if
/// it is below [`MAX_VIRTUAL`], and memory only through `AddressSpace::fault_in`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct UserAddress(pub u64);

impl UserAddress {
    /// The page that holds this address. `None` if the address is at or above [`MAX_VIRTUAL`].
    #[inline]
    pub const fn page(self) -> Option<Page> {
        if self.0 < MAX_VIRTUAL {
            Some(Page::containing(self.0))
        } else {
            None
        }
    }

    /// Bytes from the start of its page.
    #[inline]
    pub const fn offset(self) -> usize {
        (self.0 & (PAGE_SIZE - 1)) as usize
    }

    /// The address `count` bytes further on, if there is one.
    #[inline]
    pub const fn checked_add(self, count: u64) -> Option<UserAddress> {
        match self.0.checked_add(count) {
            Some(sum) => Some(UserAddress(sum)),
            None => None,
        }
    }
}

/// A virtual page, by its number: a virtual address divided by the page size, below
/// `MAX_VIRTUAL / PAGE_SIZE`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Page(u32);

impl Page {
    /// The page of a constant address, or of one that was compared with a limit before.
    #[inline]
    pub const fn containing(address: u64) -> Page {
        Page::numbered((address & (MAX_VIRTUAL - 1)) >> PAGE_SHIFT)
    }

    /// The page of that number, which is at most `MAX_VIRTUAL / PAGE_SIZE`.
    #[inline]
    pub const fn numbered(number: u64) -> Page {
        // At most the number of all pages, which is far below 2^32.
        Page(number as u32)
    }

    /// The first page that begins at or after `address`, which is at most [`MAX_VIRTUAL`].
    #[inline]
    pub const fn at_or_after(address: u64) -> Page {
        Page::numbered(address.div_ceil(PAGE_SIZE))
    }

    /// The page's number.
    #[inline]
    pub const fn number(self) -> u64 {
        self.0 as u64
    }

    /// The address of the page's first byte.
    #[inline]
    pub const fn start(self) -> UserAddress {
        UserAddress(self.number() << PAGE_SHIFT)
    }

    /// The page after this one. It may lie one beyond the last: good as the end of a range.
    #[inline]
    pub const fn next(self) -> Page {
        Page(self.0.wrapping_add(1))
    }
}

/// Pages from `start` up to, but not with, `end`.
pub type PageRange = Range<Page>;

/// A physical address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhysicalAddress(pub u64);
