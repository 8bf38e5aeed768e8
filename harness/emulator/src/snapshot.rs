//! Snapshots: the state of a machine at one moment, shared by all machines based on it.

use crate::clock::Time;
use crate::config::Config;
use crate::devices::{Devices, MAX_HARTS};
use crate::hart::Hart;
use crate::memory::Image;
use std::sync::Arc;

/// The state of a machine at one moment; read-only, to be shared between threads.
pub struct Snapshot {
    pub(crate) config: Config,
    pub(crate) image: Arc<Image>,
    pub(crate) harts: Vec<Hart>,
    pub(crate) devices: Devices,
    pub(crate) time: Time,
    pub(crate) reservations: [Option<u64>; MAX_HARTS],
    pub(crate) turn: Turn,
}

/// Whose turn it is, among harts that run one after another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// The hart whose turn it is.
    pub(crate) hart: usize,
    /// Steps it has left.
    pub(crate) left: u64,
    /// The hart that ran last.
    pub(crate) running: usize,
}

/// The work that a return to a snapshot took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResetStats {
    /// Pages of RAM that had been written since, and were copied back.
    pub dirty_pages: usize,
}
