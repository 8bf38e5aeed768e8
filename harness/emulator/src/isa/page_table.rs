//! Bits of a page-table entry (privileged specification, "Sv39").

/// The entry counts.
pub const VALID: u64 = 1 << 0;
/// The page may be loaded from.
pub const READ: u64 = 1 << 1;
/// The page may be stored to.
pub const WRITE: u64 = 1 << 2;
/// The page may be executed.
pub const EXECUTE: u64 = 1 << 3;
/// Programs may use the page.
pub const USER: u64 = 1 << 4;
/// The mapping is that of every address space.
pub const GLOBAL: u64 = 1 << 5;
/// The page was used.
pub const ACCESSED: u64 = 1 << 6;
/// The page was stored to.
pub const DIRTY: u64 = 1 << 7;
/// N, PBMT and the reserved bits: zero without Svnapot and Svpbmt.
pub const RESERVED: u64 = 0x3ff << 54;
