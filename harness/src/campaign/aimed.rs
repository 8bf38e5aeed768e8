//! Races whose change points are not left to chance: cases that are examined once, and the cases that
//! are made from them.

use oracle::{Call, Case};
use std::sync::{Mutex, PoisonError};

/// At most one of so many executions examines a race, which takes as long as many executions.
const LOOKS: u64 = 48;

/// Cases whose races are to be examined, and cases made from those that were.
#[derive(Default)]
pub(super) struct Aimed(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: Vec<Case>,
    ready: Vec<Case>,
    looks: u64,
}

impl Aimed {
    /// Has a case looked at, if it has a race.
    pub(super) fn add(&self, case: &Case) {
        let mut operations = case.operations.iter();
        if operations.any(|one| matches!(one.call, Call::Together { .. })) {
            self.state().waiting.push(case.clone());
        }
    }

    /// The case to examine, if it is time for that after so many executions. The oldest goes first,
    /// because seeds are short.
    pub(super) fn due(&self, executions: u64) -> Option<Case> {
        let mut state = self.state();
        if state.waiting.is_empty() || state.looks * LOOKS > executions {
            return None;
        }
        state.looks += 1;
        Some(state.waiting.remove(0))
    }

    /// Takes what came of a look.
    pub(super) fn give(&self, mut cases: Vec<Case>) {
        // The most promising is taken first.
        cases.reverse();
        self.state().ready.append(&mut cases);
    }

    /// A case that was made of a look.
    pub(super) fn take(&self) -> Option<Case> {
        self.state().ready.pop()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
