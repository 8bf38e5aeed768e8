//! The disk through both register layouts.

use super::super::{DiskFlavour, GuestMemory, VIRTIO_BASE};
use super::driver::{DATA, Driver, FLAVOURS, HEADER, NEXT, QUEUE, WRITE};

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
