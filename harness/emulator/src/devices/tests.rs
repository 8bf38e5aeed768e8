//! The board as a driver sees it: the disk through both register layouts, hostile queues, and any
//! access at any address.

use super::{
    CLINT_BASE, Context, DISK_INTERRUPT, Devices, DiskFlavour, Finish, GuestMemory, PLIC_BASE,
    SECTOR_BYTES, UART_BASE, UART_INTERRUPT, VIRTIO_BASE,
};

const RAM_BASE: u64 = 0x8000_0000;
const RAM_BYTES: usize = 1 << 20;
const QUEUE: u64 = RAM_BASE;
const RINGS: u64 = RAM_BASE + 0x1000;
const HEADER: u64 = RAM_BASE + 0x3000;
const STATUS: u64 = RAM_BASE + 0x3800;
const DATA: u64 = RAM_BASE + 0x4000;

const NEXT: u16 = 1;
const WRITE: u16 = 2;
const INDIRECT: u16 = 4;

struct Ram(Vec<u8>);

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
struct Driver {
    board: Devices,
    ram: Ram,
    used_ring: u64,
    available: u16,
}

impl Driver {
    /// A disk of 16 sectors, sector *n* full of bytes *n*, set up the way xv6 does it.
    fn new(flavour: DiskFlavour) -> Driver {
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

    fn available_ring(&self) -> u64 {
        if self.used_ring == QUEUE + 0x1000 {
            QUEUE + 8 * 16
        } else {
            RINGS
        }
    }

    fn get(&mut self, offset: u64) -> u64 {
        self.board.read(VIRTIO_BASE + offset, 4).unwrap()
    }

    fn set(&mut self, offset: u64, value: u64) {
        self.board
            .write(VIRTIO_BASE + offset, 4, value, &mut self.ram)
            .unwrap();
    }

    fn descriptor(&mut self, index: u64, address: u64, bytes: u32, flags: u16, next: u16) {
        let mut raw = address.to_le_bytes().to_vec();
        raw.extend(bytes.to_le_bytes());
        raw.extend(flags.to_le_bytes());
        raw.extend(next.to_le_bytes());
        self.ram.write(QUEUE + 16 * index, &raw);
    }

    fn header(&mut self, kind: u32, sector: u64) {
        let mut raw = kind.to_le_bytes().to_vec();
        raw.extend([0; 4]);
        raw.extend(sector.to_le_bytes());
        self.ram.write(HEADER, &raw);
    }

    /// Offers the chain that starts at descriptor `head`, without telling the device.
    fn offer(&mut self, head: u16) {
        let slot = u64::from(self.available % 8);
        self.ram
            .write(self.available_ring() + 4 + 2 * slot, &head.to_le_bytes());
        self.available = self.available.wrapping_add(1);
        self.ram
            .write(self.available_ring() + 2, &self.available.to_le_bytes());
    }

    fn notify(&mut self) {
        self.set(0x50, 0);
    }

    /// A request of three descriptors, as xv6's: header, data, status.
    fn request(&mut self, kind: u32, sector: u64, address: u64, bytes: u32) -> u8 {
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

    fn byte(&self, address: u64) -> u8 {
        let mut byte = [0];
        assert!(self.ram.read(address, &mut byte));
        byte[0]
    }

    fn used_index(&self) -> u16 {
        let mut raw = [0; 2];
        assert!(self.ram.read(self.used_ring + 2, &mut raw));
        u16::from_le_bytes(raw)
    }

    fn used(&self, slot: u64) -> (u32, u32) {
        let mut raw = [0; 8];
        assert!(self.ram.read(self.used_ring + 4 + 8 * slot, &mut raw));
        let [a, b, c, d, e, f, g, h] = raw;
        (
            u32::from_le_bytes([a, b, c, d]),
            u32::from_le_bytes([e, f, g, h]),
        )
    }
}

const FLAVOURS: [DiskFlavour; 2] = [DiskFlavour::Modern, DiskFlavour::Legacy];

#[test]
fn identity_of_the_disk_and_of_empty_slots() {
    for (flavour, version) in [(DiskFlavour::Modern, 2), (DiskFlavour::Legacy, 1)] {
        let mut driver = Driver::new(flavour);
        let identity = [0, 4, 8, 0xc].map(|offset| driver.get(offset));
        assert_eq!(identity, [0x7472_6976, version, 2, 0x554d_4551]);
        for slot in 1..8 {
            let identity = [0, 4, 8, 0xc].map(|offset| driver.get(0x1000 * slot + offset));
            assert_eq!(identity, [0x7472_6976, version, 0, 0x554d_4551]);
        }
        assert_eq!(driver.board.read(VIRTIO_BASE + 0x8000, 4), None);
    }
}

#[test]
fn configuration_space_answers_to_any_width() {
    let mut driver = Driver::new(DiskFlavour::Modern);
    assert_eq!(driver.board.read(VIRTIO_BASE + 0x100, 8), Some(16));
    assert_eq!(driver.board.read(VIRTIO_BASE + 0x100, 1), Some(16));
    assert_eq!(driver.get(0x104), 0);
    assert_eq!(driver.get(0x114), 512);
    assert_eq!(driver.board.read(VIRTIO_BASE + 0x1ff, 1), Some(0));
    assert_eq!(driver.board.read(VIRTIO_BASE + 0x102, 4), None);
    assert_eq!(driver.board.read(VIRTIO_BASE + 0x200, 4), None);
    assert_eq!(
        driver.board.read(VIRTIO_BASE, 2),
        Some(0),
        "registers answer to words only"
    );
}

#[test]
fn sectors_are_read_and_written() {
    for flavour in FLAVOURS {
        let mut driver = Driver::new(flavour);
        assert_eq!(driver.request(0, 3, DATA, 1024), 0);
        assert_eq!(
            [0, 511, 512, 1023, 1024].map(|at| driver.byte(DATA + at)),
            [3, 3, 4, 4, 0xee]
        );
        assert_eq!((driver.used_index(), driver.used(0)), (1, (0, 1025)));

        driver.ram.write(DATA, &[0x77; 512]);
        assert_eq!(driver.request(1, 5, DATA, 512), 0);
        assert_eq!((driver.used_index(), driver.used(1)), (2, (0, 1)));
        let content = driver.board.disk.disk().content();
        assert_eq!(
            [2559, 2560, 3071, 3072].map(|at: usize| content[at]),
            [4, 0x77, 0x77, 6]
        );
    }
}

#[test]
fn rings_wrap_around() {
    for flavour in FLAVOURS {
        let mut driver = Driver::new(flavour);
        driver.available = 0;
        for round in 0..100_u64 {
            assert_eq!(driver.request(0, round % 16, DATA, 512), 0);
            assert_eq!(u64::from(driver.byte(DATA + 100)), round % 16);
            assert_eq!(u64::from(driver.used_index()), round + 1);
        }
    }
}

#[test]
fn flush_identity_and_unknown_requests() {
    let mut driver = Driver::new(DiskFlavour::Modern);
    assert_eq!(driver.request(4, 0, DATA, 0), 0);
    assert_eq!(driver.request(8, 0, DATA, 20), 0);
    assert_eq!(
        [0, 4, 19, 20].map(|at| driver.byte(DATA + at)),
        [b'd', b'0', 0, 0xee]
    );
    assert_eq!(
        driver.request(8, 0, DATA + 64, 3),
        0,
        "a short buffer gets the start"
    );
    assert_eq!(
        [64, 66, 67].map(|at| driver.byte(DATA + at)),
        [b'd', b's', 0xee]
    );
    assert_eq!(driver.request(99, 0, DATA, 512), 2);
}

#[test]
fn a_transfer_that_cannot_be_done_is_an_error_and_not_the_end() {
    for flavour in FLAVOURS {
        let mut driver = Driver::new(flavour);
        let before = driver.board.disk.disk().content();
        for (kind, sector, address, bytes) in [
            (0, 16, DATA, 512),  // beyond the disk
            (0, 15, DATA, 1024), // its second sector is
            (1, u64::MAX, DATA, 512),
            (1, 0, DATA, 511),      // not whole sectors
            (0, 0, DATA, u32::MAX), // enormous
            (1, 0, DATA, 1 << 31),
            (0, 0, 0, 512),              // not RAM
            (1, 0, u64::MAX - 100, 512), // wraps around
            (0, 0, RAM_BASE + RAM_BYTES as u64 - 100, 512),
        ] {
            assert_eq!(
                driver.request(kind, sector, address, bytes),
                1,
                "{kind} {sector} {address:#x} {bytes}"
            );
        }
        assert_eq!(driver.board.disk.disk().content(), before);
        assert_eq!(driver.request(0, 9, DATA, 512), 0);
    }
}

#[test]
fn a_request_may_be_cut_anywhere() {
    let mut driver = Driver::new(DiskFlavour::Modern);
    driver.header(0, 6);
    driver.descriptor(0, HEADER, 3, NEXT, 5);
    driver.descriptor(5, HEADER + 3, 13, NEXT, 1);
    driver.descriptor(1, DATA, 100, NEXT | WRITE, 3);
    driver.descriptor(3, DATA + 0x1000, 0, NEXT | WRITE, 4);
    driver.descriptor(4, DATA + 0x2000, 413, WRITE, 0);
    driver.offer(0);
    driver.notify();
    assert_eq!(driver.used(0), (0, 513));
    let seen = [
        DATA + 99,
        DATA + 100,
        DATA + 0x2000,
        DATA + 0x2000 + 411,
        DATA + 0x2000 + 412,
    ];
    assert_eq!(
        seen.map(|at| driver.byte(at)),
        [6, 0xee, 6, 6, 0],
        "the last byte is the status"
    );
}

#[test]
fn interrupts_arrive_at_the_plic_and_are_acknowledged() {
    let mut driver = Driver::new(DiskFlavour::Modern);
    let plic = |driver: &mut Driver, offset: u64, value: u64| {
        driver
            .board
            .write(PLIC_BASE + offset, 4, value, &mut driver.ram)
            .unwrap();
    };
    plic(&mut driver, 4 * u64::from(DISK_INTERRUPT), 1);
    plic(&mut driver, 0x2080, 1 << DISK_INTERRUPT);
    assert_eq!(driver.request(0, 0, DATA, 512), 0);
    assert_eq!(driver.get(0x60), 1);
    assert!(driver.board.external_interrupt(0, Context::Supervisor));
    assert!(!driver.board.external_interrupt(0, Context::Machine));
    assert_eq!(driver.board.read(PLIC_BASE + 0x20_1004, 4), Some(1));
    driver.set(0x64, 3);
    assert_eq!(driver.get(0x60), 0);
    assert!(!driver.board.disk.interrupt());
    plic(&mut driver, 0x20_1004, 1);
    assert!(!driver.board.external_interrupt(0, Context::Supervisor));

    driver.ram.write(RINGS, &[1, 0]);
    assert_eq!(driver.request(0, 0, DATA, 512), 0);
    assert_eq!(driver.get(0x60), 0, "the driver asked for no interrupts");
}

#[test]
fn the_serial_port_interrupts_through_the_plic() {
    let mut driver = Driver::new(DiskFlavour::Modern);
    for (address, width, value) in [
        (PLIC_BASE + 4 * u64::from(UART_INTERRUPT), 4, 1),
        (PLIC_BASE + 0x2000, 4, 1 << UART_INTERRUPT),
        (UART_BASE + 1, 1, 1),
    ] {
        driver
            .board
            .write(address, width, value, &mut driver.ram)
            .unwrap();
    }
    assert!(!driver.board.external_interrupt(0, Context::Machine));
    assert_eq!(driver.board.console_input(b"x"), 1);
    assert!(driver.board.external_interrupt(0, Context::Machine));
}

#[test]
fn features_are_offered_and_checked() {
    let mut driver = Driver::new(DiskFlavour::Modern);
    driver.set(0x70, 0);
    driver.set(0x14, 1);
    assert_eq!(driver.get(0x10), 1, "VERSION_1 is feature 32");
    driver.set(0x14, 2);
    assert_eq!(driver.get(0x10), 0);
    driver.set(0x14, 0);
    assert_eq!(driver.get(0x10) & (1 << 28), 0, "no indirect descriptors");
    driver.set(0x70, 3);
    driver.set(0x20, 1 << 28);
    driver.set(0x70, 11);
    assert_eq!(
        driver.get(0x70),
        3,
        "features that were not offered are not agreed"
    );

    let mut legacy = Driver::new(DiskFlavour::Legacy);
    legacy.set(0x14, 1);
    assert_eq!(legacy.get(0x10), 0);
}

#[test]
fn nothing_is_served_before_the_driver_is_ready_or_after_a_reset() {
    for flavour in FLAVOURS {
        let mut driver = Driver::new(flavour);
        driver.set(0x70, 0);
        assert_eq!(
            (driver.get(0x70), driver.get(0x44), driver.get(0x40)),
            (0, 0, 0)
        );
        assert_eq!(driver.request(0, 1, DATA, 512), 0xff);
        assert_eq!(driver.used_index(), 0);
    }
}

#[test]
fn registers_of_the_other_layout_are_not_there() {
    let mut modern = Driver::new(DiskFlavour::Modern);
    modern.set(0x40, 1);
    assert_eq!(modern.get(0x40), 0);
    assert_eq!(modern.request(0, 1, DATA, 512), 0);
    let mut legacy = Driver::new(DiskFlavour::Legacy);
    legacy.set(0x44, 0);
    legacy.set(0x80, 0);
    assert_eq!((legacy.get(0x40), legacy.get(0x44)), (QUEUE >> 12, 0));
    assert_eq!(legacy.request(0, 1, DATA, 512), 0);
    legacy.set(0x30, 1);
    assert_eq!(
        (legacy.get(0x34), legacy.get(0x40)),
        (0, 0),
        "there is one queue only"
    );
}

/// Each breaks the queue in its own way; the device must stop, say so, and work again after a reset.
#[test]
fn broken_queues_stop_the_device() {
    type Sabotage = fn(&mut Driver);
    let cases: [(&str, Sabotage); 11] = [
        ("a loop", |driver| {
            driver.descriptor(2, STATUS, 1, NEXT | WRITE, 2)
        }),
        ("a chain to itself", |driver| {
            driver.descriptor(0, HEADER, 16, NEXT, 0)
        }),
        ("a next index beyond the queue", |driver| {
            driver.descriptor(1, DATA, 512, NEXT | WRITE, 8)
        }),
        ("an indirect descriptor", |driver| {
            driver.descriptor(0, HEADER, 16, INDIRECT, 0)
        }),
        ("readable after writable", |driver| {
            driver.descriptor(2, STATUS, 1, 0, 0)
        }),
        ("a header outside RAM", |driver| {
            driver.descriptor(0, 0, 16, NEXT, 1)
        }),
        ("a header too short", |driver| {
            driver.descriptor(0, HEADER, 15, NEXT, 1)
        }),
        ("a status outside RAM", |driver| {
            driver.descriptor(2, u64::MAX, 1, WRITE, 0)
        }),
        ("no room for a status", |driver| {
            driver.descriptor(0, HEADER, 16, 0, 0)
        }),
        ("a head beyond the queue", |driver| driver.offer(500)),
        ("an index from nowhere", |driver| {
            driver.ram.write(driver.available_ring() + 2, &[0xff, 0x7f]);
        }),
    ];
    for flavour in FLAVOURS {
        for (what, sabotage) in cases {
            let mut driver = Driver::new(flavour);
            driver.header(0, 0);
            driver.descriptor(0, HEADER, 16, NEXT, 1);
            driver.descriptor(1, DATA, 512, NEXT | WRITE, 2);
            driver.descriptor(2, STATUS, 1, WRITE, 0);
            driver.offer(0);
            sabotage(&mut driver);
            driver.notify();
            if flavour == DiskFlavour::Modern {
                assert_eq!(driver.get(0x70) & 0x40, 0x40, "{what}: needs reset");
                assert_eq!(driver.get(0x60) & 2, 2, "{what}: the driver is told");
            }
            let before = driver.used_index();
            driver.available = 0;
            driver.request(0, 0, DATA, 512);
            assert_eq!(
                driver.used_index(),
                before,
                "{what}: nothing more is served"
            );

            let fresh = Driver::new(flavour);
            driver = Driver {
                ram: fresh.ram,
                used_ring: fresh.used_ring,
                available: 0,
                board: driver.board,
            };
            driver.set(0x70, 0);
            assert_eq!((driver.get(0x70), driver.get(0x60)), (0, 0), "{what}");
        }
    }
}

#[test]
fn queues_at_hostile_addresses_stop_the_device() {
    for (offset, address) in [
        (0x80, u64::MAX),
        (0x90, u64::MAX - 1),
        (0xa0, 0),
        (0x80, 0),
        (0x90, 0),
        (0xa0, u64::MAX),
    ] {
        let mut driver = Driver::new(DiskFlavour::Modern);
        driver.set(offset, address);
        driver.set(offset + 4, address >> 32);
        driver.request(0, 0, DATA, 512);
        assert_eq!(driver.get(0x70) & 0x40, 0x40, "{offset:#x} at {address:#x}");
    }
    for (page_bytes, page, alignment) in [
        (u64::MAX, u64::MAX, 1 << 31),
        (4096, u64::MAX, 0),
        (0, 1, 3),
    ] {
        let mut driver = Driver::new(DiskFlavour::Legacy);
        driver.set(0x28, page_bytes);
        driver.set(0x3c, alignment);
        driver.set(0x40, page);
        driver.request(0, 0, DATA, 512);
        assert_eq!(driver.used_index(), 0);
    }
}

/// 1024 requests of the largest size in one notification: the device does some, and the rest as
/// the driver acknowledges.
#[test]
fn one_visit_is_bounded() {
    let mut driver = Driver::new(DiskFlavour::Modern);
    driver
        .board
        .disk
        .disk_mut()
        .clone_from(&super::Disk::new(vec![1; 1 << 20]));
    driver.set(0x44, 0);
    driver.set(0x38, 1024);
    driver.set(0x80, RAM_BASE + 0x1_0000);
    driver.set(0x90, RAM_BASE + 0x2_0000);
    driver.set(0xa0, RAM_BASE + 0x3_0000);
    driver.set(0x44, 1);
    driver.header(0, 0);
    let chain: Vec<u8> = [
        (HEADER, 16, NEXT, 1),
        (DATA + 0x8_0000, 256 * 1024, NEXT | WRITE, 2),
        (STATUS, 1, WRITE, 0),
    ]
    .into_iter()
    .flat_map(|(address, bytes, flags, next): (u64, u32, u16, u16)| {
        let mut raw = address.to_le_bytes().to_vec();
        raw.extend(bytes.to_le_bytes());
        raw.extend(flags.to_le_bytes());
        raw.extend(next.to_le_bytes());
        raw
    })
    .collect();
    driver.ram.write(RAM_BASE + 0x1_0000, &chain);
    driver.ram.write(RAM_BASE + 0x2_0000, &[0; 2052]);
    driver
        .ram
        .write(RAM_BASE + 0x2_0002, &1024_u16.to_le_bytes());
    driver.ram.write(RAM_BASE + 0x3_0000, &[0; 4]);
    driver.used_ring = RAM_BASE + 0x3_0000;
    driver.notify();
    assert_eq!(driver.used_index(), 1);
    let mut visits = 1;
    while driver.used_index() < 1024 && visits < 5000 {
        driver.set(0x64, 1);
        visits += 1;
    }
    assert_eq!((driver.used_index(), visits), (1024, 1024));
    driver.set(0x64, 1);
    assert_eq!(driver.get(0x60), 0, "nothing is left to do");
}

#[test]
fn restore_brings_the_whole_board_back() {
    for flavour in FLAVOURS {
        let base = Driver::new(flavour);
        let mut driver = Driver::new(flavour);
        driver.board.restore(&base.board);
        driver.ram.write(DATA, &[9; 512]);
        assert_eq!(driver.request(1, 2, DATA, 512), 0);
        driver.board.console_input(b"typed");
        for (address, width, value) in [
            (CLINT_BASE, 4, 1),
            (CLINT_BASE + 0x4000, 8, 5),
            (PLIC_BASE + 40, 4, 3),
            (UART_BASE, 1, 65),
            (0x10_0000, 4, 0x5555),
        ] {
            driver
                .board
                .write(address, width, value, &mut driver.ram)
                .unwrap();
        }
        assert_ne!(driver.board, base.board);
        driver.board.restore(&base.board);
        assert_eq!(driver.board, base.board);
    }
}

#[test]
fn the_finisher_is_on_the_board() {
    let mut driver = Driver::new(DiskFlavour::Modern);
    driver
        .board
        .write(0x10_0000, 4, 0x0007_3333, &mut driver.ram)
        .unwrap();
    assert_eq!(driver.board.finisher.take(), Some(Finish::Fail(7)));
}

/// Every device, every alignment, every width, wild values: answers or faults, never a panic. A
/// generator of fixed seed gives wild values and register sequences.
#[test]
fn any_access_is_answered_or_refused() {
    let bases = [
        CLINT_BASE,
        CLINT_BASE + 0x4000,
        CLINT_BASE + 0xbff0,
        PLIC_BASE,
        PLIC_BASE + 0x2000,
        PLIC_BASE + 0x20_0000,
        UART_BASE,
        VIRTIO_BASE,
        VIRTIO_BASE + 0x1000,
        0x10_0000,
    ];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut answered = 0;
    for flavour in FLAVOURS {
        let mut driver = Driver::new(flavour);
        for _ in 0..200_000 {
            let address =
                bases[(next() % bases.len() as u64) as usize].wrapping_add(next() % 0x220);
            let width = [0, 1, 2, 3, 4, 4, 4, 8, 255][(next() % 9) as usize];
            let value = match next() % 4 {
                0 => next(),
                1 => next() % 16,
                2 => RAM_BASE + next() % RAM_BYTES as u64,
                _ => u64::MAX,
            };
            let known = matches!(width, 1 | 2 | 4 | 8);
            if next().is_multiple_of(2) {
                let read = driver.board.read(address, width);
                assert!(read.is_none() || known);
                if let Some(value) = read {
                    assert!(
                        width == 8 || value >> (8 * width) == 0,
                        "{address:#x}/{width}: {value:#x}"
                    );
                    answered += 1;
                }
            } else {
                let written = driver.board.write(address, width, value, &mut driver.ram);
                assert!(written.is_none() || known);
            }
        }
        for address in [
            0,
            0x1000,
            u64::MAX,
            RAM_BASE,
            UART_BASE + 8,
            VIRTIO_BASE + 0x8000,
            0x10_1000,
        ] {
            assert_eq!(driver.board.read(address, 4), None);
            assert_eq!(driver.board.write(address, 4, 0, &mut driver.ram), None);
        }
    }
    assert!(answered > 10_000, "only {answered} reads were answered");
}
