//! Modes of `open`.

/// Open for reading only.
pub const READ_ONLY: u32 = 0x000;
/// Open for writing only.
pub const WRITE_ONLY: u32 = 0x001;
/// Open for reading and writing.
pub const READ_WRITE: u32 = 0x002;
/// Create the file if it does not exist.
pub const CREATE: u32 = 0x200;
/// Throw the file's contents away.
pub const TRUNCATE: u32 = 0x400;
