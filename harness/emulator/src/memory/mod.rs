//! Guest memory: RAM with its bookkeeping, translation, and the TLBs that make both cheap.

mod access;
mod fence;
mod kept;
mod late;
mod old_code;
mod ram;
mod sv39;
mod tlb;
mod view;

pub(crate) use access::{Bus, Data, Place, Stop};
pub(crate) use fence::{Fences, Scope};
pub(crate) use kept::Kept;
pub(crate) use ram::{Image, Ram};
pub use sv39::Mapping;
#[cfg(test)]
pub(crate) use sv39::Reach;
pub(crate) use sv39::{Access, PageTables};
pub(crate) use tlb::{Table, Tables, Tlb};
pub(crate) use view::View;

/// Bytes in a page and in a frame.
pub(crate) const PAGE_BYTES: u64 = 4096;
/// Bits of an address inside its page.
pub(crate) const PAGE_MASK: u64 = PAGE_BYTES - 1;
