//! Device registers.

use core::ptr::{
    read_volatile, with_exposed_provenance, with_exposed_provenance_mut, write_volatile,
};

/// A device register of type `T` at a fixed physical address, which the kernel's page table maps
/// to itself.
pub struct Register<T> {
    address: usize,
    width: core::marker::PhantomData<T>,
}

impl<T: Copy> Register<T> {
    /// Names the register at `address`.
    ///
    /// # Safety
    /// A device register of that width is there, and touching it cannot change memory other than
    /// what its driver hands to the device.
    pub const unsafe fn at(address: u64) -> Register<T> {
        Register {
            address: address as usize,
            width: core::marker::PhantomData,
        }
    }

    /// Reads the register.
    #[inline(always)]
    pub fn read(&self) -> T {
        // SAFETY: promised to `at`.
        unsafe { read_volatile(with_exposed_provenance(self.address)) }
    }

    /// Writes the register.
    #[inline(always)]
    pub fn write(&self, value: T) {
        // SAFETY: promised to `at`.
        unsafe { write_volatile(with_exposed_provenance_mut(self.address), value) }
    }
}
