//! Processes: what they are and own, how they begin and end, and how they go to user mode.

pub mod elf;
pub mod end;
pub mod exec;
pub mod fork;
mod key;
pub mod listing;
mod program_image;
mod table;
mod trampoline;
pub mod trapframe;
pub mod tree;
pub mod user_mode;

pub use key::{Key, Task};
pub use table::{Name, Process};

/// The memory of a process.
pub type AddressSpace = crate::memory::AddressSpace<program_image::Image>;
