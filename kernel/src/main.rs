//! A lazy xv6 for RV64. See `README.md` beside `src` for a tour.
#![no_std]
#![no_main]

mod address;
mod arch;
mod boot;
mod devices;
mod file;
mod file_system;
mod image;
mod memory;
mod mmio;
mod panic;
mod print;
mod process;
mod sync;
mod system_call;
mod trap;

use core::sync::atomic::{AtomicBool, Ordering};

use arch::hart;
use devices::{plic, uart, virtio_block};
use memory::{fixed_tables, frames, kernel_table};
use process::{fork, scheduler, trapframe};

/// Set when hart 0 has made everything that the others share.
static SHARED_STATE_READY: AtomicBool = AtomicBool::new(false);

/// Where every hart begins in supervisor mode.
extern "C" fn main() -> ! {
    if hart::id() == 0 {
        uart::initialise();
        print::with_lock(|out| out.text("\nxv6 kernel is booting\n\n"));
        frames::initialise(image::kernel_end());
        kernel_table::initialise();
        fixed_tables::initialise(image::trampoline(), trapframe::address_of);
        prepare_hart();
        plic::initialise();
        plic::initialise_hart();
        virtio_block::initialise();
        fork::start_first();
        SHARED_STATE_READY.store(true, Ordering::Release);
    } else {
        while !SHARED_STATE_READY.load(Ordering::Acquire) {
            core::hint::spin_loop();
        }
        prepare_hart();
        plic::initialise_hart();
        print::with_lock(|out| {
            out.text("hart ");
            out.decimal(hart::id() as i64);
            out.text(" starting\n");
        });
    }
    scheduler::run()
}

fn prepare_hart() {
    kernel_table::activate();
    trap::kernel::initialise();
}
