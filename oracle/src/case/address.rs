//! Addresses as (region, page, offset), so that mutation stays near what matters.

use crate::layout::{Layout, PAGE_SIZE, page_floor};
use std::fmt;

/// What the page number of an [`Address`] counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// The agent's code.
    Text,
    /// The agent's data.
    Data,
    /// The guard page below the stack.
    Guard,
    /// The stack.
    Stack,
    /// The start of the heap.
    Heap,
    /// The process's program break, exactly (it need not be page aligned).
    Break,
    /// The page half way between the start of the heap and the break: the inside of a hole.
    Middle,
    /// The trapframe.
    Trapframe,
    /// The trampoline.
    Trampoline,
    /// The end of the virtual addresses that the kernel uses.
    MaxVa,
    /// Kernel memory.
    Kernel,
    /// Anywhere: here the page number is an exponent, and the address a power of two.
    Anywhere,
}

impl Region {
    /// All regions, in the order of their binary codes.
    pub const ALL: [Region; 12] = [
        Region::Text,
        Region::Data,
        Region::Guard,
        Region::Stack,
        Region::Heap,
        Region::Break,
        Region::Middle,
        Region::Trapframe,
        Region::Trampoline,
        Region::MaxVa,
        Region::Kernel,
        Region::Anywhere,
    ];

    /// The word that stands for the region in text.
    pub fn word(self) -> &'static str {
        match self {
            Region::Text => "text",
            Region::Data => "data",
            Region::Guard => "guard",
            Region::Stack => "stack",
            Region::Heap => "heap",
            Region::Break => "break",
            Region::Middle => "middle",
            Region::Trapframe => "trapframe",
            Region::Trampoline => "trampoline",
            Region::MaxVa => "maxva",
            Region::Kernel => "kernel",
            Region::Anywhere => "anywhere",
        }
    }
}

/// A user address, relative to something that matters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    region: Region,
    page: i16,
    offset: u16,
}

impl Address {
    /// The page numbers that can be written: about 4 MiB to either side.
    pub const PAGES: std::ops::RangeInclusive<i16> = -1024..=1023;

    /// The page numbers of a second address in one operation, which has fewer bits.
    pub const NEAR_PAGES: std::ops::RangeInclusive<i16> = -128..=127;

    /// The address `offset` bytes into page `page` of `region`.
    ///
    /// What cannot be written is brought into range: the page into [`Self::PAGES`] (0 to 63 for
    /// [`Region::Anywhere`], modulo 64), the offset below 4096 (modulo 4096).
    pub fn new(region: Region, page: i16, offset: u16) -> Address {
        let page = match region {
            Region::Anywhere => page.rem_euclid(64),
            _ => page.clamp(*Self::PAGES.start(), *Self::PAGES.end()),
        };
        Address {
            region,
            page,
            offset: offset % PAGE_SIZE as u16,
        }
    }

    /// The same address with its page brought into [`Self::NEAR_PAGES`].
    pub fn near(self) -> Address {
        let page = self.page;
        Address {
            page: page.clamp(*Self::NEAR_PAGES.start(), *Self::NEAR_PAGES.end()),
            ..self
        }
    }

    /// What the page counts from.
    pub fn region(self) -> Region {
        self.region
    }

    /// Pages from the start of the region; the exponent for [`Region::Anywhere`].
    pub fn page(self) -> i16 {
        self.page
    }

    /// Bytes, below 4096.
    pub fn offset(self) -> u16 {
        self.offset
    }

    /// The virtual address, for a process whose program break is `program_break`. Wraps at 2^64.
    pub fn resolve(self, layout: &Layout, program_break: u64) -> u64 {
        let base = match self.region {
            Region::Text => layout.text.start,
            Region::Data => layout.data.start,
            Region::Guard => layout.guard.start,
            Region::Stack => layout.stack.start,
            Region::Heap => layout.heap,
            Region::Break => program_break,
            Region::Middle => {
                page_floor(layout.heap + program_break.saturating_sub(layout.heap) / 2)
            }
            Region::Trapframe => layout.trapframe,
            Region::Trampoline => layout.trampoline,
            Region::MaxVa => layout.max_va,
            Region::Kernel => layout.kernel,
            Region::Anywhere => return (1u64 << self.page).wrapping_add(u64::from(self.offset)),
        };
        base.wrapping_add_signed(i64::from(self.page) * PAGE_SIZE as i64)
            .wrapping_add(u64::from(self.offset))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.region.word(), self.page)?;
        if self.offset != 0 {
            write!(f, "+{:#x}", self.offset)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
