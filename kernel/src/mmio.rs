//! Device registers: which devices there are, and volatile access to their registers.

use core::marker::PhantomData;
use core::ptr::{
    read_volatile, with_exposed_provenance, with_exposed_provenance_mut, write_volatile,
};

use abi::layout;

/// The console's UART.
pub const UART: Device = Device::new(layout::UART, 8);
/// The interrupt controller: registers enough for the contexts of eight harts.
pub const PLIC: Device = Device::new(layout::PLIC, 0x40_0000);
/// The disk's virtio-mmio slot. The device touches only memory that its driver's queue names.
pub const VIRTIO_DISK: Device = Device::new(layout::VIRTIO_DISK, 0x1000);

/// A device: a range of physical addresses, which the kernel's page table maps to themselves.
#[derive(Clone, Copy)]
pub struct Device {
    base: usize,
    size: usize,
}

/// A register of type `T` of a device.
pub struct Register<T> {
    address: usize,
    width: PhantomData<T>,
}

impl Device {
    /// Private, so that the devices above are the only ones: that makes it safe to touch
    /// registers.
    const fn new(base: u64, size: usize) -> Device {
        Device {
            base: base as usize,
            size,
        }
    }

    /// Where its registers begin.
    pub const fn base(self) -> u64 {
        self.base as u64
    }

    /// Bytes of its registers.
    pub const fn size(self) -> u64 {
        self.size as u64
    }

    /// The register `offset` bytes from the device's first.
    ///
    /// # Panics
    /// If it does not belong to the device, or is not aligned.
    pub const fn register<T: Copy>(self, offset: usize) -> Register<T> {
        assert!(offset < self.size && offset.is_multiple_of(size_of::<T>()));
        Register {
            address: self.base + offset,
            width: PhantomData,
        }
    }
}

impl<T: Copy> Register<T> {
    /// Reads the register.
    #[inline(always)]
    pub fn read(&self) -> T {
        // SAFETY: the address is a device's, aligned, and no Rust object is there.
        unsafe { read_volatile(with_exposed_provenance(self.address)) }
    }

    /// Writes the register.
    #[inline(always)]
    pub fn write(&self, value: T) {
        // SAFETY: as above; a driver is responsible for what its device does to memory.
        unsafe { write_volatile(with_exposed_provenance_mut(self.address), value) }
    }
}
