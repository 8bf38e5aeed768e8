//! A program that asks for no stack that grows, so that it has xv6's: one page, and a guard page
//! right below. `stacktests` runs it; the argument says what to try.
#![no_std]
#![no_main]

use user::abi::SystemCall;
use user::testing::memory::{PAGE, call, fill, heap_end, load, page_of, stack, store};
use user::{Arguments, system};

user::program!(main);

/// Exits with 0 if all is well, with 1 if not; in some of the cases it has to be killed.
fn main(arguments: Arguments) -> i32 {
    let bottom = page_of(stack());
    let well = match arguments.get(1).map(core::ffi::CStr::to_bytes) {
        // The page is there to its end, and the heap begins above it.
        Some(b"inside") => {
            fill(bottom, 100, 1);
            load(bottom) == 1 && heap_end() == bottom + PAGE
        }
        Some(b"load") => load(bottom - 1) == 0,
        Some(b"store") => {
            store(bottom - 1, 1);
            true
        }
        Some(b"guard") => load(bottom - PAGE) == 0,
        Some(b"call") => refuses_to_read(bottom - 8),
        _ => false,
    };
    i32::from(!well)
}

/// Whether a system call refuses a buffer below the stack.
fn refuses_to_read(place: u64) -> bool {
    let Some(file) = system::open(c"/init", 0) else {
        return false;
    };
    call(SystemCall::Read, [file as u64, place, 16]) == -1
}
