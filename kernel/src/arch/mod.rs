//! What the processor offers: control registers, harts, interrupts, fences.

pub mod csr;
pub mod fence;
pub mod hart;
pub mod interrupt;
