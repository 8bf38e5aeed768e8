//! Where a program begins and where it panics.

use core::arch::global_asm;
use core::panic::PanicInfo;

use crate::system;

// The kernel leaves the number of arguments in `a0` and their array in `a1`, on an aligned stack.
global_asm!(
    r#"
    .section .text.entry, "ax"
    .globl _start
_start:
    call program_main
    j program_exit
"#
);

/// Makes `$main` the program: a function from [`crate::Arguments`] to the exit status.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        /// The entry code calls it by this name.
        #[unsafe(no_mangle)]
        extern "C" fn program_main(count: usize, array: *const *const u8) -> i32 {
            // SAFETY: these are the kernel's: an array of that many strings, which stay.
            let arguments = unsafe { $crate::Arguments::from_entry(count, array) };
            $main(arguments)
        }
    };
}

#[unsafe(no_mangle)]
extern "C" fn program_exit(status: i32) -> ! {
    system::exit(status)
}

#[panic_handler]
fn on_panic(info: &PanicInfo<'_>) -> ! {
    crate::eprintln!("panicked: {}", info.message());
    system::exit(1)
}
