//! The platform-level interrupt controller: which device interrupts which hart.
//!
//! Layout: RISC-V Platform-Level Interrupt Controller Specification; each hart has two contexts on
//! this board, machine and supervisor mode.

use abi::layout::{UART_INTERRUPT, VIRTIO_DISK_INTERRUPT};

use crate::arch::hart;
use crate::mmio::PLIC;

const PRIORITY: usize = 0;
const ENABLE: usize = 0x2000;
const ENABLE_STRIDE: usize = 0x80;
const CONTEXT: usize = 0x20_0000;
const CONTEXT_STRIDE: usize = 0x1000;
const CLAIM: usize = 4;

/// The number of this hart's supervisor context.
fn context() -> usize {
    hart::id() * 2 + 1
}

/// Lets the devices interrupt at all. Once.
pub fn initialise() {
    for number in [UART_INTERRUPT, VIRTIO_DISK_INTERRUPT] {
        PLIC.register(PRIORITY + number as usize * 4).write(1u32);
    }
}

/// Lets the devices interrupt this hart.
pub fn initialise_hart() {
    let enabled: u32 = 1 << UART_INTERRUPT | 1 << VIRTIO_DISK_INTERRUPT;
    PLIC.register(ENABLE + context() * ENABLE_STRIDE)
        .write(enabled);
    // Threshold: every priority above zero.
    PLIC.register(CONTEXT + context() * CONTEXT_STRIDE)
        .write(0u32);
}

/// An interrupt that this hart serves; the controller holds back others from the same device.
#[must_use]
pub struct Claimed(u32);

/// The interrupt that this hart should serve.
pub fn claim() -> Option<Claimed> {
    match PLIC
        .register::<u32>(CONTEXT + context() * CONTEXT_STRIDE + CLAIM)
        .read()
    {
        0 => None,
        number => Some(Claimed(number)),
    }
}

impl Claimed {
    /// The device's number.
    pub fn number(&self) -> u32 {
        self.0
    }

    /// The device is served and may interrupt again.
    pub fn complete(self) {
        PLIC.register(CONTEXT + context() * CONTEXT_STRIDE + CLAIM)
            .write(self.0);
    }
}
