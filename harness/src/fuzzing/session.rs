//! A session: a booted kernel, and the cases that are run on it in one thread.

use super::alarm::Alarm;
use super::steering::Steering;
use super::{Known, MINIMISE_EXECUTIONS, Totals, aiming};
use crate::counters::add_features;
use crate::guest::Guest;
use crate::runner::{Outcome, Runner};
use oracle::{Aftermath, Case, Finding, Reached, bucket};
use std::sync::Arc;

/// One case in this many is run twice, and both runs must agree to the instruction.
const DETERMINISM_SAMPLE: u64 = 1000;

/// After this many executions the oracle must have compared something and expected faults and kills.
const BITE_DEADLINE: u64 = 20_000;

/// A campaign in one thread: a booted kernel, and the work on it so far.
pub struct Session {
    guest: Arc<Guest>,
    pub(super) runner: Runner,
    /// What sessions of the same campaign have done before.
    before: Totals,
    pub(super) totals: Totals,
    pub(super) known: Known,
    pub(super) minimise_executions: u64,
    /// `None`: no case is steered.
    pub(super) steering: Option<Steering>,
    /// The operation at which a finding ended the last case, or left it in doubt.
    cut_at: Option<usize>,
    /// What was run since [`resume`](Self::resume).
    reached: Reached,
}

/// What the sessions of a campaign have done before a case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    pub(crate) totals: Totals,
    pub(crate) known: Known,
    /// Executions spent on the search for causes.
    pub(crate) searched: u64,
}

/// The result of an execution that raised no alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// The session has reported everything that is wrong, if anything is, and the case came to its end.
    Clean,
    /// A finding that this session has reported before ended the case.
    KnownFinding,
}

impl Session {
    /// A session on a guest that is booted already.
    pub fn new(guest: Arc<Guest>) -> Self {
        Self {
            runner: Runner::new(&guest),
            guest,
            before: Totals::default(),
            totals: Totals::default(),
            known: Known::default(),
            minimise_executions: MINIMISE_EXECUTIONS,
            steering: None,
            cut_at: None,
            reached: Reached::default(),
        }
    }

    /// Reports findings as they were found: does not look for smaller cases.
    pub fn as_found(mut self) -> Self {
        self.minimise_executions = 0;
        self
    }

    /// Steers most cases around the situations in which something was found. Operations that would lead to
    /// one are left out, so that one bug does not hide the others.
    pub fn steering(mut self) -> Self {
        self.steering = Some(Steering::default());
        self
    }

    /// Continues a campaign in which this session or others have done the work `before`. What this session
    /// does next depends on `before` alone, not on what it did itself.
    pub(crate) fn resume(&mut self, before: &Before) {
        self.before = before.totals;
        self.totals = Totals::default();
        self.reached = Reached::default();
        self.known = before.known.clone();
        if let Some(steering) = &mut self.steering {
            steering.resume(before.searched);
        }
    }

    /// Executions spent on the search for causes, by all sessions of the campaign.
    pub(crate) fn searched(&self) -> u64 {
        self.steering.as_ref().map_or(0, Steering::searched)
    }

    /// Cases that were run so far, including those before [`resume`](Self::resume).
    pub(super) fn executions(&self) -> u64 {
        self.before.executions + self.totals.executions
    }

    /// Runs `case`, and adds the guest's edges to `edges` and the state features to `features`. Fails with an
    /// alarm if something is wrong that this session has not reported yet.
    ///
    /// `edges` has [`EDGE_COUNTERS`](crate::counters::EDGE_COUNTERS) elements and `features`
    /// [`FEATURE_COUNTERS`](crate::counters::FEATURE_COUNTERS); the caller clears them between executions.
    ///
    /// # Errors
    /// A new finding, minimised, or an alarm about Faultline itself.
    pub fn execute(
        &mut self,
        case: &Case,
        edges: &mut [u8],
        features: &mut [u8],
    ) -> Result<Execution, Alarm> {
        let executions = self.executions();
        if let Some(steering) = &mut self.steering {
            steering.steer(&mut self.runner, &self.known, executions);
        }
        let execution = self.judge(case, edges, features);
        self.check_machine(case)?;
        execution
    }

    /// Fails if the machine broke while `case` ran or was looked into.
    pub(super) fn check_machine(&self, case: &Case) -> Result<(), Alarm> {
        let checked = self.runner.check_machine();
        checked.map_err(|broken| Alarm::BrokenMachine {
            broken,
            case: case.clone(),
        })
    }

    fn judge(
        &mut self,
        case: &Case,
        edges: &mut [u8],
        features: &mut [u8],
    ) -> Result<Execution, Alarm> {
        let outcome = self.runner.run_counting(case, edges);
        add_features(self.runner.features(), features);
        self.totals.add(&outcome, self.runner.driver().canary());
        let executions = self.executions();
        if executions.is_multiple_of(DETERMINISM_SAMPLE) {
            self.repeat(case, &outcome)?;
        }
        if executions == BITE_DEADLINE {
            let mut all = self.before;
            all += self.totals;
            let meter = all.meter;
            if !meter.bites() {
                return Err(Alarm::Toothless { executions, meter });
            }
        }
        let is_cut = outcome.ended_by().is_some();
        self.reached |= self.runner.judge().reached();
        let cuts = |finding: &&Finding| finding.aftermath != Aftermath::GoesOn;
        self.cut_at = outcome
            .findings
            .last()
            .filter(cuts)
            .and_then(|last| last.step);
        let reports = self.look_into(case, outcome.findings);
        match (reports.is_empty(), is_cut) {
            (false, _) => Err(Alarm::Findings(reports)),
            (true, true) => Ok(Execution::KnownFinding),
            (true, false) => Ok(Execution::Clean),
        }
    }

    /// Runs a case a second time. It has to end like the first time, after the same number of instructions.
    fn repeat(&mut self, case: &Case, first: &Outcome) -> Result<(), Alarm> {
        self.totals.repeated += 1;
        let second = self.runner.run(case);
        let agree = first.instructions == second.instructions
            && first
                .findings
                .iter()
                .map(bucket)
                .eq(second.findings.iter().map(bucket));
        if agree {
            return Ok(());
        }
        Err(Alarm::NotDeterministic {
            first: first.instructions,
            second: second.instructions,
            case: case.clone(),
        })
    }

    /// Schedules for the first race of `case`, each in a copy of the case. They switch to another racer between
    /// a load of the kernel's own data and the store that depends on it, if that racer stores to the same data
    /// without a common lock. There are none if the case has no race, or its racers do not conflict.
    pub fn aim(&mut self, case: &Case) -> Vec<Case> {
        aiming::aim(&mut self.runner, case)
    }

    /// What was run since [`resume`](Self::resume), but for the search for smaller cases.
    pub(crate) fn reached(&self) -> &Reached {
        &self.reached
    }

    /// The operation at which a finding ended the case that [`execute`](Self::execute) has run, or left it in doubt.
    pub(crate) fn cut_at(&self) -> Option<usize> {
        self.cut_at
    }

    /// Schedules for the first race of `case`, each in a copy of the case: all of one change point that make a
    /// difference, and then those of two that are likely to.
    pub(crate) fn sweep(&mut self, case: &Case) -> Vec<Case> {
        aiming::sweep(&mut self.runner, case)
    }

    /// What this session has done, since [`resume`](Self::resume) if that was called.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The guest, for locations of edges.
    pub fn guest(&self) -> &Arc<Guest> {
        &self.guest
    }

    /// The runner, to inspect the machine.
    pub fn runner(&self) -> &Runner {
        &self.runner
    }
}
