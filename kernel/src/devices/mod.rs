//! Drivers for the devices of the `virt` board.

pub mod clock;
pub mod plic;
pub mod uart;
pub mod virtio_block;
