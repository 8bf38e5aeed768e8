//! `malloc` and `free` on `sbrk`, which are also Rust's allocator: a program that says
//! `extern crate alloc` has boxes and vectors; one that allocates nothing never moves its break.

mod free_list;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};

use abi::layout::PAGE_SIZE;
use abi::sbrk;

use self::free_list::{ALIGNMENT, FreeList};
use crate::raw;

/// The fewest bytes that it requests from the kernel at a time.
const GROWTH: u64 = 4 * PAGE_SIZE;

#[global_allocator]
static HEAP: Heap = Heap(UnsafeCell::new(State {
    free: FreeList::new(),
    end: 0,
}));

struct Heap(UnsafeCell<State>);

struct State {
    free: FreeList,
    /// Where the allocator's memory ends; 0 while it has none.
    end: u64,
}

// SAFETY: a process has one thread, which nothing interrupts in user mode; and the allocator calls
// nothing that allocates.
unsafe impl Sync for Heap {}

impl Heap {
    fn with<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        // SAFETY: there is one thread, and no `use_it` comes back here: this is the only reference.
        use_it(unsafe { &mut *self.0.get() })
    }
}

impl State {
    fn allocate(&mut self, size: usize, alignment: usize) -> Option<NonNull<u8>> {
        if let Some(found) = self.free.take(size, alignment) {
            return Some(found);
        }
        self.grow(FreeList::enough_for(size, alignment)?)?;
        self.free.take(size, alignment)
    }

    /// Asks the kernel for at least `size` bytes more. They are allocated at once: a lazy `sbrk`
    /// would reserve frames that may not be there at the page fault, and the program would be killed.
    fn grow(&mut self, size: usize) -> Option<()> {
        let size = u64::try_from(size)
            .ok()?
            .checked_next_multiple_of(PAGE_SIZE)?
            .max(GROWTH);
        // An `int` for the C kernel, which would cut off the rest.
        let amount = i32::try_from(size).ok()?.into();
        // SAFETY: takes no pointer; growing takes nothing away.
        let start = unsafe { raw::sbrk(amount, sbrk::EAGER) };
        let start = u64::try_from(start).ok()?;
        self.end = start.checked_add(size)?;
        // Others may have moved the break to anywhere.
        let first = start.next_multiple_of(ALIGNMENT as u64);
        let size = (self.end - first) & !(ALIGNMENT as u64 - 1);
        // SAFETY: only the caller of `sbrk` knows these bytes, and the kernel mapped them.
        unsafe {
            let first = ptr::with_exposed_provenance_mut(first as usize);
            self.free.add(first, size as usize);
        }
        Some(())
    }
}

/// At least `size` bytes at a multiple of 16; `None` when memory runs out.
pub fn malloc(size: usize) -> Option<NonNull<u8>> {
    HEAP.with(|state| state.allocate(size, ALIGNMENT))
}

/// Takes memory back.
///
/// # Safety
/// It is [`malloc`]'s, was not taken back yet, and is not used any more.
pub unsafe fn free(memory: NonNull<u8>) {
    // SAFETY: the caller's promise.
    HEAP.with(|state| unsafe { state.free.give_back(memory) });
}

/// Where the memory that the allocator has from the kernel ends; 0 while it has none.
pub(crate) fn end() -> u64 {
    HEAP.with(|state| state.end)
}

// SAFETY: memory comes from `sbrk`, each byte of it belongs to one block at a time, and a block is
// as large and as aligned as asked. A panic, for memory that is freed twice, ends the program.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.with(|state| state.allocate(layout.size(), layout.align()))
            .map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, memory: *mut u8, _: Layout) {
        if let Some(memory) = NonNull::new(memory) {
            // SAFETY: the caller got it from `alloc`.
            self.with(|state| unsafe { state.free.give_back(memory) });
        }
    }
}
