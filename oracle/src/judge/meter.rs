//! The bite meter: how much the oracle has really compared, even if it found nothing.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::AddAssign;

/// Counts of what was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BiteMeter {
    /// Operations performed.
    pub operations: u64,
    /// Answers (returned and loaded values, statuses) that were compared with the model's.
    pub compared: u64,
    /// Operations that did not apply.
    pub skipped: u64,
    /// Accesses and arguments that had to be refused.
    pub expected_faults: u64,
    /// Processes that had to die.
    pub expected_kills: u64,
    /// Cases in which the comparison stopped after a legal difference.
    pub stopped: u64,
    /// Answers that differed legally because no frame was free.
    pub excused: u64,
    /// Page-table entries checked against the invariants.
    pub pages: u64,
}

impl BiteMeter {
    /// Whether the oracle bites: it compared answers, and it saw accesses that had to be refused and
    /// processes that had to be killed.
    pub fn bites(&self) -> bool {
        self.compared * 4 >= self.operations
            && self.operations > 0
            && self.expected_faults > 0
            && self.expected_kills > 0
    }
}

impl AddAssign for BiteMeter {
    fn add_assign(&mut self, other: BiteMeter) {
        self.operations += other.operations;
        self.compared += other.compared;
        self.skipped += other.skipped;
        self.expected_faults += other.expected_faults;
        self.expected_kills += other.expected_kills;
        self.stopped += other.stopped;
        self.excused += other.excused;
        self.pages += other.pages;
    }
}

impl fmt::Display for BiteMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} operations, {} compared, {} skipped, {} expected to fault, {} expected to kill, \
             {} excused because no frame was free, {} cases stopped early, {} pages checked",
            self.operations,
            self.compared,
            self.skipped,
            self.expected_faults,
            self.expected_kills,
            self.excused,
            self.stopped,
            self.pages
        )
    }
}
