//! The result of a campaign, or why it stopped early.

use super::folder::Effort;
use super::{EndedBy, NAME};
use crate::fuzzing::{Alarm, Progress, Totals};
use crate::triage::Found;
use oracle::NeverRun;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The result of a campaign.
#[derive(Debug, serde::Serialize)]
pub struct Summary {
    /// What was done.
    pub totals: Totals,
    /// The work that was done: guest instructions, and 50,000 for each run of a case. The same work is the
    /// same campaign on every machine.
    pub work: u64,
    /// What ended it.
    pub ended_by: EndedBy,
    /// Cases of the battery; 0 if the campaign continues earlier ones.
    pub battery: usize,
    /// How many of them were not run.
    pub battery_left: usize,
    /// Cases to begin with that were not run.
    pub seeds_left: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Edges of the kernel that some case took.
    pub edges: usize,
    /// State features that some case had.
    pub features: usize,
    /// Their numbers, in ascending order. Only cases count in which nothing was wrong.
    #[serde(skip)]
    pub features_met: Vec<u16>,
    /// Cases in the pool at the end.
    pub pool: usize,
    /// Operations of all of them.
    pub pool_operations: usize,
    /// The work on this corpus so far, including this campaign.
    pub effort: Effort,
    /// Which operations, on pages in which states and beside which others, were never run on this kernel. This says
    /// where nobody has looked; it does not say that too little was done.
    pub never_run: NeverRun,
    /// What was found, in the order of discovery.
    pub findings: Vec<Found>,
}

impl Summary {
    /// The summary in words.
    pub fn words(&self) -> String {
        let done = Progress {
            target: NAME,
            elapsed: Duration::from_secs_f64(self.seconds),
            totals: &self.totals,
            edges: self.edges,
            findings: &self.findings,
        };
        format!("{}  never run: {}\n", done.summary(), self.never_run)
    }
}

/// Why a campaign stopped early.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Faultline itself cannot be trusted on this kernel.
    #[error("{0}")]
    Alarm(Alarm),
    /// A case or a finding cannot be kept.
    #[error("cannot write to {}: {error}", folder.display())]
    Write {
        /// The folder.
        folder: PathBuf,
        /// The error.
        error: io::Error,
    },
}

impl Broken {
    pub(super) fn write(folder: &Path, error: io::Error) -> Self {
        Broken::Write {
            folder: folder.to_path_buf(),
            error,
        }
    }
}
