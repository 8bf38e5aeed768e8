//! What `fstat` returns about a file.

use crate::file_system::{Kind, u16_at, u32_at};

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

    /// Reads what `fstat` wrote. `None` if the kind is not one of [`Kind`].
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Option<Stat> {
        Some(Stat {
            device: u32_at(bytes, 0),
            inode: u32_at(bytes, 4),
            kind: Kind::from_number(u16_at(bytes, 8))?,
            links: u16_at(bytes, 10),
            size: u64::from(u32_at(bytes, 16)) | u64::from(u32_at(bytes, 20)) << 32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_encoding() {
        let stat = Stat {
            device: 1,
            inode: 0x1234_5678,
            kind: Kind::Device,
            links: 3,
            size: 0x9abc_def0_1234_5678,
        };
        let mut bytes = stat.encode();
        assert_eq!(Stat::decode(&bytes), Some(stat));
        bytes[8] = 4;
        assert_eq!(Stat::decode(&bytes), None);
    }
}
