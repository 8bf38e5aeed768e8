//! RAM: the bytes, and for each page what must happen before they may be written directly.
//!
//! A machine that came from a snapshot holds the pages it touched; the others stay in the shared
//! [`Image`] until their first use. What was written since is listed, so that going back costs
//! what was dirtied.

use super::fence::Fences;
use super::old_code::{COPIES, OldCode};
use super::{PAGE_BYTES, PAGE_MASK};
use crate::config::RAM_BASE;
use crate::defect::Defect;
use crate::devices::GuestMemory;
use std::sync::Arc;

const PAGE_SHIFT: u32 = PAGE_BYTES.trailing_zeros();
/// Bytes of code for each bit of a page's code map.
const GRANULE_SHIFT: u32 = PAGE_SHIFT - 6;

/// What is known of a page. Any of [`Flags::GUARDED`] forbids a direct write.
pub(crate) struct Flags;

impl Flags {
    /// Written since the snapshot, and on the list of dirty pages.
    pub(crate) const DIRTY: u8 = 1 << 0;
    /// The content is still in the image only.
    pub(crate) const ABSENT: u8 = 1 << 1;
    /// Blocks were decoded from it.
    pub(crate) const CODE: u8 = 1 << 2;
    /// A walk read it as a last-level page table.
    pub(crate) const LEAF_TABLE: u8 = 1 << 3;
    /// A walk read it as a page table of a higher level.
    pub(crate) const UPPER_TABLE: u8 = 1 << 4;
    /// A hart that is not running holds a reservation in it.
    pub(crate) const RESERVED: u8 = 1 << 5;
    /// On the list of pages that were page tables since the snapshot.
    pub(crate) const LISTED: u8 = 1 << 6;

    pub(crate) const TABLE: u8 = Self::LEAF_TABLE | Self::UPPER_TABLE;
    /// Stores have to take the slow path.
    pub(crate) const GUARDED: u8 = Self::ABSENT | Self::CODE | Self::TABLE | Self::RESERVED;
}

/// The bytes of a page.
type Page = [u8; PAGE_BYTES as usize];

/// The content of RAM at a snapshot: for each page its bytes, or `None` if they are all zeros.
pub(crate) struct Image {
    pages: Vec<Option<Box<Page>>>,
}

impl Image {
    /// The content of a page; `None` if it is all zeros.
    fn page(&self, page: usize) -> Option<&Page> {
        self.pages[page].as_deref()
    }
}

/// RAM and its bookkeeping. Addresses are *offsets* from [`RAM_BASE`].
pub(crate) struct Ram {
    /// RAM, and beyond it copies of overwritten code.
    bytes: Box<[u8]>,
    size: u64,
    flags: Box<[u8]>,
    /// One bit for each 64 bytes of a page that code was decoded from.
    code: Box<[u64]>,
    /// Last place of a direct write entry for the page: see [`Ram::note_writer`].
    writers: Box<[u32]>,
    dirty: Vec<u32>,
    tables: Vec<u32>,
    base: Option<Arc<Image>>,
    /// Pages whose decoded code is out of date.
    stale_code: Vec<u32>,
    /// Pages that became guarded while a direct write entry may exist.
    newly_guarded: Vec<u32>,
    /// What the next fence of each hart must forget.
    pub(crate) fences: Fences,
    /// Code that was overwritten.
    pub(crate) old_code: OldCode,
}

impl Ram {
    /// RAM full of zeros. The host commits memory as it is touched.
    pub(crate) fn new(bytes: u64, harts: usize, strict: bool) -> Ram {
        let pages = (bytes >> PAGE_SHIFT) as usize + COPIES;
        Ram {
            bytes: vec![0; pages << PAGE_SHIFT].into_boxed_slice(),
            size: bytes,
            flags: vec![0; pages].into_boxed_slice(),
            code: vec![0; pages].into_boxed_slice(),
            writers: vec![0; pages].into_boxed_slice(),
            dirty: Vec::new(),
            tables: Vec::new(),
            base: None,
            stale_code: Vec::new(),
            newly_guarded: Vec::new(),
            fences: Fences::new(harts, strict),
            old_code: OldCode::new(harts),
        }
    }

