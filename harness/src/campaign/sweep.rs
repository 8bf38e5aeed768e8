//! The sweep: a share of a campaign goes to small races, in all schedules that make a difference.

use oracle::generation::small_races;
use oracle::{Case, Variation};
use std::collections::VecDeque;

/// The largest share of a campaign's work that the sweep takes.
const SHARE: f64 = 0.2;

/// The most of its cases in one round, because the work on them is known only afterwards.
const IN_A_ROUND: usize = 6;

/// Races that are swept at a time. To watch one takes long on a slow kernel.
const UNDER_WAY: usize = 3;

/// The races that are still to be swept.
pub(super) struct Sweep {
    /// To be watched.
    waiting: VecDeque<Case>,
    /// For each race that was watched, what is still to be run, the most promising first.
    ready: VecDeque<VecDeque<Case>>,
    /// Work.
    spent: u64,
}

/// What the sweep does next.
pub(super) enum Next {
    /// Watch a race, to find its change points.
    Watch(Case),
    /// Run a race with change points.
    Run(Case),
}

impl Sweep {
    /// All small races, for a kernel that was written for machines with these variations; or none, for a campaign that
    /// continues earlier ones.
    pub(super) fn new(continues: bool, asked: &[Variation]) -> Self {
        let races = if continues {
            Vec::new()
        } else {
            small_races(asked)
        };
        Self {
            waiting: races.into(),
            ready: VecDeque::new(),
            spent: 0,
        }
    }

    /// What it does in the next round, after so much work of the campaign: at most so many things.
    pub(super) fn due(&mut self, work: u64, most: usize) -> Vec<Next> {
        if most == 0 || self.spent as f64 > work as f64 * SHARE {
            return Vec::new();
        }
        let mut next = Vec::new();
        if self.ready.len() < UNDER_WAY {
            next.extend(self.waiting.pop_front().map(Next::Watch));
        }
        let runs = std::iter::from_fn(|| self.next_run());
        next.extend(runs.take(IN_A_ROUND.min(most) - next.len()));
        next
    }

    /// Races take turns, so that one that takes long does not keep the others waiting.
    fn next_run(&mut self) -> Option<Next> {
        let mut cases = self.ready.pop_front()?;
        let case = cases.pop_front()?;
        if !cases.is_empty() {
            self.ready.push_back(cases);
        }
        Some(Next::Run(case))
    }

    /// Takes the cases that were made when a race was watched.
    pub(super) fn give(&mut self, cases: Vec<Case>) {
        if !cases.is_empty() {
            self.ready.push_back(cases.into());
        }
    }

    /// Notes work that was done for it.
    pub(super) fn spend(&mut self, work: u64) {
        self.spent += work;
    }
}

#[cfg(test)]
mod tests {
    use super::{IN_A_ROUND, Next, Sweep};
    use oracle::Case;

    fn watched(next: &[Next]) -> usize {
        next.iter()
            .filter(|next| matches!(next, Next::Watch(_)))
            .count()
    }

    #[test]
    fn a_few_races_are_watched_one_a_round_and_take_turns() {
        let mut sweep = Sweep::new(false, &[]);
        assert_eq!(watched(&sweep.due(0, 32)), 1);
        let race = |text: &str| Case::parse(&format!("faultline 1\na: {text}\n")).unwrap();
        for name in ["getpid", "uptime", "yield"] {
            sweep.give(vec![race(name); 10]);
        }
        let next = sweep.due(0, 32);
        assert_eq!(watched(&next), 0);
        assert_eq!(next.len(), IN_A_ROUND);
        let names: Vec<String> = next.iter().filter_map(text).collect();
        assert_eq!(names[..2], ["a: getpid", "a: uptime"]);
    }

    fn text(next: &Next) -> Option<String> {
        match next {
            Next::Run(case) => Some(case.operations[0].to_string()),
            Next::Watch(_) => None,
        }
    }

    #[test]
    fn only_a_share_of_the_work_is_spent() {
        let mut sweep = Sweep::new(false, &[]);
        sweep.spend(300);
        assert!(sweep.due(1000, 32).is_empty());
        assert!(!sweep.due(2000, 32).is_empty());
    }

    #[test]
    fn a_campaign_that_continues_sweeps_nothing() {
        assert!(Sweep::new(true, &[]).due(0, 32).is_empty());
    }
}
