//! Findings that are made small while the campaign goes on: for a share of its time, so that one that
//! takes long does not keep it from finding others.

use super::{Minimising, Plan};
use crate::fuzzing::{MINIMISE_EXECUTIONS, Session};
use crate::triage::Report;
use crate::triage::minimise::Minimality;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Executions spent on a finding before the next is looked at; twice as many after they did not help.
const SLICE: u64 = 48;

/// Of all threads' time so much goes to making findings small at most.
const SHARE: f64 = 0.4;

/// In the last part of the campaign nothing else is done as long as a finding is not small.
const LAST_PART: f64 = 0.8;

/// Findings that are not small yet.
#[derive(Default)]
pub(super) struct Queue(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: Vec<Pending>,
    spent: Duration,
}

/// A finding that is not small yet.
pub(super) struct Pending {
    pub(super) report: Report,
    /// Its number in the log.
    pub(super) number: usize,
    /// What found it.
    pub(super) origin: String,
    /// Executions to spend on it next.
    slice: u64,
}

impl Queue {
    pub(super) fn add(&self, report: Report, number: usize, origin: String) {
        let slice = SLICE;
        self.state().waiting.push(Pending {
            report,
            number,
            origin,
            slice,
        });
    }

    /// The finding that takes least to make small, if it is time for that.
    pub(super) fn due(&self, plan: &Plan, elapsed: Duration) -> Option<Pending> {
        if plan.minimising != Minimising::Sharing {
            return None;
        }
        let mut state = self.state();
        let ends = plan
            .duration
            .is_some_and(|all| elapsed >= all.mul_f64(LAST_PART));
        let share = elapsed.mul_f64(SHARE * plan.jobs.max(1) as f64);
        if state.spent >= share && !ends {
            return None;
        }
        let waiting = state.waiting.iter().enumerate();
        let (at, _) = waiting.min_by_key(|(_, pending)| pending.cost())?;
        Some(state.waiting.swap_remove(at))
    }

    pub(super) fn spent(&self, time: Duration) {
        self.state().spent += time;
    }

    /// Takes a finding back that may become smaller yet.
    pub(super) fn give_back(&self, pending: Pending) {
        let minimised = &pending.report.minimised;
        let is_done = minimised.minimality == Minimality::Proved
            || minimised.executions >= MINIMISE_EXECUTIONS;
        if !is_done {
            self.state().waiting.push(pending);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    /// Instructions of the next slice.
    fn cost(&self) -> u64 {
        self.report.instructions.saturating_mul(self.slice)
    }

    /// Looks for a smaller case, for one slice. False: there is none yet, nor is it known that there
    /// is none.
    pub(super) fn shrink(&mut self, session: &mut Session) -> bool {
        let has_news = session.shrink(&mut self.report, self.slice);
        if !has_news {
            self.slice *= 2;
        }
        has_news
    }
}