    /// RAM with the content of `image`, copied page by page as it is used.
    pub(crate) fn from_image(image: &Arc<Image>, harts: usize, strict: bool) -> Ram {
        let mut ram = Ram::new((image.pages.len() as u64) << PAGE_SHIFT, harts, strict);
        for (flags, page) in ram.flags.iter_mut().zip(&image.pages) {
            *flags = if page.is_some() { Flags::ABSENT } else { 0 };
        }
        ram.base = Some(Arc::clone(image));
        ram
    }

    /// Bytes of RAM.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Where this hart sees the code at `offset`: there, or in a copy of what was there.
    pub(crate) fn seen_code(&self, hart: usize, offset: u64) -> u64 {
        match self.old_code.copy(hart, page_of(offset) as u32) {
            Some(copy) => self.size + u64::from(copy) * PAGE_BYTES + (offset & PAGE_MASK),
            None => offset,
        }
    }

    /// The offset of a physical range that lies entirely inside RAM.
    pub(crate) fn offset(&self, address: u64, length: u64) -> Option<u64> {
        let offset = address.wrapping_sub(RAM_BASE);
        let room = self.size().checked_sub(length)?;
        (offset <= room).then_some(offset)
    }

    /// Checks an offset that comes from a TLB entry or from a block: the bytes lie in one page of
    /// RAM or in a copy of one, or else there is a defect.
    pub(crate) fn check(&self, offset: u64, length: u64) -> Result<(), Defect> {
        if offset < self.bytes.len() as u64 && (offset & PAGE_MASK) + length <= PAGE_BYTES {
            Ok(())
        } else {
            Err(Defect::new("an access outside its page of RAM", offset))
        }
    }

    /// Reads a value of 1, 2, 4 or 8 bytes that a TLB entry says is present; `offset` comes from
    /// that entry. `None`: it leads outside RAM, which is a defect.
    #[inline(always)]
    pub(crate) fn load<const WIDTH: usize>(&self, offset: u64) -> Option<u64> {
        let at = offset as usize;
        number(self.bytes.get(at..at.wrapping_add(WIDTH))?)
    }

    /// Writes a value to a page that a TLB entry allows direct writes to. `None`, with nothing
    /// written: the entry leads outside RAM, which is a defect.
    #[inline(always)]
    #[must_use]
    pub(crate) fn store<const WIDTH: usize>(
        &mut self,
        offset: u64,
        value: [u8; WIDTH],
    ) -> Option<()> {
        let at = offset as usize;
        let bytes = self.bytes.get_mut(at..at.wrapping_add(WIDTH))?;
        bytes.copy_from_slice(&value);
        Some(())
    }

    /// Writes `element` `count` times to a page that a TLB entry allows direct writes to.
    pub(crate) fn fill(&mut self, offset: u64, element: &[u8], count: u64) -> Result<(), Defect> {
        let length = element.len() as u64 * count;
        self.check(offset, length)?;
        let bytes = &mut self.bytes[offset as usize..(offset + length) as usize];
        let first = element[0];
        if element.iter().all(|byte| *byte == first) {
            bytes.fill(first);
        } else {
            for place in bytes.chunks_exact_mut(element.len()) {
                place.copy_from_slice(element);
            }
        }
        Ok(())
    }

    /// Copies between pages that TLB entries allow reading and direct writing of.
    pub(crate) fn copy(&mut self, from: u64, to: u64, length: u64) -> Result<(), Defect> {
        self.check(from, length)?;
        self.check(to, length)?;
        let source = from as usize..(from + length) as usize;
        self.bytes.copy_within(source, to as usize);
        Ok(())
    }

    /// One, two, four or eight bytes inside one page, brought in from the image first.
    pub(crate) fn value(&mut self, offset: u64, width: u64) -> Result<u64, Defect> {
        let bytes = self.present(offset, width)?;
        number(bytes).ok_or_else(|| Defect::new("a value of no known width", width))
    }

    /// Bytes inside one page, brought in from the image first.
    pub(crate) fn present(&mut self, offset: u64, length: u64) -> Result<&[u8], Defect> {
        self.check(offset, length)?;
        self.bring_in(page_of(offset));
        Ok(&self.bytes[offset as usize..(offset + length) as usize])
    }

    /// The doubleword at a physical address, with its offset, without bringing the page in; `None`
    /// if it is not in RAM.
    #[inline]
    pub(crate) fn peek(&self, address: u64) -> Option<(u64, u64)> {
        let offset = self.offset(address, 8)?;
        if self.flags[page_of(offset)] & Flags::ABSENT == 0 {
            return Some((offset, self.load::<8>(offset)?));
        }
        let mut bytes = [0; 8];
        self.read_page(offset, &mut bytes);
        Some((offset, u64::from_le_bytes(bytes)))
    }

