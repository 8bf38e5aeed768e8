//! Page-table entries: the bits that the hardware reads, and what they mean.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::address::{PAGE_SHIFT, PhysicalAddress};
use crate::memory::frames::Frame;
use crate::memory::region::{Access, Permissions};

/// A page-table entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry(pub(super) u64);

impl Entry {
    /// Names nothing.
    pub const EMPTY: Entry = Entry(0);
    const VALID: u64 = 1 << 0;
    const LEAF: u64 = 7 << 1;
    const USER: u64 = 1 << 4;
    const ACCESSED: u64 = 1 << 6;
    const DIRTY: u64 = 1 << 7;
    /// A bit for software: the entry names a fixed table.
    const FIXED: u64 = 1 << 8;
    /// Position of the physical page number.
    const FRAME_SHIFT: u32 = 10;

    const fn number_of(address: PhysicalAddress) -> u64 {
        (address.0 >> PAGE_SHIFT) << Self::FRAME_SHIFT
    }

    /// Names a table of the next level.
    pub(in crate::memory) const fn table(address: PhysicalAddress) -> Entry {
        Entry(Self::number_of(address) | Self::VALID)
    }

    /// Names a table of the next level that may not be changed.
    pub(in crate::memory) const fn fixed_table(address: PhysicalAddress) -> Entry {
        Entry(Self::number_of(address) | Self::VALID | Self::FIXED)
    }

    /// Whether it names a table that may not be changed.
    #[inline]
    pub(super) fn is_fixed(self) -> bool {
        self.0 & Self::FIXED != 0
    }

    /// Names memory for the kernel's use.
    pub(in crate::memory) const fn kernel(
        address: PhysicalAddress,
        permissions: Permissions,
    ) -> Entry {
        let flags = permissions.bits() | Self::VALID | Self::ACCESSED | Self::DIRTY;
        Entry(Self::number_of(address) | flags)
    }

    /// Names a frame for a user program's use.
    pub fn user(frame: Frame, permissions: Permissions) -> Entry {
        Entry(Self::kernel(frame.address(), permissions).0 | Self::USER)
    }

    /// Whether it names anything.
    #[inline]
    pub fn is_valid(self) -> bool {
        self.0 & Self::VALID != 0
    }

    /// Whether it names a frame of the user program.
    #[inline]
    pub(super) fn is_user(self) -> bool {
        self.0 & (Self::VALID | Self::USER) == Self::VALID | Self::USER
    }

    /// Whether a user program may do this through the entry.
    #[inline]
    pub fn allows(self, access: Access) -> bool {
        Permissions::from_entry(self.0).allow(access) && self.is_user()
    }

    /// The same without the right to write.
    pub fn read_only(self) -> Entry {
        Entry(self.0 & !Permissions::WRITE.bits())
    }

    /// The same with the right to write.
    pub fn writable(self) -> Entry {
        Entry(self.0 | Permissions::WRITE.bits())
    }

    /// The frame, or table, that a valid entry names.
    #[inline]
    pub fn frame(self) -> Frame {
        Frame::at(Self::address(self.0))
    }

    /// The address that the bits of a valid entry name.
    #[inline]
    pub(in crate::memory) const fn address(bits: u64) -> PhysicalAddress {
        PhysicalAddress((bits >> Self::FRAME_SHIFT) << PAGE_SHIFT)
    }

    /// The bits as the hardware reads them.
    pub(in crate::memory) const fn bits(self) -> u64 {
        self.0
    }

    pub(super) fn load(slot: &AtomicU64) -> Entry {
        Entry(slot.load(Ordering::Relaxed))
    }

    pub(super) fn store(self, slot: &AtomicU64) {
        slot.store(self.0, Ordering::Relaxed);
    }
}

impl Permissions {
    #[inline]
    fn from_entry(bits: u64) -> Permissions {
        // Only the three permission bits are ever asked for.
        Permissions::from_bits((bits & Entry::LEAF) as u8)
    }
}
