//! Kernel stacks: one for each process slot and each hart, above a page that is not mapped.

use core::cell::UnsafeCell;

use abi::layout::PAGE_SIZE;
use abi::limits::{HARTS, PROCESSES};

use super::Slot;
use crate::address::PhysicalAddress;

/// Bytes of a kernel stack.
const SIZE: usize = 3 * PAGE_SIZE as usize;

/// A stack and, below it, a page that is not mapped, so that an overflow traps.
#[repr(C, align(4096))]
struct Stack {
    guard: [u8; PAGE_SIZE as usize],
    stack: UnsafeCell<[u8; SIZE]>,
}

// SAFETY: only addresses of stacks are ever taken; the thread that runs on one owns its bytes.
unsafe impl Sync for Stack {}

impl Stack {
    const fn new() -> Stack {
        Stack {
            guard: [0; PAGE_SIZE as usize],
            stack: UnsafeCell::new([0; SIZE]),
        }
    }

    fn top(&self) -> u64 {
        self.stack.get().addr() as u64 + SIZE as u64
    }
}

static PROCESS_STACKS: [Stack; PROCESSES] = [const { Stack::new() }; PROCESSES];

/// Boot begins here, before translation is on; then it is the scheduler's. The entry code knows
/// the name, and the size from [`HART_STACK_BYTES`].
#[unsafe(no_mangle)]
static HART_STACKS: [Stack; HARTS] = [const { Stack::new() }; HARTS];

/// Distance between two hart stacks, and from `HART_STACKS` to the end of the first one.
pub const HART_STACK_BYTES: usize = size_of::<Stack>();

/// Where the kernel stack of a process slot begins (stacks grow down).
pub fn top_of(slot: Slot) -> u64 {
    PROCESS_STACKS[slot.index()].top()
}

/// The pages below all stacks, which the kernel's page table leaves out.
pub fn guard_pages() -> impl Iterator<Item = PhysicalAddress> {
    PROCESS_STACKS
        .iter()
        .chain(&HART_STACKS)
        .map(|stack| PhysicalAddress(stack.guard.as_ptr().addr() as u64))
}
