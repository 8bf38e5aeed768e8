//! Totals: what sessions have done.

use crate::guest::canary::Canary;
use crate::runner::Outcome;
use oracle::BiteMeter;
use std::ops::AddAssign;

/// What one session has done, or several sessions together.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Totals {
    /// Cases run, without the repeats.
    pub executions: u64,
    /// Cases run a second time, to compare both runs.
    pub repeated: u64,
    /// What the oracle compared.
    pub meter: BiteMeter,
    /// Guest instructions of all cases.
    pub instructions: u64,
    /// Cases with a finding, known or new.
    pub findings: u64,
    /// Cases that ran the code that a seeded bug changes: see [`Canary`].
    pub reached: u64,
    /// Cases in which the seeded bug did harm.
    pub triggered: u64,
}

impl Totals {
    /// Counts a case, with what the canaries of the kernel have said.
    pub(super) fn add(&mut self, outcome: &Outcome, canary: Canary) {
        self.executions += 1;
        self.meter += outcome.meter;
        self.instructions += outcome.instructions;
        self.findings += u64::from(!outcome.findings.is_empty());
        self.reached += u64::from(canary.reached);
        self.triggered += u64::from(canary.triggered);
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.executions += other.executions;
        self.repeated += other.repeated;
        self.meter += other.meter;
        self.instructions += other.instructions;
        self.findings += other.findings;
        self.reached += other.reached;
        self.triggered += other.triggered;
    }
}
