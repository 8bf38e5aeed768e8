//! Numbers for the generator.

/// A small generator of numbers (xorshift*), so that a seed means the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 16) % limit
    }

    pub(crate) fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// A value that is often at an edge.
    pub(crate) fn value(&mut self) -> u64 {
        match self.below(8) {
            0 => self.below(64),
            1 => self.below(64).wrapping_neg(),
            2 => 1 << self.below(64),
            3 => (1 << self.below(64)) - 1,
            4 => u64::MAX << self.below(64),
            5 => self.pick(&[
                0x7fff_ffff,
                0x8000_0000,
                0xffff_ffff,
                1 << 63,
                (1 << 63) - 1,
            ]),
            _ => self.next(),
        }
    }
}
