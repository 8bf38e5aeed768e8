//! The board's devices, at the addresses of QEMU's `virt` machine.
//!
//! Every device is a plain, cloneable structure that knows nothing of harts. [`Devices`] is the
//! board: it owns them, decodes addresses and carries interrupt lines to the interrupt controller.
//! A request is complete before the store that asked for it retires, and no device reads a host
//! clock, so two runs of one program see identical devices.
//!
//! Accesses take any offset and any width. `None` means "nothing answers here", which the hart
//! turns into an access fault; widths other than 1, 2, 4 and 8 give `None` as well.

mod clint;
mod disk;
mod empty;
mod finisher;
mod plic;
mod rtc;
mod uart;
mod virtio_block;
mod virtio_mmio;
mod virtqueue;

pub use clint::Clint;
pub use disk::{Disk, SECTOR_BYTES, SectorWrite};
pub use finisher::{Finish, Finisher};
pub(crate) use plic::SOURCES;
pub use plic::{Context, Plic};
pub use rtc::Rtc;
pub use uart::Uart;
pub use virtio_block::{DiskFlavour, VirtioBlock};

/// Most harts the board has room for; CLINT and PLIC are laid out for this many.
pub const MAX_HARTS: usize = 8;

/// Physical address of the test finisher.
pub const FINISHER_BASE: u64 = 0x10_0000;
/// Physical address of the real-time clock.
pub const RTC_BASE: u64 = 0x10_1000;
/// Physical address of the core-local interruptor.
pub const CLINT_BASE: u64 = 0x200_0000;
/// Physical address of the platform-level interrupt controller.
pub const PLIC_BASE: u64 = 0xc00_0000;
/// Physical address of the serial port.
pub const UART_BASE: u64 = 0x1000_0000;
/// Physical address of the first of the eight virtio-mmio slots, one page apart.
pub const VIRTIO_BASE: u64 = 0x1000_1000;

/// Interrupt number of the serial port.
pub const UART_INTERRUPT: u32 = 10;
/// Interrupt number of the disk, which sits in the first virtio-mmio slot.
pub const DISK_INTERRUPT: u32 = 1;

pub(crate) const FINISHER_BYTES: u64 = 0x1000;
pub(crate) const RTC_BYTES: u64 = 0x24;
pub(crate) const CLINT_BYTES: u64 = 0x1_0000;
pub(crate) const PLIC_BYTES: u64 = 0x60_0000;
pub(crate) const UART_BYTES: u64 = 8;
const VIRTIO_SLOTS: u64 = 8;
pub(crate) const VIRTIO_STRIDE: u64 = 0x1000;

/// Guest RAM as a device sees it: physical addresses, no translation, no protection.
///
/// An implementation must mark what is written as dirty and drop code decoded from it.
pub trait GuestMemory {
    /// Fills `out` from `address`; false, with `out` unspecified, if any byte is outside RAM.
    fn read(&self, address: u64, out: &mut [u8]) -> bool;
    /// Stores `data` at `address`; false, with nothing stored, if any byte is outside RAM.
    fn write(&mut self, address: u64, data: &[u8]) -> bool;
}

/// All devices of the board, with their interrupt lines wired up.
#[derive(Clone, Debug, PartialEq)]
pub struct Devices {
    /// Timers and software interrupts of the harts.
    pub clint: Clint,
    /// Router of device interrupts to harts.
    pub plic: Plic,
    /// Serial port, the console.
    pub uart: Uart,
    /// The one disk.
    pub disk: VirtioBlock,
    /// Where the guest ends a run.
    pub finisher: Finisher,
    /// The date.
    pub rtc: Rtc,
}

impl Devices {
    /// A board with everything in its reset state.
    ///
    /// `harts` beyond [`MAX_HARTS`] have no timer and no interrupt contexts.
    pub fn new(harts: usize, flavour: DiskFlavour, image: Vec<u8>) -> Devices {
        let harts = harts.min(MAX_HARTS);
        Devices {
            clint: Clint::new(harts),
            plic: Plic::new(harts),
            uart: Uart::new(),
            disk: VirtioBlock::new(flavour, Disk::new(image)),
            finisher: Finisher::new(),
            rtc: Rtc::new(),
        }
    }

