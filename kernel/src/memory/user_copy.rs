//! Reading and writing user memory from system calls: page by page, each through
//! [`AddressSpace::fault_in`].
//!
//! No copy sleeps, so copies may be made with locks held. A copy that comes to a page which must be
//! loaded from the program's file fails with [`Fault::NotLoaded`]. A caller without locks makes the
//! copy in [`AddressSpace::with_loading`]; a caller with locks asks
//! [`AddressSpace::first_not_loaded`] before it copies, and gives up its locks to load that page.

use abi::layout::PAGE_SIZE;

use super::image::Image;
use super::{Access, AddressSpace, Fault, Frame, Origin};
use crate::address::UserAddress;

/// A stretch of user memory inside one frame.
pub struct Stretch {
    /// The frame.
    pub frame: Frame,
    /// Where it begins in the frame.
    pub offset: usize,
    /// Its bytes.
    pub length: usize,
}

impl<I: Image> AddressSpace<I> {
    /// The longest stretch at `address`, of at most `length` bytes, that lies in one page.
    ///
    /// # Errors
    /// That page does not allow the access.
    #[inline]
    pub fn stretch(
        &mut self,
        address: UserAddress,
        length: usize,
        access: Access,
    ) -> Result<Stretch, Fault> {
        let frame = self.fault_in(address, access, Origin::SystemCall)?;
        let offset = address.offset();
        let length = length.min(PAGE_SIZE as usize - offset);
        Ok(Stretch {
            frame,
            offset,
            length,
        })
    }

    /// Copies `bytes` to user memory.
    ///
    /// # Errors
    /// A page cannot be written; those before it have been.
    pub fn copy_out(&mut self, mut to: UserAddress, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let stretch = self.stretch(to, bytes.len(), Access::Store)?;
            let (now, later) = bytes.split_at(stretch.length);
            stretch.frame.write(stretch.offset, now);
            bytes = later;
            to = advance(to, stretch.length)?;
        }
        Ok(())
    }

    /// Fills `bytes` from user memory.
    ///
    /// # Errors
    /// A page cannot be read.
    pub fn copy_in(&mut self, mut from: UserAddress, mut bytes: &mut [u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let stretch = self.stretch(from, bytes.len(), Access::Load)?;
            let (now, later) = bytes.split_at_mut(stretch.length);
            stretch.frame.read(stretch.offset, now);
            bytes = later;
            from = advance(from, stretch.length)?;
        }
        Ok(())
    }

    /// Copies a string that ends in a zero byte to `buffer`, and returns its length without that
    /// byte. `None` if there is no zero byte among as many bytes as the buffer has.
    ///
    /// # Errors
    /// A page cannot be read.
    pub fn copy_in_string(
        &mut self,
        mut from: UserAddress,
        buffer: &mut [u8],
    ) -> Result<Option<usize>, Fault> {
        let mut filled = 0;
        while filled < buffer.len() {
            let stretch = self.stretch(from, buffer.len() - filled, Access::Load)?;
            let part = &mut buffer[filled..filled + stretch.length];
            stretch.frame.read(stretch.offset, part);
            if let Some(end) = part.iter().position(|&byte| byte == 0) {
                return Ok(Some(filled + end));
            }
            filled += stretch.length;
            from = advance(from, stretch.length)?;
        }
        Ok(None)
    }

    /// Reads a word of eight bytes.
    ///
    /// # Errors
    /// A page cannot be read.
    pub fn read_word(&mut self, from: UserAddress) -> Result<u64, Fault> {
        let mut bytes = [0; 8];
        self.copy_in(from, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// The address `count` bytes further. An address that could be touched is far below the largest
/// number.
#[inline]
fn advance(address: UserAddress, count: usize) -> Result<UserAddress, Fault> {
    address.checked_add(count as u64).ok_or(Fault::NotAllowed)
}
