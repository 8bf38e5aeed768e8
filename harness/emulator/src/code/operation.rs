//! The form in which instructions are executed: operations of eight bytes, in blocks.

use super::codes::Code;
use crate::memory::PAGE_MASK;

/// One operation. Register numbers are below [`crate::hart::REGISTERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Operation {
    pub(crate) code: Code,
    pub(crate) rd: u8,
    pub(crate) rs1: u8,
    pub(crate) rs2: u8,
    pub(crate) immediate: i32,
}

impl Operation {
    /// The immediate, sign-extended.
    #[inline(always)]
    pub(crate) fn value(&self) -> u64 {
        i64::from(self.immediate) as u64
    }
}

const _: () = assert!(size_of::<Operation>() == 8);

/// The place of an operation in its block. It is needed when a block is left in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Bytes from the block's start to the instruction.
    pub(crate) offset: u16,
    /// Instructions of the block before it.
    pub(crate) before: u16,
}

/// No block is linked.
pub(crate) const NO_LINK: u32 = u32::MAX;

/// A way out of a block whose target is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    /// Bytes from the block's start to the target.
    pub(crate) target: i32,
    /// The block there, if it was found before and lies in the block's own page: such a link needs
    /// no check, because the two die together.
    pub(crate) link: u32,
    /// The block there, if it was found before in another page.
    pub(crate) remote: u32,
    /// The coverage counter of this edge; 0 if it is not an edge.
    pub(crate) edge: u16,
    /// Instructions of the block that are not executed if it is left here.
    pub(crate) unused: u16,
}

/// A run of instructions in one page that is entered at its first, and left at its last or by a
/// branch that is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// Virtual address of its first instruction.
    pub(crate) address: u64,
    /// Offset in RAM of its first instruction; [`Block::DEAD`] if it must not be entered.
    pub(crate) offset: u64,
    /// Place of its first operation; the last one leaves the block.
    pub(crate) first: u32,
    /// Place of its first exit.
    pub(crate) exits: u32,
    /// The block that the last indirect jump went to.
    pub(crate) indirect: u32,
    /// Its instructions.
    pub(crate) count: u16,
    /// Its bytes.
    pub(crate) bytes: u16,
}

impl Block {
    /// No instruction lies at an odd offset.
    pub(crate) const DEAD: u64 = 1;

    /// The virtual address after its last instruction.
    #[inline(always)]
    pub(crate) fn end(&self) -> u64 {
        self.address.wrapping_add(u64::from(self.bytes))
    }

    /// The virtual address of the instruction with this mark.
    #[inline(always)]
    pub(crate) fn address_at(&self, mark: Mark) -> u64 {
        self.address.wrapping_add(u64::from(mark.offset))
    }

    /// Does its first instruction lie in the page of this virtual address?
    #[inline(always)]
    pub(crate) fn is_in_page_of(&self, address: u64) -> bool {
        (address ^ self.address) & !PAGE_MASK == 0
    }

    /// Is this the block at this offset in RAM and this virtual address?
    #[inline(always)]
    pub(crate) fn is_at(&self, offset: u64, address: u64) -> bool {
        self.offset == offset && self.address == address
    }
}
