//! The memory layout: physical addresses of the `virt` board, virtual addresses of a process.
//!
//! A process sees, from zero: its program's segments, a guard page, its stack, its heap up to the
//! program break; and, out of its reach, trapframe and trampoline in the last two pages.

/// Bytes in a page (virtual) and in a frame (physical).
pub const PAGE_SIZE: u64 = 4096;

/// Where RAM begins; the kernel is loaded and entered here.
pub const RAM_START: u64 = 0x8000_0000;
/// Bytes of RAM that xv6 uses; the board may have more.
pub const RAM_SIZE: u64 = 128 * 1024 * 1024;
/// The first physical address after RAM.
pub const RAM_END: u64 = RAM_START + RAM_SIZE;

/// Platform-level interrupt controller.
pub const PLIC: u64 = 0x0c00_0000;
/// 16550 UART, the console.
pub const UART: u64 = 0x1000_0000;
/// First virtio-mmio slot, the disk.
pub const VIRTIO_DISK: u64 = 0x1000_1000;
/// The UART's interrupt number at the PLIC.
pub const UART_INTERRUPT: u32 = 10;
/// The disk's interrupt number at the PLIC.
pub const VIRTIO_DISK_INTERRUPT: u32 = 1;

/// One beyond the highest virtual address: half of what Sv39 offers, so that no address needs
/// sign extension.
pub const MAX_VIRTUAL: u64 = 1 << 38;
/// The page of code that switches between user and kernel page tables, mapped in both.
pub const TRAMPOLINE: u64 = MAX_VIRTUAL - PAGE_SIZE;
/// Where a process's saved registers are mapped, for the trampoline alone. The program break never
/// exceeds this address.
pub const TRAPFRAME: u64 = TRAMPOLINE - PAGE_SIZE;
