//! Why an operation does not come back in time: the kernel is slow, the kernel hangs, or the process is
//! dead.
//!
//! A kernel that walks a hole in the address space page by page ends, but it takes longer for a larger
//! hole. That is not lazy, but it breaks nothing. So a step that takes too long gets more time once.

use super::operations::Service;
use crate::driver::STEP_BUDGET;
use crate::runner::{Runner, Watch};
use oracle::{Case, Clause, Fate, Finding, Judge, Observation, Operation, Process, Step};
use serde::Serialize;

/// Instructions that a step gets after it has spent its budget: 32 times as many. A walk of the largest
/// hole that a 32-bit argument of `sbrk` can make takes about a third of them.
const PATIENCE: u64 = 32 * STEP_BUDGET;

/// How the operation ended that a finding is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// It came back in time, or nobody has waited longer for it.
    #[default]
    NotAsked,
    /// It comes back after all.
    Late(Slow),
    /// Its process is dead.
    Dead,
    /// Its process lives, but the operation never comes back.
    Never,
}

impl Ending {
    /// How the operation ends that `finding` is about. `runner` has just run `case`, which shows the finding.
    ///
    /// A wait for an operation that never comes back takes longer than hundreds of executions. So this waits
    /// for the first case that shows the finding (then `before` is `None`) and for the smallest one (then
    /// `is_small` is set). A case in between has the answer of the case before it.
    pub(super) fn of(
        runner: &mut Runner,
        case: &Case,
        finding: &Finding,
        is_small: bool,
        before: Option<Ending>,
    ) -> Ending {
        if finding.clause == Clause::ComesBack {
            return if runner.has_died(finding) {
                Ending::Dead
            } else {
                Ending::Never
            };
        }
        if !may_be_late(finding) {
            return Ending::NotAsked;
        }
        match before {
            Some(before) if !is_small => before,
            _ => wait(runner, case),
        }
    }

    /// How late the operation comes back, if it does.
    pub fn slow(self) -> Option<Slow> {
        match self {
            Ending::Late(slow) => Some(slow),
            Ending::NotAsked | Ending::Dead | Ending::Never => None,
        }
    }

    /// Whether the process that does not come back is dead; otherwise it sleeps for ever.
    pub fn is_dead(self) -> bool {
        self == Ending::Dead
    }
}

/// How late a step comes back.
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

/// Whether a finding may be about a walk of memory. It must be about time. Its operation must be one in which
/// a kernel walks an address space, one that kills, or the end of the case, where processes exit.
fn may_be_late(finding: &Finding) -> bool {
    let walks = finding
        .situation()
        .is_none_or(|situation| Service::of(situation.kind).walks || situation.fate == Fate::Ends);
    finding.clause == Clause::EndsInTime && walks
}

/// Runs a case that was too slow with more time.
fn wait(runner: &mut Runner, case: &Case) -> Ending {
    let mut largest = LargestHeap::default();
    runner.driver_mut().set_step_budget(PATIENCE);
    let outcome = runner.run_watched(case, &mut largest);
    runner.driver_mut().set_step_budget(STEP_BUDGET);
    let still_late = |finding: Finding| finding.clause == Clause::EndsInTime;
    if outcome.finding.is_some_and(still_late) {
        return Ending::Never;
    }
    let pages = Process::all().map(|process| runner.judge().pages_below_break(process));
    Ending::Late(Slow {
        instructions: outcome.instructions,
        pages: pages.fold(largest.pages, u64::max),
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

#[cfg(test)]
mod tests {
    use super::{Slow, may_be_late};
    use crate::triage::specimens::{Does, finding};

    #[test]
    fn only_an_operation_that_walks_memory_is_given_more_time() {
        let spends = |text: &str| finding(text, Does::SpendsItsTime("walk<uvmcopy<fork")).1;
        assert!(may_be_late(&spends("a: sbrk +1p")));
        assert!(may_be_late(&spends("a: b = fork")));
        assert!(!may_be_late(&spends("a: getpid")));
        let (_, wrong) = finding("a: b = fork", Does::Returns(u64::MAX));
        assert!(!may_be_late(&wrong));
    }

    #[test]
    fn a_walk_says_what_each_page_costs() {
        let slow = |instructions, pages| {
            let slow = Slow {
                instructions,
                pages,
            };
            slow.to_string()
        };
        assert_eq!(slow(100, 0), "it ends after 100 instructions");
        let wanted =
            "it ends after 100 instructions, 10 for each of the 10 pages below the program break";
        assert_eq!(slow(100, 10), wanted);
    }
}
