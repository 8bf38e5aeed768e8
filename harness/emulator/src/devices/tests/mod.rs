//! The board as a driver sees it: interrupt wiring, reset, and any access at any address.

mod disk;
mod driver;
mod hostile;

use super::{
    CLINT_BASE, Context, DISK_INTERRUPT, DiskFlavour, Finish, GuestMemory, PLIC_BASE, UART_BASE,
    UART_INTERRUPT, VIRTIO_BASE,
};
use driver::{DATA, Driver, FLAVOURS, RAM_BASE, RAM_BYTES, RINGS};

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
            0x10_2000,
        ] {
            assert_eq!(driver.board.read(address, 4), None);
            assert_eq!(driver.board.write(address, 4, 0, &mut driver.ram), None);
        }
    }
    assert!(answered > 10_000, "only {answered} reads were answered");
}
