//! Amounts for `sbrk`: small ones, enormous ones, and exact distances to a place.

use crate::layout::{Layout, PAGE_SIZE, page_ceiling};
use std::fmt;

/// Where an amount starts counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// Nothing: the amount is pages and bytes.
    Nothing,
    /// 2 to the power of this, 0 to 63. 2^63 is the smallest 64-bit integer, as it wraps.
    Power(u8),
    /// Minus 2 to the power of this, 0 to 63.
    MinusPower(u8),
    /// What brings the program break to this place.
    Distance(Place),
}

/// A place whose distance from the program break makes an interesting amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Address 0.
    Zero,
    /// The start of the heap.
    Heap,
    /// The next page boundary at or above the break.
    PageEnd,
    /// The trapframe: the largest break there can be.
    Trapframe,
    /// The end of virtual addresses.
    MaxVa,
}

impl Place {
    /// All places, in the order of their binary codes.
    pub const ALL: [Place; 5] = [
        Place::Zero,
        Place::Heap,
        Place::PageEnd,
        Place::Trapframe,
        Place::MaxVa,
    ];

    /// The word that stands for the place in text.
    pub fn word(self) -> &'static str {
        match self {
            Place::Zero => "zero",
            Place::Heap => "heap",
            Place::PageEnd => "page",
            Place::Trapframe => "trapframe",
            Place::MaxVa => "maxva",
        }
    }
}

/// The amount by which `sbrk` is asked to move the program break: a base, and pages and bytes more.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    base: Base,
    pages: i16,
    bytes: i16,
}

impl Amount {
    /// `base` and `pages` pages and `bytes` bytes more. Exponents are taken modulo 64.
    pub fn new(base: Base, pages: i16, bytes: i16) -> Amount {
        let base = match base {
            Base::Power(exponent) => Base::Power(exponent % 64),
            Base::MinusPower(exponent) => Base::MinusPower(exponent % 64),
            other => other,
        };
        Amount { base, pages, bytes }
    }

    /// So many pages.
    pub fn pages(pages: i16) -> Amount {
        Amount::new(Base::Nothing, pages, 0)
    }

    /// So many bytes.
    pub fn bytes(bytes: i16) -> Amount {
        Amount::new(Base::Nothing, 0, bytes)
    }

    /// What the amount starts from.
    pub fn base(self) -> Base {
        self.base
    }

    /// Whole pages beyond the base.
    pub fn extra_pages(self) -> i16 {
        self.pages
    }

    /// Bytes beyond the base and the pages.
    pub fn extra_bytes(self) -> i16 {
        self.bytes
    }

    /// The number to pass, for a process whose program break is `program_break`. Wraps at 2^64.
    pub fn resolve(self, layout: &Layout, program_break: u64) -> i64 {
        let to = |place: u64| place.wrapping_sub(program_break) as i64;
        let base = match self.base {
            Base::Nothing => 0,
            Base::Power(exponent) => (1u64 << exponent) as i64,
            Base::MinusPower(exponent) => (1u64 << exponent).wrapping_neg() as i64,
            Base::Distance(Place::Zero) => to(0),
            Base::Distance(Place::Heap) => to(layout.heap),
            Base::Distance(Place::PageEnd) => to(page_ceiling(program_break)),
            Base::Distance(Place::Trapframe) => to(layout.trapframe),
            Base::Distance(Place::MaxVa) => to(layout.max_va),
        };
        base.wrapping_add(i64::from(self.pages) * PAGE_SIZE as i64)
            .wrapping_add(i64::from(self.bytes))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.base {
            Base::Nothing => {}
            Base::Power(exponent) => write!(f, "+2^{exponent}")?,
            Base::MinusPower(exponent) => write!(f, "-2^{exponent}")?,
            Base::Distance(place) => write!(f, "to {}", place.word())?,
        }
        if self.pages != 0 {
            write!(f, "{:+}p", self.pages)?;
        }
        if self.bytes != 0 || (self.pages == 0 && self.base == Base::Nothing) {
            write!(f, "{:+}", self.bytes)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
