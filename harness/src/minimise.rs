//! Minimising: the smallest case that still shows the same finding.
//!
//! Delta debugging over operations in the order that syzkaller's minimiser found best (seed of
//! the idea: its `prog/minimization.go`): the tail after the finding goes first, then chunks of
//! operations, then whole processes, then each remaining operation is made simpler. The predicate
//! is the finding's bucket, so that a search for one bug does not drift to another.

use oracle::case::simplifications;
use oracle::{Call, Case, Operation, Process};
use std::collections::HashSet;

/// How far a minimisation got.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Minimised {
    /// The smallest case found.
    #[serde(serialize_with = "as_text")]
    pub case: Case,
    /// Operations at the start.
    pub operations_before: usize,
    /// Executions spent.
    pub executions: u64,
    /// Whether nothing more could be removed or simplified; otherwise the budget ran out.
    pub complete: bool,
}

fn as_text<S: serde::Serializer>(case: &Case, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(case)
}

/// Shrinks `case` as long as `shows` holds, within `budget` executions.
///
/// `failed_at` is the index of the operation at which the finding was made, if it has one.
/// `progress` is told of the number of operations left and the executions spent.
pub fn minimise(
    case: &Case,
    failed_at: Option<usize>,
    budget: u64,
    shows: impl FnMut(&Case) -> bool,
    progress: impl FnMut(usize, u64),
) -> Minimised {
    let mut search = Search {
        best: case.clone(),
        shows,
        progress,
        seen: HashSet::from([case.clone()]),
        executions: 0,
        budget,
    };
    if let Some(at) = failed_at {
        search.drop_tail(at + 1);
    }
    // Each pass opens ways for the others; stop when a whole round changed nothing.
    loop {
        let before = search.best.clone();
        search.drop_chunks();
        search.drop_processes();
        search.simplify();
        if search.best == before || search.spent() {
            break;
        }
    }
    search.rename();
    Minimised {
        operations_before: case.operations.len(),
        executions: search.executions,
        complete: !search.spent(),
        case: search.best,
    }
}

struct Search<S, P> {
    best: Case,
    shows: S,
    progress: P,
    /// Every case looked at so far, so that none is run twice and simplifying cannot go in circles.
    seen: HashSet<Case>,
    executions: u64,
    budget: u64,
}

impl<S: FnMut(&Case) -> bool, P: FnMut(usize, u64)> Search<S, P> {
    fn spent(&self) -> bool {
        self.executions >= self.budget
    }

    /// Takes `candidate` over if it still shows the finding.
    fn accept(&mut self, candidate: Case) -> bool {
        if self.spent() || !self.seen.insert(candidate.clone()) {
            return false;
        }
        self.executions += 1;
        (self.progress)(self.best.operations.len(), self.executions);
        let shows = (self.shows)(&candidate);
        if shows {
            self.best = candidate;
        }
        shows
    }

    fn with(operations: Vec<Operation>) -> Case {
        Case { operations }
    }

    fn drop_tail(&mut self, keep: usize) {
        if keep < self.best.operations.len() {
            let candidate = Self::with(self.best.operations[..keep].to_vec());
            self.accept(candidate);
        }
    }

    /// Removes chunks from the end towards the start, halving the chunk until single operations.
    fn drop_chunks(&mut self) {
        let mut chunk = (self.best.operations.len() / 2).max(1);
        loop {
            let mut end = self.best.operations.len();
            while end > 0 {
                let start = end.saturating_sub(chunk);
                let mut operations = self.best.operations.clone();
                operations.drain(start..end.min(operations.len()));
                let candidate = Self::with(operations);
                self.accept(candidate);
                end = start.min(self.best.operations.len());
            }
            if chunk == 1 || self.spent() {
                break;
            }
            chunk /= 2;
        }
    }

    /// Removes a process with all it does and the fork that made it.
    fn drop_processes(&mut self) {
        let forked: Vec<Process> = self
            .best
            .operations
            .iter()
            .filter_map(|operation| match operation.call {
                Call::Fork { child } => Some(child),
                _ => None,
            })
            .collect();
        for process in forked {
            let operations = self.best.operations.iter().copied();
            let without = operations.filter(|operation| {
                operation.process != process
                    && !matches!(operation.call, Call::Fork { child } if child == process)
            });
            let candidate = Self::with(without.collect());
            self.accept(candidate);
        }
    }

    /// Replaces operations by simpler ones, the simplest first.
    fn simplify(&mut self) {
        for at in 0..self.best.operations.len() {
            loop {
                let simpler = simplifications(&self.best.operations[at]);
                let improved = simpler.into_iter().any(|operation| {
                    let mut operations = self.best.operations.clone();
                    operations[at] = operation;
                    let candidate = Self::with(operations);
                    self.accept(candidate)
                });
                if !improved || self.spent() {
                    break;
                }
            }
        }
    }

    /// Names processes a, b, c in order of appearance.
    fn rename(&mut self) {
        let mut candidate = self.best.clone();
        candidate.rename_processes();
        self.accept(candidate);
    }
}
