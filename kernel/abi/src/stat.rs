//! What `fstat` tells about a file.

use crate::file_system::Kind;

/// `struct stat` of xv6: 24 bytes, little endian.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// The disk that holds it.
    pub device: u32,
    /// Its inode's number.
    pub inode: u32,
    /// Directory, file or device.
    pub kind: Kind,
    /// Directory entries that name it.
    pub links: u16,
    /// Bytes.
    pub size: u64,
}

impl Stat {
    /// Bytes of the encoded form.
    pub const SIZE: usize = 24;

    /// The bytes that a user program sees.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[0..4].copy_from_slice(&self.device.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.inode.to_le_bytes());
        bytes[8..10].copy_from_slice(&(self.kind as u16).to_le_bytes());
        bytes[10..12].copy_from_slice(&self.links.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.size.to_le_bytes());
        bytes
    }
}