    /// The content of the page at `offset`, which lies in RAM; `None` if it is known to be all zeros.
    pub(crate) fn page(&self, offset: u64) -> Option<&[u8]> {
        let page = page_of(offset);
        if self.flags[page] & Flags::ABSENT != 0 {
            let image = self.base.as_ref()?;
            return image.page(page).map(|bytes| bytes.as_slice());
        }
        let start = page << PAGE_SHIFT;
        Some(&self.bytes[start..start + PAGE_BYTES as usize])
    }

    /// The walk sets bits of a page-table entry: nothing that a fence would have to forget.
    pub(crate) fn update_entry(&mut self, offset: u64, pte: u64) {
        let page = page_of(offset);
        let tables = self.flags[page] & Flags::TABLE;
        self.flags[page] &= !Flags::TABLE;
        self.write_guarded(offset, &pte.to_le_bytes());
        self.flags[page] |= tables;
    }

    /// Copies bytes of one page out, without bringing the page in.
    pub(super) fn read_page(&self, offset: u64, out: &mut [u8]) {
        let page = page_of(offset);
        let absent = self.flags[page] & Flags::ABSENT != 0;
        match self.base.as_ref().filter(|_| absent) {
            Some(image) => {
                let start = (offset & PAGE_MASK) as usize;
                match image.page(page) {
                    Some(bytes) => out.copy_from_slice(&bytes[start..start + out.len()]),
                    None => out.fill(0),
                }
            }
            None => out.copy_from_slice(&self.bytes[offset as usize..offset as usize + out.len()]),
        }
    }

    fn bring_in(&mut self, page: usize) {
        if self.flags[page] & Flags::ABSENT == 0 {
            return;
        }
        self.flags[page] &= !Flags::ABSENT;
        if let Some(bytes) = self.base.as_ref().and_then(|image| image.page(page)) {
            let start = page << PAGE_SHIFT;
            self.bytes[start..start + PAGE_BYTES as usize].copy_from_slice(bytes);
        }
    }

    fn mark_dirty(&mut self, page: usize) {
        if self.flags[page] & Flags::DIRTY == 0 {
            self.flags[page] |= Flags::DIRTY;
            self.dirty.push(page as u32);
        }
    }

    /// May a direct write entry be installed for the page? Prepares it if so.
    pub(crate) fn prepare_direct_write(&mut self, offset: u64) -> bool {
        let page = page_of(offset);
        self.bring_in(page);
        self.mark_dirty(page);
        self.flags[page] & Flags::GUARDED == 0
    }

    /// A store that has no direct write entry: does all the bookkeeping. The bytes lie in one page.
    pub(crate) fn write_guarded(&mut self, offset: u64, data: &[u8]) {
        let page = page_of(offset);
        let at = offset as usize;
        self.bring_in(page);
        self.mark_dirty(page);
        if self.flags[page] & Flags::TABLE != 0 {
            self.note_table_store(offset, data);
        }
        if self.flags[page] & Flags::CODE != 0 {
            let first = (offset & PAGE_MASK) >> GRANULE_SHIFT;
            let last = ((offset & PAGE_MASK) + data.len() as u64 - 1) >> GRANULE_SHIFT;
            let touched = (u64::MAX << first) & (u64::MAX >> (63 - last));
            if self.code[page] & touched != 0 && self.bytes[at..at + data.len()] != *data {
                self.keep_code(page);
                self.forget_code(page);
            }
        }
        let place = &mut self.bytes[at..at + data.len()];
        // A copy of a known length needs no call.
        match data {
            [a] => place.copy_from_slice(&[*a]),
            [a, b] => place.copy_from_slice(&[*a, *b]),
            [a, b, c, d] => place.copy_from_slice(&[*a, *b, *c, *d]),
            [a, b, c, d, e, f, g, h] => {
                place.copy_from_slice(&[*a, *b, *c, *d, *e, *f, *g, *h]);
            }
            _ => place.copy_from_slice(data),
        }
    }

