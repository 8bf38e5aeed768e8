//! Where the linker put the parts of the kernel.

use crate::address::PhysicalAddress;

unsafe extern "C" {
    #[link_name = "text_end"]
    safe static TEXT_END: u8;
    #[link_name = "rodata_end"]
    safe static RODATA_END: u8;
    #[link_name = "kernel_end"]
    safe static KERNEL_END: u8;
    #[link_name = "trampoline_start"]
    safe static TRAMPOLINE_START: u8;
}

fn address_of(symbol: &'static u8) -> PhysicalAddress {
    PhysicalAddress(core::ptr::from_ref(symbol).addr() as u64)
}

/// End of the kernel's code.
pub fn text_end() -> PhysicalAddress {
    address_of(&TEXT_END)
}

/// End of the kernel's constants.
pub fn rodata_end() -> PhysicalAddress {
    address_of(&RODATA_END)
}

/// End of the kernel. The memory after it is free.
pub fn kernel_end() -> PhysicalAddress {
    address_of(&KERNEL_END)
}

/// The trampoline page.
pub fn trampoline() -> PhysicalAddress {
    address_of(&TRAMPOLINE_START)
}
