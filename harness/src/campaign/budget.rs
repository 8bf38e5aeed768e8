//! The budget of a campaign: how much it may do, and what ended it.

use serde::Serialize;
use std::time::Duration;

/// How much a campaign may do. It ends at the limit that it reaches first. Without any limit it goes on
/// until it is interrupted.
///
/// Work and executions are the same on every machine. Time is not: what is done in a second depends on
/// the processor and on what else runs on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    /// Work, as [`Runner::work`](crate::runner::Runner::work) counts it.
    pub work: Option<u64>,
    /// Cases.
    pub executions: Option<u64>,
    /// Time.
    pub duration: Option<Duration>,
}

/// What a campaign has used of its budget.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    pub(super) work: u64,
    pub(super) executions: u64,
    pub(super) elapsed: Duration,
}

/// What ended a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndedBy {
    /// All the work, or all the executions, that it was to do.
    Budget,
    /// The limit on its time.
    Time,
    /// The first finding, where that is to end it.
    Finding,
    /// Control-C.
    Interrupt,
}

impl Budget {
    /// The share of each of so many campaigns, if they have this budget together.
    pub fn share(&self, campaigns: usize) -> Self {
        let campaigns = campaigns.max(1);
        Self {
            work: self.work.map(|work| work / campaigns as u64),
            executions: self.executions.map(|all| all / campaigns as u64),
            duration: self.duration.map(|all| all.div_f64(campaigns as f64)),
        }
    }

    /// The part of the budget that is used up: from 0, for nothing, to 1 or more, for all.
    pub(super) fn part(&self, spent: &Spent) -> f64 {
        let part = |spent: f64, limit: Option<f64>| limit.map_or(0.0, |limit| spent / limit);
        let work = part(spent.work as f64, self.work.map(|limit| limit as f64));
        let limit = self.executions.map(|limit| limit as f64);
        let executions = part(spent.executions as f64, limit);
        let limit = self.duration.as_ref().map(Duration::as_secs_f64);
        work.max(executions)
            .max(part(spent.elapsed.as_secs_f64(), limit))
    }

    /// The limit that is reached, if one is. Limits that do not depend on the machine come first.
    pub(super) fn ended_by(&self, spent: &Spent) -> Option<EndedBy> {
        let is_reached = |spent: u64, limit: Option<u64>| limit.is_some_and(|limit| spent >= limit);
        if is_reached(spent.work, self.work) || is_reached(spent.executions, self.executions) {
            return Some(EndedBy::Budget);
        }
        self.is_late(spent.elapsed).then_some(EndedBy::Time)
    }

    /// Whether the time is over.
    pub(super) fn is_late(&self, elapsed: Duration) -> bool {
        self.duration.is_some_and(|limit| elapsed >= limit)
    }

    /// Cases that may still be run, at most `most`; if the work left is likely to be done by fewer, as cases
    /// went so far, then so many.
    pub(super) fn executions_left(&self, spent: &Spent, most: u64) -> u64 {
        let left = |limit: u64| limit.saturating_sub(spent.executions).min(most);
        let most = self.executions.map_or(most, left);
        let average = spent.work.checked_div(spent.executions).unwrap_or(0);
        let likely = |limit: u64| {
            let left = limit.saturating_sub(spent.work);
            left.checked_div(average).map_or(most, |cases| cases + 1)
        };
        self.work.map_or(most, |limit| likely(limit).min(most))
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, EndedBy, Spent};
    use std::time::Duration;

    const SPENT: Spent = Spent {
        work: 50,
        executions: 10,
        elapsed: Duration::from_secs(3),
    };

    #[test]
    fn the_limit_that_is_reached_first_ends_a_campaign() {
        let mut budget = Budget::default();
        assert_eq!(budget.ended_by(&SPENT), None);
        assert!(budget.part(&SPENT) < 0.1);
        budget.work = Some(100);
        assert_eq!(budget.ended_by(&SPENT), None);
        assert!((budget.part(&SPENT) - 0.5).abs() < 0.01);
        budget.duration = Some(Duration::from_secs(3));
        assert_eq!(budget.ended_by(&SPENT), Some(EndedBy::Time));
        budget.executions = Some(10);
        assert_eq!(budget.ended_by(&SPENT), Some(EndedBy::Budget));
    }

    #[test]
    fn no_more_cases_are_run_than_are_left() {
        let mut budget = Budget::default();
        assert_eq!(budget.executions_left(&SPENT, 32), 32);
        budget.executions = Some(15);
        assert_eq!(budget.executions_left(&SPENT, 32), 5);
        budget.executions = Some(5);
        assert_eq!(budget.executions_left(&SPENT, 32), 0);
    }

    #[test]
    fn a_round_is_short_when_little_work_is_left() {
        // A case took 5 on average.
        let budget = |work: u64| Budget {
            work: Some(work),
            ..Budget::default()
        };
        assert_eq!(budget(1000).executions_left(&SPENT, 32), 32);
        assert_eq!(budget(61).executions_left(&SPENT, 32), 3);
        assert_eq!(budget(50).executions_left(&SPENT, 32), 1);
        assert_eq!(budget(9).executions_left(&Spent::default(), 32), 32);
    }
}