    fn note_table_store(&mut self, offset: u64, data: &[u8]) {
        let page = page_of(offset);
        let is_upper = self.flags[page] & Flags::UPPER_TABLE != 0;
        let precise = data.len() == 8 && offset.is_multiple_of(8) && !is_upper;
        let first = offset & !7;
        let last = (offset + data.len() as u64 - 1) & !7;
        let mut valid = false;
        for entry in (first..=last).step_by(8) {
            valid |= self.bytes[entry as usize] & 1 != 0;
        }
        let unflag = if !valid {
            self.fences.quiet_store()
        } else if precise {
            self.fences.leaf_changed(((offset & PAGE_MASK) / 8) as u16)
        } else {
            self.fences.everything_changed();
            true
        };
        if unflag {
            // Every hart forgets everything at its next fence, so nothing more need be noticed.
            self.flags[page] &= !Flags::TABLE;
        }
    }

    /// A walk has read a page table here.
    pub(crate) fn note_table(&mut self, offset: u64, is_upper: bool) {
        let page = page_of(offset);
        let flag = if is_upper {
            Flags::UPPER_TABLE
        } else {
            Flags::LEAF_TABLE
        };
        if self.flags[page] & flag == 0 {
            if self.flags[page] & Flags::LISTED == 0 {
                self.tables.push(page as u32);
            }
            self.guard(page, flag | Flags::LISTED);
        }
        self.fences.walked();
    }

    fn guard(&mut self, page: usize, flag: u8) {
        self.flags[page] |= flag;
        if self.writers[page] != 0 {
            self.newly_guarded.push(page as u32);
        }
    }

    /// A hart that stops running holds a reservation in this page: let stores be noticed.
    pub(crate) fn note_reservation(&mut self, offset: u64) {
        self.guard(page_of(offset), Flags::RESERVED);
    }

    /// No hart holds a reservation in this page any more.
    pub(crate) fn drop_reservation(&mut self, offset: u64) {
        self.flags[page_of(offset)] &= !Flags::RESERVED;
    }

    /// Code was decoded from these bytes, which lie in one page.
    pub(crate) fn note_code(&mut self, offset: u64, length: u64) {
        let page = page_of(offset);
        let first = (offset & PAGE_MASK) >> GRANULE_SHIFT;
        let last = ((offset & PAGE_MASK) + length.max(1) - 1) >> GRANULE_SHIFT;
        self.code[page] |= (u64::MAX << first) & (u64::MAX >> (63 - last.min(63)));
        if self.flags[page] & Flags::CODE == 0 {
            self.guard(page, Flags::CODE);
        }
    }

    /// The code in this page is about to be overwritten.
    fn keep_code(&mut self, page: usize) {
        let Some(copy) = self.old_code.overwritten(page as u32) else {
            return;
        };
        let copy = page_of(self.size) + copy as usize;
        if self.flags[copy] & Flags::CODE != 0 {
            self.forget_code(copy);
        }
        let old = page << PAGE_SHIFT;
        let old = old..old + PAGE_BYTES as usize;
        self.bytes.copy_within(old, copy << PAGE_SHIFT);
    }

    fn forget_code(&mut self, page: usize) {
        self.flags[page] &= !Flags::CODE;
        self.code[page] = 0;
        self.stale_code.push(page as u32);
    }

    /// Does the running hart have to leave its block before it continues?
    #[inline]
    pub(crate) fn is_unsettled(&self) -> bool {
        !self.stale_code.is_empty() || !self.newly_guarded.is_empty()
    }

    /// A page whose decoded code must be dropped, as its page number.
    pub(crate) fn take_stale_code(&mut self) -> Option<u32> {
        self.stale_code.pop()
    }

    /// A page that lost the right to direct writes, with where its write entry may be.
    pub(crate) fn take_newly_guarded(&mut self) -> Option<(u32, u32)> {
        let page = self.newly_guarded.pop()?;
        Some((page, std::mem::take(&mut self.writers[page as usize])))
    }

    /// Where a direct write entry for the page may be: 0 for nowhere.
    pub(crate) fn writer(&self, offset: u64) -> u32 {
        self.writers[page_of(offset)]
    }

    /// Remembers where a direct write entry for the page is.
    pub(crate) fn note_writer(&mut self, offset: u64, place: u32) {
        self.writers[page_of(offset)] = place;
    }

