//! Interrupts, of the kernel and of user programs.

use abi::layout::{UART_INTERRUPT, VIRTIO_DISK_INTERRUPT};

use crate::devices::{clock, plic, virtio_block};
use crate::file::console;
use crate::process::listing;

/// The timer's deadline has passed.
pub(super) fn timer() {
    clock::tick();
}

/// Some device wants attention.
pub(super) fn external() {
    match plic::claim() {
        // Another hart was quicker.
        None => {}
        Some(claimed) => {
            match claimed.number() {
                UART_INTERRUPT => console::interrupt(listing::print),
                VIRTIO_DISK_INTERRUPT => virtio_block::interrupt(),
                number => panic!("unexpected interrupt {number}"),
            }
            claimed.complete();
        }
    }
}
