//! The log of a campaign: what each thread has done, and what was found.

use super::Broken;
use super::shrinking::Queue;
use crate::fuzzing::Totals;
use crate::triage::Found;

/// What each thread has done, and what was found.
#[derive(Default)]
pub(super) struct Log {
    /// For each thread.
    pub(super) totals: Vec<Totals>,
    pub(super) findings: Vec<Found>,
    /// Those of the findings that are to become smaller.
    pub(super) queue: Queue,
    pub(super) broken: Option<Broken>,
}

impl Log {
    /// A log for so many threads.
    pub(super) fn new(threads: usize) -> Self {
        Self {
            totals: vec![Totals::default(); threads],
            ..Self::default()
        }
    }

    /// What all threads have done together.
    pub(super) fn total(&self) -> Totals {
        let mut total = Totals::default();
        self.totals.iter().for_each(|thread| total += *thread);
        total
    }
}
