//! The platform-level interrupt controller: which device interrupts which hart.
//!
//! Layout: RISC-V Platform-Level Interrupt Controller Specification; each hart has two contexts on
//! this board, machine and supervisor mode.

use abi::layout::{PLIC, UART_INTERRUPT, VIRTIO_DISK_INTERRUPT};

use crate::arch::hart;
use crate::mmio::Register;

const PRIORITY: u64 = 0;
const ENABLE: u64 = 0x2000;
const ENABLE_STRIDE: u64 = 0x80;
const CONTEXT: u64 = 0x20_0000;
const CONTEXT_STRIDE: u64 = 0x1000;
const CLAIM: u64 = 4;

fn register(offset: u64) -> Register<u32> {
    // SAFETY: the callers below name registers of the controller, which touches no memory.
    unsafe { Register::at(PLIC + offset) }
}

/// The number of this hart's supervisor context.
fn context() -> u64 {
    hart::id() as u64 * 2 + 1
}

/// Lets the devices interrupt at all. Once.
pub fn initialise() {
    for number in [UART_INTERRUPT, VIRTIO_DISK_INTERRUPT] {
        register(PRIORITY + u64::from(number) * 4).write(1);
    }
}

/// Lets the devices interrupt this hart.
pub fn initialise_hart() {
    let enabled = 1 << UART_INTERRUPT | 1 << VIRTIO_DISK_INTERRUPT;
    register(ENABLE + context() * ENABLE_STRIDE).write(enabled);
    // Threshold: every priority above zero.
    register(CONTEXT + context() * CONTEXT_STRIDE).write(0);
}

/// An interrupt that this hart serves; the controller holds back others from the same device.
#[must_use]
pub struct Claimed(u32);

/// The interrupt that this hart should serve.
pub fn claim() -> Option<Claimed> {
    match register(CONTEXT + context() * CONTEXT_STRIDE + CLAIM).read() {
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
        register(CONTEXT + context() * CONTEXT_STRIDE + CLAIM).write(self.0);
    }
}