    /// Reads `width` bytes at a physical address; `None` is an access fault.
    ///
    /// The caller sets [`Clint::set_time`] before a read inside the CLINT or the clock.
    pub fn read(&mut self, address: u64, width: u8) -> Option<u64> {
        let Some(target) = Target::of(address) else {
            return empty::read(address, width);
        };
        match target {
            Target::Clint(offset) => self.clint.read(offset, width),
            Target::Plic(offset) => self.plic.read(offset, width),
            Target::Uart(offset) => {
                let value = self.uart.read(offset, width);
                self.carry_uart_interrupt();
                value
            }
            Target::Virtio(0, offset) => self.disk.read(offset, width),
            Target::Virtio(_, offset) => self.disk.read_empty_slot(offset, width),
            Target::Finisher(offset) => self.finisher.read(offset, width),
            Target::Rtc(offset) => self.rtc.read(offset, width, self.clint.time()),
        }
    }

    /// Writes the low `width` bytes of `value`; `None` is an access fault.
    ///
    /// After a write inside the CLINT, [`Clint::time`] and the comparators may have changed.
    pub fn write(
        &mut self,
        address: u64,
        width: u8,
        value: u64,
        memory: &mut dyn GuestMemory,
    ) -> Option<()> {
        let Some(target) = Target::of(address) else {
            // Where something could be read, a store has no effect.
            return empty::read(address, width).map(|_| ());
        };
        match target {
            Target::Clint(offset) => self.clint.write(offset, width, value),
            Target::Plic(offset) => self.plic.write(offset, width, value),
            Target::Uart(offset) => {
                let done = self.uart.write(offset, width, value);
                self.carry_uart_interrupt();
                done
            }
            Target::Virtio(0, offset) => {
                let done = self.disk.write(offset, width, value, memory);
                if self.disk.take_raised() {
                    self.plic.raise(DISK_INTERRUPT);
                }
                done
            }
            Target::Virtio(_, offset) => VirtioBlock::write_empty_slot(offset, width),
            Target::Finisher(offset) => self.finisher.write(offset, width, value),
            Target::Rtc(offset) => self.rtc.write(offset, width, value, self.clint.time()),
        }
    }

    /// Types `bytes` on the console; returns how many were taken.
    pub fn console_input(&mut self, bytes: &[u8]) -> usize {
        let taken = self.uart.input(bytes);
        self.carry_uart_interrupt();
        taken
    }

    /// Is an external interrupt asserted for this context of the hart?
    pub fn external_interrupt(&self, hart: usize, context: Context) -> bool {
        self.plic.interrupt(hart, context)
    }

    /// Becomes identical to `base`; the cost follows what changed since, chiefly on disk.
    pub fn restore(&mut self, base: &Devices) {
        self.clint = base.clint.clone();
        self.plic.clone_from(&base.plic);
        self.uart.restore(&base.uart);
        self.disk.restore(&base.disk);
        self.finisher = base.finisher.clone();
        self.rtc.clone_from(&base.rtc);
    }

    fn carry_uart_interrupt(&mut self) {
        if self.uart.take_raised() {
            self.plic.raise(UART_INTERRUPT);
        }
    }
}

/// The device that answers an address, with the offset inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Clint(u64),
    Plic(u64),
    Uart(u64),
    Virtio(u64, u64),
    Finisher(u64),
    Rtc(u64),
}

impl Target {
    fn of(address: u64) -> Option<Target> {
        let within = |base: u64, bytes: u64| {
            let offset = address.wrapping_sub(base);
            (offset < bytes).then_some(offset)
        };
        if let Some(offset) = within(UART_BASE, UART_BYTES) {
            Some(Target::Uart(offset))
        } else if let Some(offset) = within(PLIC_BASE, PLIC_BYTES) {
            Some(Target::Plic(offset))
        } else if let Some(offset) = within(CLINT_BASE, CLINT_BYTES) {
            Some(Target::Clint(offset))
        } else if let Some(offset) = within(VIRTIO_BASE, VIRTIO_SLOTS * VIRTIO_STRIDE) {
            Some(Target::Virtio(
                offset / VIRTIO_STRIDE,
                offset % VIRTIO_STRIDE,
            ))
        } else if let Some(offset) = within(RTC_BASE, RTC_BYTES) {
            Some(Target::Rtc(offset))
        } else {
            within(FINISHER_BASE, FINISHER_BYTES).map(Target::Finisher)
        }
    }
}

/// Is this a naturally aligned access of 1, 2, 4 or 8 bytes?
fn is_aligned(offset: u64, width: u8) -> bool {
    matches!(width, 1 | 2 | 4 | 8) && offset.is_multiple_of(u64::from(width))
}

#[cfg(test)]
mod tests;
