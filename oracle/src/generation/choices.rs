//! Where choices come from: a fuzzer's bytes, or a seed.

use arbitrary::Unstructured;

/// A source of choices.
pub(super) trait Choices {
    /// A number below `count`, which is not 0.
    fn below(&mut self, count: u32) -> u32;

    /// True once in this many times.
    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }
}

impl Choices for Unstructured<'_> {
    fn below(&mut self, count: u32) -> u32 {
        // Bytes that have run out choose 0, as everywhere in `arbitrary`.
        self.int_in_range(0..=count - 1).unwrap_or(0)
    }
}

/// Choices from a seed: SplitMix64 (Steele, Lea, Flood, 2014).
#[derive(Clone, Debug)]
pub(super) struct Seeded(pub(super) u64);

impl Choices for Seeded {
    fn below(&mut self, count: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (((mixed >> 32) * u64::from(count)) >> 32) as u32
    }
}
