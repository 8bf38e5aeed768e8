//! Addresses: where cases look, and how near to the end of a page.

use super::{Scene, weights};
use crate::case::{Address, Region};

/// Makes an address.
pub(super) type Maker = fn(&mut Scene<'_>) -> Address;

impl Scene<'_> {
    /// An address as the profile prefers it.
    pub(super) fn address(&mut self) -> Address {
        self.weighted(weights::ADDRESSES)(self)
    }

    /// Offsets that matter: the start of a page, its end, just before its end, anything.
    pub(super) fn offset(&mut self) -> u16 {
        match self.below(6) {
            0 | 1 => 0,
            2 => 0xff8,
            3 => 0xfff - self.below(8) as u16,
            4 => self.below(64) as u16,
            _ => self.below(4096) as u16,
        }
    }

    /// The last bytes of a page, so that an access there may reach into the next page.
    pub(super) fn last_bytes(&mut self) -> u16 {
        match self.below(3) {
            0 => 0xfff - self.below(128) as u16,
            _ => 0xfff - self.below(12) as u16,
        }
    }
}

/// The first pages of the heap.
pub(super) fn heap(scene: &mut Scene<'_>) -> Address {
    Address::new(Region::Heap, scene.below(4) as i16, scene.offset())
}

/// Two pages to either side of the break.
pub(super) fn near_break(scene: &mut Scene<'_>) -> Address {
    let page = scene.below(4) as i16 - 2;
    Address::new(Region::Break, page, scene.offset())
}

/// What is likely to be memory.
pub(super) fn memory(scene: &mut Scene<'_>) -> Address {
    let region = scene.pick(&[Region::Data, Region::Stack, Region::Heap, Region::Break]);
    let page = if region == Region::Break { -1 } else { 0 };
    Address::new(region, page, scene.offset())
}

/// Memory, a few bytes before the end of a page.
pub(super) fn page_end(scene: &mut Scene<'_>) -> Address {
    let address = scene.pick(&[memory as Maker, heap, near_break])(scene);
    Address::new(address.region(), address.page(), scene.last_bytes())
}

/// The inside of a hole in the heap.
pub(super) fn middle(scene: &mut Scene<'_>) -> Address {
    Address::new(Region::Middle, scene.below(3) as i16 - 1, scene.offset())
}

/// The pages of a stack, whether it grows or not, and what lies beyond its two ends.
pub(super) fn stack(scene: &mut Scene<'_>) -> Address {
    let pages = scene.stack_pages() as i16;
    let page = match scene.below(4) {
        0 => -1,
        1 => pages - 1,
        _ => scene.below(pages as u32 + 2) as i16 - 1,
    };
    Address::new(Region::Stack, page, scene.offset())
}

/// The guard page, and the page to either side.
pub(super) fn guard(scene: &mut Scene<'_>) -> Address {
    let page = match scene.below(3) {
        0 => scene.below(3) as i16 - 1,
        _ => 0,
    };
    Address::new(Region::Guard, page, scene.offset())
}

/// What the program's file holds: code and data.
pub(super) fn image(scene: &mut Scene<'_>) -> Address {
    let region = scene.pick(&[Region::Text, Region::Data, Region::Data]);
    Address::new(region, scene.below(3) as i16, scene.offset())
}

/// Where a program's segments, guard page and stack may end or begin, and the pages beyond.
pub(super) fn around_the_image(scene: &mut Scene<'_>) -> Address {
    let region = scene.pick(&[
        Region::Text,
        Region::Data,
        Region::Data,
        Region::Guard,
        Region::Stack,
    ]);
    let page = match scene.below(4) {
        0 => -1 - scene.below(3) as i16,
        1 => 38 + scene.below(4) as i16,
        _ => scene.below(4) as i16,
    };
    Address::new(region, page, scene.offset())
}

/// Any region, near its start; any power of two.
pub(super) fn anywhere(scene: &mut Scene<'_>) -> Address {
    let region = scene.pick(&Region::ALL);
    let page = match region {
        Region::Anywhere => scene.below(64) as i16,
        _ => scene.below(4) as i16 - 1,
    };
    Address::new(region, page, scene.offset())
}
