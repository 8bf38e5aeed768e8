//! A deterministic RV64 machine with snapshots: harts, memory management, devices.

mod config;
pub mod devices;
mod exit;
mod machine;

pub use config::{Clock, Config, Coverage, RAM_BASE, RAM_BYTES_MAX, RAM_BYTES_MIN};
pub use devices::DiskFlavour;
pub use exit::{BuildError, Exit, OutOfRange, Trap};
pub use machine::{Machine, Mapping, Privilege, ResetStats, Snapshot};
