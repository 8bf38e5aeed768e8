//! Races with change points that are not random: cases that are examined once, and the cases that
//! are made from them.

use oracle::{Call, Case};
use std::collections::VecDeque;

/// At most one of this many executions examines a race, because that takes as long as many executions.
const LOOKS: u64 = 48;

/// Cases whose races are to be examined, and cases made from those that were.
#[derive(Default)]
pub(super) struct Aimed {
    waiting: VecDeque<Case>,
    ready: Vec<Case>,
    looks: u64,
}

impl Aimed {
    /// Takes a case to examine, if it has a race.
    pub(super) fn add(&mut self, case: &Case) {
        let mut operations = case.operations.iter();
        if operations.any(|one| matches!(one.call, Call::Together { .. })) {
            self.waiting.push_back(case.clone());
        }
    }

    /// The case to examine, if it is time for that after `executions`. The oldest goes first,
    /// because seeds are short.
    pub(super) fn due(&mut self, executions: u64) -> Option<Case> {
        if self.looks * LOOKS > executions {
            return None;
        }
        let case = self.waiting.pop_front()?;
        self.looks += 1;
        Some(case)
    }

    /// Takes the cases that were made when a case was examined.
    pub(super) fn give(&mut self, mut cases: Vec<Case>) {
        // The most promising is taken first.
        cases.reverse();
        self.ready.append(&mut cases);
    }

    /// A case that was made when another one was examined.
    pub(super) fn take(&mut self) -> Option<Case> {
        self.ready.pop()
    }
}
