//! Amounts for `sbrk`: small ones, large ones, and negative ones.

use super::{Scene, weights};
use crate::case::{Amount, Base, Place};

/// Makes an amount.
pub(super) type Maker = fn(&mut Scene<'_>) -> Amount;

impl Scene<'_> {
    /// An amount as the profile prefers it.
    pub(super) fn amount(&mut self) -> Amount {
        self.weighted(weights::AMOUNTS)(self)
    }
}

/// A few pages or bytes more.
pub(super) fn small(scene: &mut Scene<'_>) -> Amount {
    match scene.below(5) {
        0 => Amount::bytes(1 + scene.below(4096) as i16),
        1 => {
            let pages = 1 + scene.below(3) as i16;
            Amount::new(Base::Nothing, pages, scene.below(16) as i16 - 8)
        }
        _ => Amount::pages(1 + scene.below(4) as i16),
    }
}

/// A few pages less.
pub(super) fn fewer_pages(scene: &mut Scene<'_>) -> Amount {
    Amount::pages(-1 - scene.below(3) as i16)
}

/// Up to a page of bytes less.
pub(super) fn fewer_bytes(scene: &mut Scene<'_>) -> Amount {
    Amount::bytes(-1 - scene.below(4096) as i16)
}

/// Nothing: asks where the break is.
pub(super) fn nothing(_: &mut Scene<'_>) -> Amount {
    Amount::bytes(0)
}

/// Back to the start of the heap, or a page above it.
pub(super) fn back(scene: &mut Scene<'_>) -> Amount {
    Amount::new(Base::Distance(Place::Heap), scene.below(2) as i16, 0)
}

/// Near a power of two, up or down, or near the end of something.
pub(super) fn large(scene: &mut Scene<'_>) -> Amount {
    let exponent = match scene.below(3) {
        0 => scene.pick(&[31, 32, 63, 21, 30]),
        _ => scene.below(64) as u8,
    };
    let base = match scene.below(4) {
        0 => Base::MinusPower(exponent),
        1 => Base::Distance(scene.pick(&Place::ALL)),
        _ => Base::Power(exponent),
    };
    let pages = match scene.below(3) {
        0 => scene.below(3) as i16 - 1,
        _ => 0,
    };
    let bytes = match scene.below(2) {
        0 => scene.below(3) as i16 - 1,
        _ => 0,
    };
    Amount::new(base, pages, bytes)
}