    /// The content now becomes the base that [`Ram::reset`] goes back to.
    pub(crate) fn snapshot(&mut self) -> Arc<Image> {
        let mut image = Image {
            pages: vec![None; page_of(self.size)],
        };
        // Everything else was never written, and is zero.
        let mut written: Vec<usize> = self.dirty.iter().map(|page| *page as usize).collect();
        if let Some(base) = &self.base {
            let in_base = base.pages.iter().enumerate().filter(|(_, at)| at.is_some());
            let clean = in_base.filter(|(page, _)| self.flags[*page] & Flags::DIRTY == 0);
            written.extend(clean.map(|(page, _)| page));
        }
        for page in written {
            let bytes = self.page((page as u64) << PAGE_SHIFT);
            if let Some(bytes) = bytes.filter(|bytes| bytes.iter().any(|byte| *byte != 0)) {
                image.pages[page] = bytes.first_chunk().copied().map(Box::new);
            }
        }
        let image = Arc::new(image);
        for page in self.dirty.drain(..) {
            self.flags[page as usize] &= !Flags::DIRTY;
        }
        self.writers.fill(0);
        self.base = Some(Arc::clone(&image));
        image
    }

    /// Physical addresses of the pages written since the snapshot.
    pub(crate) fn dirty_pages(&self) -> impl Iterator<Item = u64> {
        let pages = self.dirty.iter();
        pages.map(|page| RAM_BASE + (u64::from(*page) << PAGE_SHIFT))
    }

    /// Gives every dirty page its content at the snapshot back; returns how many there were.
    ///
    /// No translation may be in use: the caller forgets them all.
    pub(crate) fn reset(&mut self) -> usize {
        let Some(base) = self.base.clone() else {
            return 0;
        };
        let dirty = std::mem::take(&mut self.dirty);
        for page in dirty.iter().map(|page| *page as usize) {
            let start = page << PAGE_SHIFT;
            let bytes = &mut self.bytes[start..start + PAGE_BYTES as usize];
            let old = base.page(page);
            if self.flags[page] & Flags::CODE != 0 && code_differs(self.code[page], bytes, old) {
                self.flags[page] &= !Flags::CODE;
                self.code[page] = 0;
                self.stale_code.push(page as u32);
            }
            match old {
                Some(old) => bytes.copy_from_slice(old),
                None => bytes.fill(0),
            }
            self.flags[page] &= !(Flags::DIRTY | Flags::RESERVED);
            self.writers[page] = 0;
        }
        let count = dirty.len();
        self.dirty = dirty;
        self.dirty.clear();
        for page in self.tables.drain(..) {
            self.flags[page as usize] &= !(Flags::TABLE | Flags::LISTED);
        }
        self.newly_guarded.clear();
        self.fences.clear();
        self.old_code.clear();
        count
    }
}

impl GuestMemory for Ram {
    fn read(&self, address: u64, out: &mut [u8]) -> bool {
        let Some(mut offset) = self.offset(address, out.len() as u64) else {
            return false;
        };
        let mut rest = out;
        while !rest.is_empty() {
            let room = (PAGE_BYTES - (offset & PAGE_MASK)) as usize;
            let (now, later) = rest.split_at_mut(room.min(rest.len()));
            self.read_page(offset, now);
            offset += now.len() as u64;
            rest = later;
        }
        true
    }

    fn write(&mut self, address: u64, data: &[u8]) -> bool {
        let Some(mut offset) = self.offset(address, data.len() as u64) else {
            return false;
        };
        let mut rest = data;
        while !rest.is_empty() {
            let room = (PAGE_BYTES - (offset & PAGE_MASK)) as usize;
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.write_guarded(offset, now);
            offset += now.len() as u64;
            rest = later;
        }
        true
    }
}

/// Do the bytes that code was decoded from differ from what the page goes back to?
fn code_differs(map: u64, bytes: &[u8], old: Option<&Page>) -> bool {
    let size = 1 << GRANULE_SHIFT;
    bytes.chunks_exact(size).enumerate().any(|(at, granule)| {
        map >> at & 1 != 0
            && match old {
                Some(old) => granule != &old[at * size..(at + 1) * size],
                None => granule.iter().any(|byte| *byte != 0),
            }
    })
}

/// What one, two, four or eight bytes are as a number.
#[inline(always)]
fn number(bytes: &[u8]) -> Option<u64> {
    Some(match bytes.len() {
        1 => u64::from(bytes[0]),
        2 => u64::from(u16::from_le_bytes(*bytes.first_chunk()?)),
        4 => u64::from(u32::from_le_bytes(*bytes.first_chunk()?)),
        8 => u64::from_le_bytes(*bytes.first_chunk()?),
        _ => return None,
    })
}

fn page_of(offset: u64) -> usize {
    (offset >> PAGE_SHIFT) as usize
}
