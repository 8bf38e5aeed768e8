//! Findings that are minimised while the campaign continues: for a share of its work, so that one that
//! takes long does not keep it from finding others.

use crate::fuzzing::MINIMISE_EXECUTIONS;
use crate::runner::WORK_PER_RUN;
use crate::triage::minimise::Minimality;
use crate::triage::{Found, Report};

/// Executions spent on a finding before the next one has its turn. They are doubled if they did not help.
const SLICE: u64 = 48;

/// The largest share of a campaign's work that minimising findings may take.
const SHARE: f64 = 0.4;

/// In the last part of the campaign only findings are minimised, as long as one is not minimal.
const LAST_PART: f64 = 0.8;

/// Which findings of a campaign are not small yet. One that is being worked on is not here.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Vec<Pending>,
    /// Work.
    spent: u64,
    /// Work that is likely to be spent on those that are being worked on.
    reserved: u64,
}

/// A finding that is not small yet.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    /// Its number among the findings.
    pub(super) number: usize,
    /// Executions to spend on it next.
    pub(super) slice: u64,
    /// The work that this is likely to be.
    cost: u64,
}

impl Queue {
    /// Takes a new finding, by its number.
    pub(super) fn add(&mut self, number: usize) {
        self.waiting.push(Pending {
            number,
            slice: SLICE,
            cost: 0,
        });
    }

    /// The one of `findings` that takes the least work to make small, if it is time for that: `work` was done so
    /// far, which is `part` of the budget.
    pub(super) fn due(&mut self, findings: &[Found], work: u64, part: f64) -> Option<Pending> {
        let share = (work as f64 * SHARE) as u64;
        if self.spent + self.reserved >= share && part < LAST_PART {
            return None;
        }
        let cost = |pending: &Pending| {
            let report = &findings[pending.number].report;
            let run = report.instructions.saturating_add(WORK_PER_RUN);
            run.saturating_mul(pending.slice)
        };
        let waiting = self.waiting.iter().enumerate();
        let (at, _) = waiting.min_by_key(|(_, pending)| (cost(pending), pending.number))?;
        let mut pending = self.waiting.swap_remove(at);
        pending.cost = cost(&pending);
        self.reserved = self.reserved.saturating_add(pending.cost);
        Some(pending)
    }

    /// Takes a finding back on which so much work was spent; one that may become smaller yet waits for its
    /// next turn.
    pub(super) fn give_back(
        &mut self,
        mut pending: Pending,
        report: &Report,
        has_news: bool,
        work: u64,
    ) {
        self.spent += work;
        self.reserved = self.reserved.saturating_sub(pending.cost);
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
    use crate::triage::Found;
    use crate::triage::minimise::Minimality;
    use crate::triage::specimens::{Does, found};

    /// So much work that a share of it is enough for everything.
    const PLENTY: u64 = 1 << 50;
    const AT_THE_START: f64 = 0.1;

    /// A finding whose case takes so many millions of instructions and is not known to be minimal.
    fn costing(millions: u64) -> Found {
        let mut found = found("a: kill pid 0", Does::Returns(0));
        found.report.instructions = millions * 1_000_000;
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
        let first = queue.due(&findings, PLENTY, AT_THE_START).unwrap();
        assert_eq!((first.number, first.slice), (1, SLICE));
        queue.give_back(first, &findings[1].report, false, 0);
        // Twice 200 million instructions are more than 300 million.
        let second = queue.due(&findings, PLENTY, AT_THE_START);
        assert_eq!(number(second), Some(0));
        let again = queue.due(&findings, PLENTY, AT_THE_START).unwrap();
        assert_eq!((again.number, again.slice), (1, 2 * SLICE));
    }

    #[test]
    fn a_finding_is_done_when_it_is_minimal_or_has_cost_enough() {
        let mut findings = [costing(1), costing(1)];
        let mut queue = queue(&findings);
        findings[0].report.minimised.minimality = Minimality::Proved;
        findings[1].report.minimised.executions = MINIMISE_EXECUTIONS;
        while let Some(pending) = queue.due(&findings, PLENTY, AT_THE_START) {
            let report = &findings[pending.number].report;
            queue.give_back(pending, report, true, 0);
        }
        assert!(queue.waiting.is_empty());
    }

    #[test]
    fn only_a_share_of_the_work_is_spent_before_the_last_part() {
        let findings = [costing(1)];
        let mut queue = queue(&findings);
        let pending = queue.due(&findings, 1000, AT_THE_START).unwrap();
        queue.give_back(pending, &findings[0].report, true, 10_000);
        assert_eq!(number(queue.due(&findings, 20_000, AT_THE_START)), None);
        assert_eq!(number(queue.due(&findings, 80_000, 0.8)), Some(0));
    }

    #[test]
    fn what_is_being_worked_on_counts_as_spent() {
        let findings = [costing(1), costing(1)];
        let mut queue = queue(&findings);
        assert!(queue.due(&findings, 1000, AT_THE_START).is_some());
        assert!(queue.due(&findings, 1000, AT_THE_START).is_none());
    }
}
