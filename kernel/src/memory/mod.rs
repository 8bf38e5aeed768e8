//! Memory: frames, page tables, and address spaces whose regions are the truth.

pub mod address_space;
pub mod fault;
mod file_copy;
pub mod fixed_tables;
pub mod frames;
pub mod kernel_table;
pub mod outline;
pub mod page_table;
mod pool;
pub mod program_image;
pub mod region;
pub mod user_copy;

pub use address_space::{Access, AddressSpace, Fault};
pub use fault::Origin;
pub use frames::{Frame, OutOfFrames};
