//! The program break: growth, holes, what is left after shrinking.

use crate::case::{Address, Amount, Base, Call, Flavour, Place, Region, Stride, Width};
use crate::generation::{Scene, addresses, amounts, operations};
use crate::layout::PAGE_SIZE;
use std::num::NonZeroU8;

/// A lazy `sbrk`.
pub(super) fn grow(amount: Amount) -> Call {
    Call::Sbrk {
        amount,
        flavour: Flavour::Lazy,
    }
}

/// Grow, and touch around the new end.
pub(crate) fn grow_and_touch(scene: &mut Scene<'_>) {
    let amount = amounts::small(scene);
    scene.does(grow(amount));
    let address = addresses::near_break(scene);
    let access = operations::access_at(address, scene);
    scene.does(access);
}

/// Grow by much.
pub(crate) fn grow_far(scene: &mut Scene<'_>) {
    let amount = amounts::large(scene);
    scene.does(grow(amount));
}

/// Grow by much, and touch inside the hole.
pub(crate) fn grow_far_and_touch(scene: &mut Scene<'_>) {
    grow_far(scene);
    let middle = Address::new(Region::Middle, 0, scene.offset());
    let access = operations::access_at(middle, scene);
    scene.does(access);
}

/// Store, and look again.
pub(crate) fn store_and_look(scene: &mut Scene<'_>) {
    let address = scene.address();
    let width = scene.width();
    let value = scene.value();
    scene.does(Call::Store {
        width,
        address,
        value,
    });
    scene.does(Call::Load { width, address });
}

/// Store, shrink past it, grow again, look: it must be gone.
pub(crate) fn shrink_and_regrow(scene: &mut Scene<'_>) {
    let pages = 1 + scene.below(3) as i16;
    let address = Address::new(Region::Break, -1, scene.offset());
    let width = Width::One;
    scene.does(grow(Amount::pages(pages)));
    let value = scene.value();
    scene.does(Call::Store {
        width,
        address,
        value,
    });
    scene.does(grow(Amount::pages(-pages)));
    scene.does(grow(Amount::pages(pages)));
    scene.does(Call::Load { width, address });
}

/// Store into the last page, shrink into it or past it by bytes, look, and grow by as many again:
/// what lies below the lower break stays.
pub(crate) fn shrink_by_bytes(scene: &mut Scene<'_>) {
    scene.does(grow(Amount::new(Base::Distance(Place::PageEnd), 1, 0)));
    let offset = scene.offset();
    let width = Width::One;
    let value = scene.value();
    scene.does(Call::Store {
        width,
        address: Address::new(Region::Break, -1, offset),
        value,
    });
    let bytes = match scene.below(3) {
        // Just above what was stored.
        0 => 0xfff_u16.saturating_sub(offset).max(1),
        _ => 1 + scene.below(4095) as u16,
    };
    scene.does(grow(Amount::bytes(-(bytes as i16))));
    if scene.one_in(2) {
        // The break is lower now, so the same place has a smaller distance from it.
        let from_break = bytes + offset;
        let page = (from_break / PAGE_SIZE as u16) as i16 - 1;
        let address = Address::new(Region::Break, page, from_break);
        scene.does(Call::Load { width, address });
    }
    scene.does(grow(Amount::bytes(bytes as i16)));
    let address = Address::new(Region::Break, -1, offset);
    scene.does(Call::Load { width, address });
}

/// Many pages that were touched go back at once; perhaps they are shared.
pub(crate) fn shrink_by_many(scene: &mut Scene<'_>) {
    let pages = 6 + scene.below(12) as i16;
    scene.does(grow(Amount::pages(pages)));
    let lowest = Address::new(Region::Break, -pages, scene.offset());
    let count = NonZeroU8::MIN.saturating_add(pages as u8 - 1);
    let touch = operations::touches(lowest, count, Stride::PAGE, !scene.one_in(4));
    scene.does(touch);
    if scene.one_in(3) {
        let child = scene.child();
        scene.does(Call::Fork { child });
    }
    let kept = scene.below(3) as i16;
    scene.does(grow(Amount::pages(kept - pages)));
    if scene.one_in(2) {
        scene.does(grow(Amount::pages(pages - kept)));
    }
    let address = addresses::near_break(scene);
    let access = operations::access_at(address, scene);
    scene.does(access);
}

/// A break inside a page, and accesses to either side of it: the rest of the page may be there or
/// not, the next one may not.
pub(crate) fn break_in_a_page(scene: &mut Scene<'_>) {
    let bytes = 1 + scene.below(4095) as i16;
    scene.does(grow(Amount::new(Base::Distance(Place::PageEnd), 0, bytes)));
    for _ in 0..2 {
        let page = scene.below(2) as i16 - 1;
        let offset = match scene.below(3) {
            0 => 0,
            1 => 0xff8 + scene.below(8) as u16,
            _ => scene.offset(),
        };
        let access = operations::access_at(Address::new(Region::Break, page, offset), scene);
        scene.does(access);
    }
}
