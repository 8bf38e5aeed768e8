//! A lazy xv6 for RV64. See `README.md` next to `src` for a tour.
#![no_std]
#![no_main]

mod address;
mod arch;
mod boot;
mod device_tree;
mod devices;
mod file;
mod file_system;
mod image;
mod memory;
mod mmio;
mod panic;
mod print;
mod process;
mod scheduling;
mod sync;
mod system_call;
mod trap;

use core::sync::atomic::{AtomicBool, Ordering};

use arch::hart;
use devices::{plic, uart, virtio_block};
use memory::{fault, fixed_tables, frames, kernel_table};
use process::{fork, trapframe};
use scheduling::{scheduler, stack};

/// Set when hart 0 has made everything that the others share.
static SHARED_STATE_READY: AtomicBool = AtomicBool::new(false);

/// Where every hart begins in supervisor mode.
extern "C" fn main(device_tree: u64) -> ! {
    if hart::id() == 0 {
        uart::initialise();
        print::with_lock(|out| out.text("\nxv6 kernel is booting\n\n"));
        // SAFETY: frames are handed out only after this.
        unsafe { device_tree::boot_arguments(device_tree, obey) };
        frames::initialise(image::kernel_end());
        kernel_table::initialise(stack::guard_pages());
        fixed_tables::initialise(image::trampoline(), trapframe::address_of);
        prepare_hart();
        plic::initialise();
        plic::initialise_hart();
        virtio_block::initialise();
        fork::start_first(trap::user::user_trap);
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

/// Obeys the boot arguments, which are words between spaces. Unknown ones are not for the kernel.
fn obey(arguments: &[u8]) {
    for argument in arguments.split(|&byte| byte == b' ') {
        if argument == b"log-faults" {
            fault::log_all();
        }
    }
}

fn prepare_hart() {
    kernel_table::activate();
    trap::kernel::initialise();
}
