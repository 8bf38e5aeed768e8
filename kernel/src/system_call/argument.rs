//! Arguments of system calls, as registers and user memory hold them.

use abi::limits::PATH;

use super::Refused;
use crate::address::UserAddress;
use crate::process::{AddressSpace, Task};

/// An `int`: the low half of its register.
#[inline]
pub(super) fn int<const NUMBER: usize>(task: &Task<'_>) -> i32 {
    task.trapframe.argument::<NUMBER>() as i32
}

/// A pointer: any number.
#[inline]
pub(super) fn address<const NUMBER: usize>(task: &Task<'_>) -> UserAddress {
    UserAddress(task.trapframe.argument::<NUMBER>())
}

/// A path, copied to `buffer`.
///
/// # Errors
/// It cannot be read, or is too long.
pub(super) fn path<'b, const NUMBER: usize>(
    task: &mut Task<'_>,
    buffer: &'b mut [u8; PATH],
) -> Result<&'b [u8], Refused> {
    let address = address::<NUMBER>(task);
    let copy = |space: &mut AddressSpace| space.copy_in_string(address, buffer);
    let length = task.space.with_loading(copy)?.ok_or(Refused)?;
    Ok(&buffer[..length])
}
