//! Memory: frames, page tables, and address spaces whose regions are the truth. Knows neither
//! processes nor files: it is given an account to keep and an image of the program.

pub mod account;
pub mod address_space;
pub mod fault;
pub mod fixed_tables;
pub mod frames;
pub mod image;
pub mod kernel_table;
pub mod page_table;
pub mod region;
pub mod user_copy;

pub use address_space::AddressSpace;
pub use fault::{Fault, Origin};
pub use frames::{Frame, OutOfFrames};
pub use region::Access;
