//! Parts of the board where something answers although nothing is there: PCIe without a device, flash without content.

use super::is_aligned;

/// A range of physical addresses that reads the same everywhere. Stores to it have no effect.
struct Empty {
    base: u64,
    bytes: u64,
    /// What each byte reads as.
    byte: u8,
}

/// As QEMU's `virt` board has them. What is read there was seen on QEMU 7.2, but for the host bridge, which QEMU has at
/// the first place of the configuration space.
const ALL: [Empty; 5] = [
    // Two banks of flash that nobody has filled.
    Empty {
        base: 0x2000_0000,
        bytes: 64 << 20,
        byte: 0,
    },
    // The configuration space of PCIe: no device on any bus.
    Empty {
        base: 0x3000_0000,
        bytes: 256 << 20,
        byte: 0xff,
    },
    // What devices on PCIe would use: ports, and two ranges of memory.
    Empty {
        base: 0x300_0000,
        bytes: 64 << 10,
        byte: 0xff,
    },
    Empty {
        base: 0x4000_0000,
        bytes: 1 << 30,
        byte: 0xff,
    },
    Empty {
        base: 0x4_0000_0000,
        bytes: 16 << 30,
        byte: 0xff,
    },
];

/// What `width` bytes at a physical address read as; `None` if it is in no empty part of the board.
pub(super) fn read(address: u64, width: u8) -> Option<u64> {
    let here = |empty: &&Empty| address.wrapping_sub(empty.base) < empty.bytes;
    let empty = ALL.iter().find(here)?;
    let all = u64::from_le_bytes([empty.byte; 8]);
    is_aligned(address, width).then(|| all >> (64 - 8 * u32::from(width)))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn each_part_reads_as_on_qemu() {
        for (first, last, byte) in [
            (0x2000_0000, 0x23ff_ffff, 0),
            (0x3000_0000, 0x3fff_ffff, 0xff),
            (0x0300_0000, 0x0300_ffff, 0xff),
            (0x4000_0000, 0x7fff_ffff, 0xff),
            (0x4_0000_0000, 0x7_ffff_ffff, 0xff),
        ] {
            for address in [first, last] {
                assert_eq!(read(address, 1), Some(byte), "{address:#x}");
            }
            let word = byte * 0x0101_0101;
            assert_eq!(read(first, 4), Some(word), "{first:#x}");
            assert_eq!(read(first, 8), Some(word << 32 | word), "{first:#x}");
            assert_eq!(read(first + 2, 4), None, "{first:#x}");
        }
    }

    #[test]
    fn nothing_else_answers() {
        for address in [
            0x1fff_ffff,
            0x2400_0000,
            0x8000_0000,
            0x3_ffff_ffff,
            0x8_0000_0000,
        ] {
            assert_eq!(read(address, 1), None, "{address:#x}");
        }
    }
}
