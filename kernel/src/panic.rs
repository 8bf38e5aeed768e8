//! Panics: the kernel prints a message and stops.

use core::panic::PanicInfo;

use crate::arch::{hart, interrupt};
use crate::print;

#[panic_handler]
fn on_panic(info: &PanicInfo<'_>) -> ! {
    interrupt::disable();
    print::panicked();
    print::with_lock(|out| {
        out.format(format_args!("panic: {}", info.message()));
        if let Some(place) = info.location() {
            out.format(format_args!(" ({}:{})", place.file(), place.line()));
        }
        out.text("\n");
    });
    panic()
}

/// Stops the system, which cannot go on and has said why.
pub fn stop() -> ! {
    panic()
}

/// Every panic ends here, after its message: tools set a breakpoint here.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn panic() -> ! {
    loop {
        interrupt::disable();
        hart::wait_for_interrupt();
    }
}
