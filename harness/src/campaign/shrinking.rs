//! Findings that are minimised while the campaign continues: for a share of its time, so that one that
//! takes long does not keep it from finding others.

use super::Plan;
use crate::fuzzing::MINIMISE_EXECUTIONS;
use crate::triage::minimise::Minimality;
use crate::triage::{Found, Report};
use std::time::Duration;

/// Executions spent on a finding before the next is looked at; twice as many after they did not help.
const SLICE: u64 = 48;

/// The largest share of all threads' time that minimising findings may take.
const SHARE: f64 = 0.4;

/// In the last part of the campaign only findings are minimised, as long as one is not minimal.
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

#[cfg(test)]
mod tests {
    use super::{MINIMISE_EXECUTIONS, Pending, Queue, SLICE};
    use crate::campaign::{Minimising, Plan};
    use crate::triage::Found;
    use crate::triage::minimise::Minimality;
    use crate::triage::specimens::{Does, found};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn plan() -> Plan {
        Plan {
            targets: Vec::new(),
            duration: Some(Duration::from_secs(100)),
            executions: None,
            jobs: 1,
            seed: 1,
            seeds: Vec::new(),
            corpus: None,
            findings: Default::default(),
            until_finding: false,
            minimising: Minimising::Sharing,
            steer: true,
            stop: Default::default(),
        }
    }

    /// A finding whose case takes so many instructions and is not known to be minimal.
    fn costing(instructions: u64) -> Found {
        let mut found = found("a: kill pid 0", Does::Returns(0));
        found.report.instructions = instructions;
        found.report.minimised.minimality = Minimality::BudgetSpent;
        found
    }

    fn queue(findings: &[Found]) -> Queue {
        let mut queue = Queue::default();
        (0..findings.len()).for_each(|number| queue.add(number));
        queue
    }

    fn number(pending: Option<Pending>) -> Option<usize> {
        pending.map(|pending| pending.number)
    }

    #[test]
    fn the_cheapest_is_due_first_and_costs_more_when_it_does_not_help() {
        let findings = [costing(300), costing(200)];
        let mut queue = queue(&findings);
        let first = queue.due(&findings, &plan(), SECOND).unwrap();
        assert_eq!((first.number, first.slice), (1, SLICE));
        queue.give_back(first, &findings[1].report, false, Duration::ZERO);
        // Twice 200 instructions are more than 300.
        assert_eq!(number(queue.due(&findings, &plan(), SECOND)), Some(0));
        let again = queue.due(&findings, &plan(), SECOND).unwrap();
        assert_eq!((again.number, again.slice), (1, 2 * SLICE));
    }

    #[test]
    fn a_finding_is_done_when_it_is_minimal_or_has_cost_enough() {
        let mut findings = [costing(1), costing(1)];
        let mut queue = queue(&findings);
        findings[0].report.minimised.minimality = Minimality::Proved;
        findings[1].report.minimised.executions = MINIMISE_EXECUTIONS;
        while let Some(pending) = queue.due(&findings, &plan(), SECOND) {
            let report = &findings[pending.number].report;
            queue.give_back(pending, report, true, Duration::ZERO);
        }
        assert!(queue.waiting.is_empty());
    }

    #[test]
    fn only_a_share_of_the_time_is_spent_before_the_last_part() {
        let findings = [costing(1)];
        let mut queue = queue(&findings);
        let pending = queue.due(&findings, &plan(), SECOND).unwrap();
        queue.give_back(pending, &findings[0].report, true, 10 * SECOND);
        assert_eq!(number(queue.due(&findings, &plan(), 20 * SECOND)), None);
        assert_eq!(number(queue.due(&findings, &plan(), 80 * SECOND)), Some(0));
    }
}
