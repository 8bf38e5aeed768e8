//! What a campaign is to do.

use super::Budget;
use oracle::{Case, Profile};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a campaign is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The targets that cases are made for, in turn. An empty list means all targets.
    pub targets: Vec<Profile>,
    /// When to stop.
    pub budget: Budget,
    /// Threads, at least one. How many there are changes nothing but the time that it takes.
    pub jobs: usize,
    /// The random seed: two campaigns that end by work or executions are the same.
    pub seed: u64,
    /// Cases to begin with.
    pub seeds: Vec<Case>,
    /// Where cases that cover something new are kept, and what was done with them.
    pub corpus: Option<PathBuf>,
    /// The folder that findings go to.
    pub findings: PathBuf,
    /// Stop at the first finding, too.
    pub until_finding: bool,
    /// When findings are made small.
    pub minimising: Minimising,
    /// Make most cases avoid known findings, to find others.
    pub steer: bool,
    /// Ends the campaign, with its summary, as soon as it is set.
    pub stop: Arc<AtomicBool>,
}

/// When a campaign makes its findings small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Minimising {
    /// As soon as it is found.
    AtOnce,
    /// Never: they are kept as found.
    Never,
    /// For a share of the time, a little at a time, the cheapest first. A finding for which there is no
    /// time is kept as found.
    Sharing,
}
