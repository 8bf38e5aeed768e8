//! Findings that are made small while the campaign goes on: for a share of its time, so that one that
//! takes long does not keep it from finding others.

use super::Plan;
use crate::fuzzing::MINIMISE_EXECUTIONS;
use crate::triage::minimise::Minimality;
use crate::triage::{Found, Report};
use std::time::Duration;

/// Executions spent on a finding before the next is looked at; twice as many after they did not help.
const SLICE: u64 = 48;

/// Of all threads' time so much goes to making findings small at most.
const SHARE: f64 = 0.4;

/// In the last part of the campaign nothing else is done as long as a finding is not small.
const LAST_PART: f64 = 0.8;

/// Which findings of a log are not small yet. One that a thread works on is not here.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Vec<Pending>,
    spent: Duration,
}

/// A finding that is not small yet.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    /// Its number in the log.
    pub(super) number: usize,
    /// Executions to spend on it next.
    pub(super) slice: u64,
}

impl Queue {
    /// Takes a new finding, by its number in the log.
    pub(super) fn add(&mut self, number: usize) {
        let slice = SLICE;
        self.waiting.push(Pending { number, slice });
    }

    /// The one of `findings` that takes least to make small, if it is time for that.
    pub(super) fn due(
        &mut self,
        findings: &[Found],
        plan: &Plan,
        elapsed: Duration,
    ) -> Option<Pending> {
        let is_ending = plan
            .duration
            .is_some_and(|all| elapsed >= all.mul_f64(LAST_PART));
        let share = elapsed.mul_f64(SHARE * plan.jobs.max(1) as f64);
        if self.spent >= share && !is_ending {
            return None;
        }
        // Instructions of the next slice.
        let cost = |pending: &Pending| {
            let report = &findings[pending.number].report;
            report.instructions.saturating_mul(pending.slice)
        };
        let waiting = self.waiting.iter().enumerate();
        let (at, _) = waiting.min_by_key(|(_, pending)| cost(pending))?;
        Some(self.waiting.swap_remove(at))
    }

    /// Takes a finding back on which a slice was spent, which took so long; one that may become smaller
    /// yet waits for its next turn.
    pub(super) fn give_back(
        &mut self,
        mut pending: Pending,
        report: &Report,
        has_news: bool,
        took: Duration,
    ) {
        self.spent += took;
        if !has_news {
            pending.slice *= 2;
        }
        let minimised = &report.minimised;
        let is_done = minimised.minimality == Minimality::Proved
            || minimised.executions >= MINIMISE_EXECUTIONS;
        if !is_done {
            self.waiting.push(pending);
        }
    }
}
