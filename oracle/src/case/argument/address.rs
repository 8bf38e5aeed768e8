//! Addresses as (region, page, offset), so that mutation stays near what matters.

use super::{Argument, form, position, sign_extend};
use crate::case::binary::Record;
use crate::case::parse::{Line, Parsed};
use crate::case::text_error::{Complaint, meant};
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

    /// The region that the lower half of `code` means: in random bytes mostly the heap.
    pub(super) fn from_code(code: u8) -> Region {
        match code & 0xf {
            code @ 0..=11 => Region::ALL[usize::from(code)],
            14 => Region::Break,
            _ => Region::Heap,
        }
    }

    pub(super) fn code(self) -> u8 {
        position(&Region::ALL, &self)
    }

    /// The word for the region in text.
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

/// Bytes 1 to 4: region and offset form in byte 1, offset and page form in bytes 2 and 3, page in 4.
impl Argument for Address {
    type Value = Address;

    const IS_ADDRESS: bool = true;

    fn decode(record: &Record) -> Address {
        let region = Region::from_code(record[1]);
        let packed = u16::from_le_bytes([record[2], record[3]]);
        let (exact, page_form) = (packed & 0xfff, (packed >> 12) as u8);
        let offset = match form(record) {
            1..=4 => 0,
            // The last eight bytes of a page: a wide access there straddles its end.
            5..=7 => 0xff8 + (exact & 7),
            8 | 9 => 0xfff,
            10 => exact & 0x3f,
            _ => exact,
        };
        let page = if region == Region::Anywhere {
            i16::from(record[4] % 64)
        } else if page_form < FAR_PAGE {
            sign_extend(u16::from(record[4]), 3)
        } else {
            sign_extend(
                u16::from(page_form - FAR_PAGE) << 8 | u16::from(record[4]),
                11,
            )
        };
        Address::new(region, page, offset)
    }

    fn encode(address: Address, record: &mut Record) {
        record[1] = address.region.code();
        let page = address.page as u16;
        let form = u16::from(FAR_PAGE) | (page >> 8 & 7);
        record[2..4].copy_from_slice(&(form << 12 | address.offset).to_le_bytes());
        record[4] = page as u8;
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Address> {
        let (region, start) = parse_region(line)?;
        let mut page = 0;
        if line.symbol('[')? {
            (page, _) = line.signed("a page number")?;
            line.expect_symbol(']', "`]`")?;
        }
        let mut offset = 0;
        // No blank before the sign: `store8 heap -1` stores -1.
        if line.continues_with(|c| c == '+' || c == '-') {
            (offset, _) = line.signed("a number of bytes")?;
        }
        let at = start..line.position();
        if region == Region::Anywhere {
            if (0..64).contains(&page) && (0..4096).contains(&offset) {
                return Ok(Address::new(region, page as i16, offset as u16));
            }
            let message = "`anywhere[n]` is 2^n, n from 0 to 63, and up to 4095 bytes more";
            return Err(Complaint::new(at, message));
        }
        let page = page + offset.div_euclid(4096);
        let offset = offset.rem_euclid(4096);
        let fitting = i16::try_from(page)
            .ok()
            .filter(|page| Address::PAGES.contains(page));
        let page = fitting.ok_or_else(|| {
            let (low, high) = (Address::PAGES.start(), Address::PAGES.end());
            let message = format!("page {page} is out of range: pages are {low} to {high}");
            Complaint::new(at, message).help("`break`, `middle` and `anywhere[n]` reach further")
        })?;
        Ok(Address::new(region, page, offset as u16))
    }

    fn print(address: Address, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {address}")
    }

    /// Pages and offsets nearer to 0, and the heap instead of regions that lie near it or move.
    fn simpler(address: Address) -> Vec<Address> {
        let (region, page, offset) = (address.region, address.page, address.offset);
        let mut simpler = Vec::new();
        if matches!(region, Region::Middle | Region::Stack | Region::Data) {
            simpler.push(Address::new(Region::Heap, page, offset));
        }
        if region == Region::Break {
            simpler.extend((0..3).map(|page| Address::new(Region::Heap, page, offset)));
        }
        if region != Region::Anywhere {
            for nearer in [0, page / 2, page - page.signum()] {
                if nearer.unsigned_abs() < page.unsigned_abs() {
                    simpler.push(Address::new(region, nearer, offset));
                }
            }
        }
        for rounder in [0, offset & !0xff, offset & !7] {
            if rounder < offset {
                simpler.push(Address::new(region, page, rounder));
            }
        }
        simpler
    }

    fn address(address: Address) -> Option<Address> {
        Some(address)
    }

    fn with_address(_address: Address, new: Address) -> Address {
        new
    }
}

/// Page form from which on the page has eleven bits.
const FAR_PAGE: u8 = 8;

/// A region's word, and where it begins.
fn parse_region(line: &mut Line<'_>) -> Parsed<(Region, usize)> {
    let (name, at) = line.name()?;
    let words = || Region::ALL.iter().map(|region| region.word());
    if let Some(region) = Region::ALL.into_iter().find(|region| region.word() == name) {
        return Ok((region, at.start));
    }
    if name.is_empty() {
        return Err(line.found("an address, such as `heap[1]+0xff8`"));
    }
    let complaint = Complaint::new(at, format!("there is no region `{name}`"));
    Err(match meant(name, words()) {
        Some(other) => complaint.help(format!("did you mean `{other}`?")),
        None => {
            let words: Vec<_> = words().collect();
            complaint.help(format!("there are {}", words.join(", ")))
        }
    })
}
