//! A driver of the disk, and the board and RAM under it.

use super::super::{Devices, DiskFlavour, GuestMemory, SECTOR_BYTES, VIRTIO_BASE};

pub(super) const RAM_BASE: u64 = 0x8000_0000;
pub(super) const RAM_BYTES: usize = 1 << 20;
pub(super) const QUEUE: u64 = RAM_BASE;
pub(super) const RINGS: u64 = RAM_BASE + 0x1000;
pub(super) const HEADER: u64 = RAM_BASE + 0x3000;
pub(super) const STATUS: u64 = RAM_BASE + 0x3800;
pub(super) const DATA: u64 = RAM_BASE + 0x4000;

pub(super) const NEXT: u16 = 1;
pub(super) const WRITE: u16 = 2;
pub(super) const INDIRECT: u16 = 4;

pub(super) struct Ram(pub(super) Vec<u8>);

impl Ram {
    fn range(&self, address: u64, bytes: usize) -> Option<std::ops::Range<usize>> {
        let start = usize::try_from(address.checked_sub(RAM_BASE)?).ok()?;
        let end = start.checked_add(bytes)?;
        (end <= self.0.len()).then_some(start..end)
    }
}

impl GuestMemory for Ram {
    fn read(&self, address: u64, out: &mut [u8]) -> bool {
        let range = self.range(address, out.len());
        range
            .map(|range| out.copy_from_slice(&self.0[range]))
            .is_some()
    }

    fn write(&mut self, address: u64, data: &[u8]) -> bool {
        let range = self.range(address, data.len());
        range
            .map(|range| self.0[range].copy_from_slice(data))
            .is_some()
    }
}

/// A driver of the disk with a queue of 8, and the board under it.
pub(super) struct Driver {
    pub(super) board: Devices,
    pub(super) ram: Ram,
    pub(super) used_ring: u64,
    pub(super) available: u16,
}

impl Driver {
    /// A disk of 16 sectors, sector *n* full of bytes *n*, set up the way xv6 does it.
    pub(super) fn new(flavour: DiskFlavour) -> Driver {
        let image = (0..16 * SECTOR_BYTES)
            .map(|index| (index / SECTOR_BYTES) as u8)
            .collect();
        let mut driver = Driver {
            board: Devices::new(1, flavour, image),
            ram: Ram(vec![0xee; RAM_BYTES]),
            used_ring: RINGS + 0x1000,
            available: 0,
        };
        driver.ram.write(QUEUE, &[0; 0x3000]);
        driver.set(0x70, 0);
        driver.set(0x70, 1);
        driver.set(0x70, 3);
        let features = driver.get(0x10);
        driver.set(0x20, features & 0x0fff_ffff);
        driver.set(0x70, 11);
        match flavour {
            DiskFlavour::Modern => {
                assert_eq!(driver.get(0x70), 11, "the features are agreed");
                driver.set(0x30, 0);
                assert_eq!(driver.get(0x44), 0);
                assert!(driver.get(0x34) >= 8);
                driver.set(0x38, 8);
                for (offset, address) in [(0x80, QUEUE), (0x90, RINGS), (0xa0, RINGS + 0x1000)] {
                    driver.set(offset, address);
                    driver.set(offset + 4, address >> 32);
                }
                driver.set(0x44, 1);
                driver.set(0x70, 15);
            }
            DiskFlavour::Legacy => {
                driver.set(0x70, 15);
                driver.set(0x28, 4096);
                driver.set(0x30, 0);
                assert!(driver.get(0x34) >= 8);
                driver.set(0x38, 8);
                driver.set(0x40, QUEUE >> 12);
                driver.used_ring = QUEUE + 0x1000;
            }
        }
        driver
    }

    pub(super) fn available_ring(&self) -> u64 {
        if self.used_ring == QUEUE + 0x1000 {
            QUEUE + 8 * 16
        } else {
            RINGS
        }
    }

    pub(super) fn get(&mut self, offset: u64) -> u64 {
        self.board.read(VIRTIO_BASE + offset, 4).unwrap()
    }

    pub(super) fn set(&mut self, offset: u64, value: u64) {
        self.board
            .write(VIRTIO_BASE + offset, 4, value, &mut self.ram)
            .unwrap();
    }

    pub(super) fn descriptor(
        &mut self,
        index: u64,
        address: u64,
        bytes: u32,
        flags: u16,
        next: u16,
    ) {
        let mut raw = address.to_le_bytes().to_vec();
        raw.extend(bytes.to_le_bytes());
        raw.extend(flags.to_le_bytes());
        raw.extend(next.to_le_bytes());
        self.ram.write(QUEUE + 16 * index, &raw);
    }

    pub(super) fn header(&mut self, kind: u32, sector: u64) {
        let mut raw = kind.to_le_bytes().to_vec();
        raw.extend([0; 4]);
        raw.extend(sector.to_le_bytes());
        self.ram.write(HEADER, &raw);
    }

    /// Offers the chain that starts at descriptor `head`, without telling the device.
    pub(super) fn offer(&mut self, head: u16) {
        let slot = u64::from(self.available % 8);
        self.ram
            .write(self.available_ring() + 4 + 2 * slot, &head.to_le_bytes());
        self.available = self.available.wrapping_add(1);
        self.ram
            .write(self.available_ring() + 2, &self.available.to_le_bytes());
    }

    pub(super) fn notify(&mut self) {
        self.set(0x50, 0);
    }

    /// A request of three descriptors, as xv6's: header, data, status.
    pub(super) fn request(&mut self, kind: u32, sector: u64, address: u64, bytes: u32) -> u8 {
        let direction = if kind == 1 { 0 } else { WRITE };
        self.header(kind, sector);
        self.ram.write(STATUS, &[0xff]);
        self.descriptor(0, HEADER, 16, NEXT, 1);
        self.descriptor(1, address, bytes, NEXT | direction, 2);
        self.descriptor(2, STATUS, 1, WRITE, 0);
        self.offer(0);
        self.notify();
        self.byte(STATUS)
    }

    pub(super) fn byte(&self, address: u64) -> u8 {
        let mut byte = [0];
        assert!(self.ram.read(address, &mut byte));
        byte[0]
    }

    pub(super) fn used_index(&self) -> u16 {
        let mut raw = [0; 2];
        assert!(self.ram.read(self.used_ring + 2, &mut raw));
        u16::from_le_bytes(raw)
    }

    pub(super) fn used(&self, slot: u64) -> (u32, u32) {
        let mut raw = [0; 8];
        assert!(self.ram.read(self.used_ring + 4 + 8 * slot, &mut raw));
        let [a, b, c, d, e, f, g, h] = raw;
        (
            u32::from_le_bytes([a, b, c, d]),
            u32::from_le_bytes([e, f, g, h]),
        )
    }
}

pub(super) const FLAVOURS: [DiskFlavour; 2] = [DiskFlavour::Modern, DiskFlavour::Legacy];
