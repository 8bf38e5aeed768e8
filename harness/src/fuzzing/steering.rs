//! Steering: most cases avoid the situations in which something was found, so that one bug does not hide the
//! others. If a finding shows only later, steering looks for the operation that caused it.

use super::Known;
use crate::runner::{Outcome, Runner, Watch};
use crate::triage::Name;
use oracle::{
    Call, Case, Clause, Finding, Judge, Observation, Operation, Race, Situation, Step, bucket,
};

/// At most one of this many executions is spent on the search for operations that caused findings.
const SEARCHES: u64 = 4;

/// One of this many cases avoids nothing, because two bugs may share a situation.
const UNSTEERED: u64 = 8;

/// One of this many cases also avoids findings after which a case goes on in doubt.
const AROUND_DOUBT: u64 = 2;

/// The state of a session that steers.
#[derive(Default)]
pub(super) struct Steering {
    /// The situations that the current execution avoids.
    avoided: Vec<Situation>,
    /// Executions spent on the search for causes.
    searched: u64,
}

/// A finding with the shortest case that is known to show it.
pub(super) struct Traced {
    pub(super) case: Case,
    pub(super) finding: Finding,
    pub(super) name: Name,
}

impl Traced {
    /// A finding and the situation of the operation that caused it, if that is known.
    pub(super) fn new(case: Case, finding: Finding, cause: Option<Situation>) -> Traced {
        let name = Name::of(&finding, cause);
        Traced {
            case,
            finding,
            name,
        }
    }
}

impl Steering {
    /// Steers the next case, after `executions` executions, around what is known.
    pub(super) fn steer(&mut self, runner: &mut Runner, known: &Known, executions: u64) {
        self.avoided.clear();
        if !executions.is_multiple_of(UNSTEERED) {
            self.avoided.extend_from_slice(known.ending());
            if executions.is_multiple_of(AROUND_DOUBT) {
                self.avoided.extend_from_slice(known.doubtful());
            }
        }
        runner.avoid(&self.avoided);
    }

    /// Executions spent on the search for causes.
    pub(super) fn searched(&self) -> u64 {
        self.searched
    }

    /// Continues as if `searched` executions had been spent on the search for causes.
    pub(super) fn resume(&mut self, searched: u64) {
        self.searched = searched;
    }

    /// The situations that the current execution avoids.
    pub(super) fn avoided(&self) -> &[Situation] {
        &self.avoided
    }

    /// Looks for the operation that caused a finding of `case`, if the finding may show later than that
    /// operation. Halving finds the shortest beginning of the case that has a finding of the same clause: it ends
    /// with the operation. Returns that beginning. `None`: the finding is known, and the campaign has already
    /// spent its share of `executions` on the search for causes.
    pub(super) fn trace(
        &mut self,
        runner: &mut Runner,
        known: &Known,
        executions: u64,
        case: &Case,
        finding: Finding,
    ) -> Option<Traced> {
        if !shows_late(&finding) {
            return Some(Traced::new(case.clone(), finding, None));
        }
        let spent = self.searched * SEARCHES > executions;
        let is_known = known.has(&bucket(&finding));
        if is_known && (spent || self.avoided.is_empty()) {
            return None;
        }
        // If the empty case shows the finding, no operation caused it.
        let nothing = Case::default();
        self.searched += 1;
        let at_once = runner.run(&nothing);
        if let Some(at_once) = of_clause(at_once, finding.clause) {
            return (!is_known).then(|| Traced::new(nothing, at_once, None));
        }
        let shortest = self.shortest_beginning(runner, case, finding.clause);
        let outcome = runner.run(shortest.as_ref().unwrap_or(case));
        let last = runner.judge().last_situation();
        let finding = of_clause(outcome, finding.clause)?;
        let cause = if finding.is_attributed() {
            finding.situation()
        } else {
            last
        };
        let shortest = shortest.unwrap_or_else(|| case.clone());
        Some(Traced::new(shortest, finding, cause))
    }

    /// The shortest proper beginning of `case` with a finding of that clause, by halving.
    fn shortest_beginning(
        &mut self,
        runner: &mut Runner,
        case: &Case,
        clause: Clause,
    ) -> Option<Case> {
        let (mut right, mut wrong) = (0, case.operations.len());
        let mut shortest = None;
        while wrong - right > 1 {
            let middle = right + (wrong - right) / 2;
            let beginning = Case {
                operations: case.operations[..middle].to_vec(),
            };
            self.searched += 1;
            if of_clause(runner.run(&beginning), clause).is_some() {
                wrong = middle;
                shortest = Some(beginning);
            } else {
                right = middle;
            }
        }
        shortest
    }
}

/// The first finding of that clause.
fn of_clause(outcome: Outcome, clause: Clause) -> Option<Finding> {
    let mut findings = outcome.findings.into_iter();
    findings.find(|finding| finding.clause == clause)
}

/// Whether a finding may come from an earlier operation than the one at which it shows.
fn shows_late(finding: &Finding) -> bool {
    let Some(met) = finding.situation() else {
        return true;
    };
    finding.clause == Clause::FreshPageZero
        || (finding.clause == Clause::PageContent && met.page.is_some())
}

/// The case without the operations that were not performed, if it still shows the finding.
pub(super) fn without_skipped(runner: &mut Runner, case: Case, finding: &Finding) -> Case {
    let mut performed = Performed::default();
    runner.run_watched(&case, &mut performed);
    let operations = case.operations.iter().enumerate();
    let operations = operations.filter(|(at, operation)| {
        let is_race = matches!(operation.call, Call::Together { .. });
        is_race || performed.indices.contains(at)
    });
    let shorter = Case {
        operations: operations.map(|(_, operation)| *operation).collect(),
    };
    if runner.run(&shorter).shown(&bucket(finding)).is_some() {
        shorter
    } else {
        case
    }
}

/// Notes which operations of a case are performed.
#[derive(Default)]
struct Performed {
    indices: Vec<usize>,
}

impl Watch for Performed {
    fn step(
        &mut self,
        index: usize,
        _operation: &Operation,
        _step: &Step,
        _judge: &Judge,
        _observation: &Observation,
    ) {
        self.indices.push(index);
    }

    fn race(
        &mut self,
        index: usize,
        operations: &[Operation],
        _race: &Race,
        _judge: &Judge,
        _observation: &Observation,
    ) {
        self.indices.extend(index..index + operations.len());
    }
}
