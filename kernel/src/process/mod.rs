//! Processes: what they are, how they begin and end, and which one runs.

pub mod context;
pub mod elf;
pub mod end;
pub mod exec;
pub mod fork;
pub mod listing;
pub mod scheduler;
pub mod sleep;
pub mod stack;
mod table;
pub mod trapframe;
pub mod tree;

pub use table::{Name, Process, Slot, State, Task};
