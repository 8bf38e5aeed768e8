//! Queues that break the rules, and requests that cannot be done.

use super::super::{Disk, DiskFlavour, GuestMemory};
use super::driver::{
    DATA, Driver, FLAVOURS, HEADER, INDIRECT, NEXT, RAM_BASE, RAM_BYTES, STATUS, WRITE,
};

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

/// The flags of the ring lie before its index: a ring can begin outside RAM and have its index
/// inside.
#[test]
fn a_ring_whose_flags_are_outside_ram_stops_the_device() {
    let mut driver = Driver::new(DiskFlavour::Modern);
    driver.header(0, 0);
    driver.descriptor(0, HEADER, 16, NEXT, 1);
    driver.descriptor(1, DATA, 512, NEXT | WRITE, 2);
    driver.descriptor(2, STATUS, 1, WRITE, 0);
    driver.set(0x90, RAM_BASE - 2);
    driver.set(0x94, 0);
    // The index, and the head of the one request.
    driver.ram.write(RAM_BASE, &[1, 0, 0, 0]);
    driver.notify();
    assert_eq!(driver.get(0x70) & 0x40, 0x40, "needs reset");
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
        .clone_from(&Disk::new(vec![1; 1 << 20]));
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
