//! How a campaign opens: the cases of the battery, each once, and what a finding has hidden of them.

use oracle::generation::{battery, battery_of_crashes, battery_of_pairs};
use oracle::{Case, Variation};
use std::collections::VecDeque;

/// How often a case of the battery is run again, each time without the operation that has cut it short.
const AGAIN: u32 = 4;

/// Cases about pairs for each one about a power cut.
const PAIRS_FOR_A_CRASH: usize = 2;

/// The cases of the battery that are still to be run.
pub(super) struct Opening {
    /// Those about one operation at a time: they come first.
    first: VecDeque<Part>,
    /// Those about power cuts and pairs, and what was cut short: they take turns with the seeds.
    later: VecDeque<Part>,
    /// How many cases there were.
    pub(super) size: usize,
}

/// A case of the battery, or what is left of one.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) case: Case,
    /// How often it was run before.
    tries: u32,
}

impl Opening {
    /// The whole battery, for a kernel that was written for machines with these variations; or nothing, for a campaign
    /// that continues earlier ones.
    pub(super) fn new(continues: bool, asked: &[Variation]) -> Self {
        let (first, later) = if continues {
            (Vec::new(), Vec::new())
        } else {
            (battery(asked), pairs_and_crashes())
        };
        let part = |case| Part { case, tries: 0 };
        let parts = |cases: Vec<Case>| -> VecDeque<Part> { cases.into_iter().map(part).collect() };
        let (first, later) = (parts(first), parts(later));
        Self {
            size: first.len() + later.len(),
            first,
            later,
        }
    }

    /// How many cases have not been begun.
    pub(super) fn left(&self) -> usize {
        let all = self.first.iter().chain(&self.later);
        all.filter(|part| part.tries == 0).count()
    }

    /// The next case that comes before the seeds.
    pub(super) fn take_first(&mut self) -> Option<Part> {
        self.first.pop_front()
    }

    /// The next of the others.
    pub(super) fn take_later(&mut self) -> Option<Part> {
        self.later.pop_front()
    }

    /// Takes a case back that a finding has cut short at that operation: what comes after it was not run. It is run
    /// again later, without that operation.
    pub(super) fn give_back(&mut self, part: Part, cut_at: usize) {
        let case = part.case.without(cut_at..cut_at + 1);
        let is_over = cut_at >= case.operations.len();
        if !is_over && part.tries < AGAIN {
            let tries = part.tries + 1;
            self.later.push_back(Part { case, tries });
        }
    }
}

/// The cases about pairs, and between them those about power cuts, each of which costs as much as several others.
fn pairs_and_crashes() -> Vec<Case> {
    let mut crashes = battery_of_crashes().into_iter();
    let mut cases = Vec::new();
    for (nth, pair) in battery_of_pairs().into_iter().enumerate() {
        cases.push(pair);
        if nth % PAIRS_FOR_A_CRASH == 0 {
            cases.extend(crashes.next());
        }
    }
    cases.extend(crashes);
    cases
}

#[cfg(test)]
mod tests {
    use super::{AGAIN, Opening};

    #[test]
    fn a_campaign_that_continues_has_no_battery() {
        let (new, old) = (Opening::new(false, &[]), Opening::new(true, &[]));
        assert!(new.size > 0 && new.left() == new.size);
        assert_eq!((old.size, old.left()), (0, 0));
    }

    #[test]
    fn what_a_finding_hides_is_run_later() {
        let mut opening = Opening::new(false, &[]);
        let part = opening.take_first().unwrap();
        let operations = part.case.operations.clone();
        opening.give_back(part, 3);
        assert_eq!(opening.left(), opening.size - 1, "it was begun");
        let last = opening.later.pop_back().unwrap();
        assert_eq!(last.case.operations[..3], operations[..3]);
        assert_eq!(last.case.operations[3..], operations[4..]);
    }

    #[test]
    fn a_case_is_not_run_again_for_ever_nor_for_nothing() {
        let mut opening = Opening::new(false, &[]);
        let mut part = opening.take_first().unwrap();
        let all = opening.later.len();
        let last = part.case.operations.len() - 1;
        opening.give_back(part.clone(), last);
        assert_eq!(opening.later.len(), all, "nothing comes after it");
        for _ in 0..AGAIN {
            opening.give_back(part, 0);
            part = opening.later.pop_back().unwrap();
        }
        opening.give_back(part, 0);
        assert_eq!(opening.later.len(), all);
    }
}
