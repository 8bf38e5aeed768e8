//! Memory to try: accesses that the kernel may refuse, the heap, and addresses of every kind.

use core::ptr::{
    read_volatile, with_exposed_provenance, with_exposed_provenance_mut, write_volatile,
};

use crate::abi::layout::{MAX_VIRTUAL, PAGE_SIZE, RAM_START, TRAMPOLINE, TRAPFRAME};
use crate::abi::{SystemCall, sbrk};
use crate::{raw, system};

/// Bytes in a page.
pub const PAGE: u64 = PAGE_SIZE;

/// Addresses that no program may use: of the kernel, of what the last two pages hold, beyond what
/// Sv39 gives a user, and not canonical.
pub const NOBODY: [u64; 7] = [
    RAM_START,
    TRAPFRAME,
    TRAMPOLINE,
    MAX_VIRTUAL,
    MAX_VIRTUAL << 1,
    1 << 63,
    u64::MAX,
];

/// Loads the byte at `address`.
pub fn load(address: u64) -> u8 {
    // SAFETY: the address is the program's own, or the kernel stops it.
    unsafe { read_volatile(with_exposed_provenance(address as usize)) }
}

/// Stores a byte at `address`, which is in memory that the program uses for nothing else, or which
/// the kernel guards.
pub fn store(address: u64, value: u8) {
    // SAFETY: as the caller says.
    unsafe { write_volatile(with_exposed_provenance_mut(address as usize), value) }
}

/// Executes what lies at `address`, which is guarded by the kernel or holds a `ret`.
pub fn fetch(address: u64) {
    // SAFETY: the kernel stops it, or it comes back.
    unsafe { core::arch::asm!("jalr {}", in(reg) address, clobber_abi("C")) }
}

/// Whether the `length` bytes at `address` are all `value`.
pub fn holds(address: u64, length: u64, value: u8) -> bool {
    (address..address + length).all(|place| load(place) == value)
}

/// Stores `value` in the `length` bytes at `address`.
pub fn fill(address: u64, length: u64, value: u8) {
    for place in address..address + length {
        store(place, value);
    }
}

/// Moves the break by `amount` without taking a frame: the break before.
pub fn lazy(amount: i64) -> Option<u64> {
    system::sbrk(amount, sbrk::LAZY)
}

/// Moves the break by `amount` and takes the frames at once: the break before.
pub fn eager(amount: i64) -> Option<u64> {
    system::sbrk(amount, sbrk::EAGER)
}

/// The program break.
pub fn heap_end() -> u64 {
    lazy(0).unwrap_or(0)
}

/// Grows the heap by so many pages of holes, and returns the address of the first. If the break
/// lies inside a page, the rest of that page is skipped.
pub fn grow(pages: u64) -> u64 {
    let rest = heap_end().wrapping_neg() % PAGE;
    lazy((rest + pages * PAGE) as i64).map_or(0, |before| before + rest)
}

/// Gives back so many pages of heap.
pub fn shrink(pages: u64) {
    lazy(-((pages * PAGE) as i64));
}

/// New memory on the heap, all zero; it takes no frame before it is used.
pub fn buffer(length: usize) -> &'static mut [u8] {
    let pages = (length as u64).div_ceil(PAGE);
    let start = with_exposed_provenance_mut(grow(pages) as usize);
    // SAFETY: the pages are zero, and no other part of the program knows them.
    unsafe { core::slice::from_raw_parts_mut(start, length) }
}

/// An address on the stack.
pub fn stack() -> u64 {
    let here = 0u8;
    core::ptr::from_ref(&here).expose_provenance() as u64
}

/// The start of the page that holds `address`.
pub fn page_of(address: u64) -> u64 {
    address & !(PAGE - 1)
}

/// An address in the program's text.
pub fn text() -> u64 {
    page_of as *const () as u64
}

/// Asks for a system call with arguments that no safe function would pass.
pub fn call(call: SystemCall, arguments: [u64; 3]) -> i64 {
    // SAFETY: the rules name heap memory that is used for nothing else, or addresses at which the
    // kernel has nothing to write.
    unsafe { raw::call(call.number(), arguments) }
}
