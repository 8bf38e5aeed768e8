//! Slow, or for ever? A step that takes too long is given more time.
//!
//! A kernel that walks a hole in the address space page by page comes to its end, in time that grows
//! with the hole: that is not lazy, but it breaks nothing.

use crate::driver::STEP_BUDGET;
use crate::runner::{Runner, Watch};
use oracle::case::Kind;
use oracle::{Case, Fate, Finding, Judge, Observation, Operation, Process, Step};
use serde::Serialize;

/// Instructions that a step is given when it has spent its budget: 32 times as many. A walk of the
/// largest hole that a 32-bit argument of `sbrk` makes takes about a third of them.
const PATIENCE: u64 = 32 * STEP_BUDGET;

/// That a step ends after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Slow {
    /// Instructions that the case took.
    pub instructions: u64,
    /// Pages of the largest heap of its processes.
    pub pages: u64,
}

impl std::fmt::Display for Slow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Slow {
            instructions,
            pages,
        } = self;
        write!(f, "it ends after {instructions} instructions")?;
        match pages {
            0 => Ok(()),
            _ => write!(
                f,
                ", {} for each of the {pages} pages below the program break",
                instructions / pages
            ),
        }
    }
}

/// Whether a finding may be about a walk: one of an operation that gives memory back or copies it, or
/// of the end of the case, where processes exit; or of one that kills.
pub fn may_end(finding: &Finding) -> bool {
    finding.clause == oracle::Clause::EndsInTime
        && finding.situation().is_none_or(|situation| {
            let walks = matches!(
                situation.kind,
                Kind::Sbrk | Kind::Fork | Kind::Exit | Kind::Wait | Kind::Kill | Kind::Exec
            );
            walks || situation.fate == Fate::Ends
        })
}

/// Runs a case that was too slow with more time: whether it comes to its end.
pub fn ends(runner: &mut Runner, case: &Case) -> Option<Slow> {
    let mut largest = LargestHeap::default();
    runner.driver_mut().set_step_budget(PATIENCE);
    let outcome = runner.run_watched(case, &mut largest);
    runner.driver_mut().set_step_budget(STEP_BUDGET);
    let processes = Process::all().map(|process| runner.judge().pages_below_break(process));
    let pages = processes.fold(largest.pages, u64::max);
    let ended = outcome
        .finding
        .is_none_or(|finding| finding.clause != oracle::Clause::EndsInTime);
    ended.then_some(Slow {
        instructions: outcome.instructions,
        pages,
    })
}

/// Notes the largest heap that a process of a case had.
#[derive(Default)]
struct LargestHeap {
    pages: u64,
}

impl Watch for LargestHeap {
    fn step(
        &mut self,
        _index: usize,
        _operation: &Operation,
        step: &Step,
        judge: &Judge,
        _observation: &Observation,
    ) {
        self.pages = self.pages.max(judge.pages_below_break(step.process));
    }
}
