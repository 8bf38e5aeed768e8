//! The second argument of `sbrk`: how memory is allocated.

/// Allocate the new pages before `sbrk` returns; fail if there are not enough frames.
pub const EAGER: u32 = 1;
/// Only reserve; the first touch of a page allocates it. Our kernel takes any other value for this.
pub const LAZY: u32 = 2;
