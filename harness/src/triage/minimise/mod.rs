//! Minimising: the smallest case that still shows the same finding, and the proof that it is.
//!
//! Delta debugging over operations in the order that syzkaller's minimiser found best (seed of
//! the idea: its `prog/minimization.go`): the tail after the finding goes first, then chunks of
//! operations, then whole processes, then each remaining operation is made simpler. What is left is
//! put in order for a reader. The predicate is the finding's bucket, so that a search for one bug
//! does not drift to another.

mod reasons;

pub use reasons::{Reason, add_reasons};

use oracle::case::{Amount, Base, VERSION_LINE, simplifications};
use oracle::{Bucket, Call, Case, Operation, Process};
use std::collections::HashMap;
use std::time::Instant;

/// A case of at most so many operations is also tried without any two of them.
const FEW: usize = 16;

/// What a minimisation may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Executions at most.
    pub executions: u64,
    /// When it must be over, if it must; then the result hangs on how fast the machine is.
    pub until: Option<Instant>,
}

impl From<u64> for Budget {
    /// So many executions, however long they take.
    fn from(executions: u64) -> Self {
        Self {
            executions,
            until: None,
        }
    }
}

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
    /// Whether the case is known to be minimal.
    pub minimality: Minimality,
    /// Why each operation is needed, in their order; those that were tried before the executions
    /// were spent.
    pub needs: Vec<Need>,
}

/// Whether a case is known to be minimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Minimality {
    /// Without any one operation the finding is lost.
    Proved,
    /// The executions or the time ran out before that was known.
    BudgetSpent,
}

/// Why an operation is needed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Need {
    /// The operation.
    pub operation: String,
    /// What the case shows without it; `None`: no finding.
    pub without: Option<Bucket>,
    /// Why, as far as that was asked for.
    #[serde(flatten)]
    pub reason: Option<Reason>,
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.without {
            None => f.write_str("without it no finding")?,
            Some(bucket) => write!(f, "without it another finding, {bucket}")?,
        }
        match &self.reason {
            Some(reason) => write!(f, "{reason}"),
            None => Ok(()),
        }
    }
}

impl Minimised {
    /// The case as text, each operation with the reason why it is needed, where that is known.
    pub fn annotated(&self) -> String {
        let operations = self.case.operations.iter();
        let operations: Vec<String> = operations.map(Operation::to_string).collect();
        let width = operations.iter().map(|text| text.chars().count()).max();
        let width = width.unwrap_or(0);
        let mut text = format!("{VERSION_LINE}\n");
        for (at, operation) in operations.iter().enumerate() {
            match self.needs.get(at) {
                Some(need) => text.push_str(&format!("{operation:width$}  # {need}\n")),
                None => text.push_str(&format!("{operation}\n")),
            }
        }
        text
    }
}

fn as_text<S: serde::Serializer>(case: &Case, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(case)
}

/// Shrinks `case`, which shows `wanted`, within `budget`.
///
/// `shows` runs a case and says the bucket of its finding, if it has one. `failed_at` is the index
/// of the operation at which the finding was made, if it has one. `progress` is told of the number
/// of operations left and the executions spent.
pub fn minimise(
    case: &Case,
    wanted: &Bucket,
    failed_at: Option<usize>,
    budget: impl Into<Budget>,
    shows: impl FnMut(&Case) -> Option<Bucket>,
    progress: impl FnMut(usize, u64),
) -> Minimised {
    let mut search = Search {
        best: case.clone(),
        wanted,
        shows,
        progress,
        seen: HashMap::from([(case.clone(), Some(wanted.clone()))]),
        executions: 0,
        budget: budget.into(),
    };
    if let Some(at) = failed_at {
        search.drop_tail(at + 1);
    }
    let mut needs = Vec::new();
    while !search.is_spent() {
        search.shrink();
        search.tidy();
        // Names and order may have opened a way: only a case that none of this changes is minimal.
        match search.needs() {
            Ok(all) => {
                needs = all;
                break;
            }
            Err(smaller) => search.best = smaller,
        }
    }
    Minimised {
        operations_before: case.operations.len(),
        executions: search.executions,
        minimality: match needs.len() == search.best.operations.len() {
            true => Minimality::Proved,
            false => Minimality::BudgetSpent,
        },
        needs,
        case: search.best,
    }
}

struct Search<'a, S, P> {
    best: Case,
    wanted: &'a Bucket,
    shows: S,
    progress: P,
    /// What every case looked at so far shows, so that none is run twice and simplifying cannot go
    /// in circles.
    seen: HashMap<Case, Option<Bucket>>,
    executions: u64,
    budget: Budget,
}

impl<S: FnMut(&Case) -> Option<Bucket>, P: FnMut(usize, u64)> Search<'_, S, P> {
    fn is_spent(&self) -> bool {
        let Budget { executions, until } = self.budget;
        self.executions >= executions || until.is_some_and(|until| Instant::now() >= until)
    }

    /// What a case that was not seen yet shows.
    fn look(&mut self, candidate: &Case) -> Option<Bucket> {
        self.executions += 1;
        (self.progress)(self.best.operations.len(), self.executions);
        let shown = (self.shows)(candidate);
        self.seen.insert(candidate.clone(), shown.clone());
        shown
    }

    /// Takes `candidate` over if it is new and still shows the finding.
    fn accept(&mut self, candidate: Case) -> bool {
        if self.is_spent() || self.seen.contains_key(&candidate) {
            return false;
        }
        let shows = self.look(&candidate).as_ref() == Some(self.wanted);
        if shows {
            self.best = candidate;
        }
        shows
    }

    fn accept_operations(&mut self, operations: Vec<Operation>) -> bool {
        self.accept(Case { operations })
    }

    /// Makes the case smaller until nothing helps any more: each pass opens ways for the others.
    fn shrink(&mut self) {
        loop {
            let before = self.best.clone();
            self.drop_chunks();
            self.drop_processes();
            self.join_processes();
            self.simplify();
            self.join_growths();
            if self.best == before {
                self.drop_pairs();
            }
            if self.best == before || self.is_spent() {
                break;
            }
        }
    }

    /// Makes a case of the same length easier to read.
    fn tidy(&mut self) {
        self.keep_together();
        let mut renamed = self.best.clone();
        renamed.rename_processes();
        self.accept(renamed);
    }

    /// Why each operation is needed. `Err`: one is not, and this is the case without it.
    fn needs(&mut self) -> Result<Vec<Need>, Case> {
        let mut needs = Vec::new();
        for at in 0..self.best.operations.len() {
            let mut without = self.best.clone();
            let operation = without.operations.remove(at);
            let shown = match self.seen.get(&without) {
                Some(shown) => shown.clone(),
                None if self.is_spent() => break,
                None => self.look(&without),
            };
            if shown.as_ref() == Some(self.wanted) {
                return Err(without);
            }
            needs.push(Need {
                operation: operation.to_string(),
                without: shown,
                reason: None,
            });
        }
        Ok(needs)
    }

    fn drop_tail(&mut self, keep: usize) {
        if keep < self.best.operations.len() {
            self.accept_operations(self.best.operations[..keep].to_vec());
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
                self.accept_operations(operations);
                end = start.min(self.best.operations.len());
            }
            if chunk == 1 || self.is_spent() {
                break;
            }
            chunk /= 2;
        }
    }

    /// Removes two operations that need each other: what one does, the other undoes.
    fn drop_pairs(&mut self) {
        let count = self.best.operations.len();
        if count > FEW {
            return;
        }
        for second in (1..count).rev() {
            for first in (0..second).rev() {
                let mut operations = self.best.operations.clone();
                operations.remove(second);
                operations.remove(first);
                if self.accept_operations(operations) {
                    return;
                }
            }
        }
    }

    /// The processes that the case forks, and who forks them.
    fn forked(&self) -> Vec<(Process, Process)> {
        let operations = self.best.operations.iter();
        let forked = operations.filter_map(|operation| match operation.call {
            Call::Fork { child } => Some((operation.process, child)),
            _ => None,
        });
        forked.collect()
    }

    /// Removes a process with all it does and the fork that made it.
    fn drop_processes(&mut self) {
        for (_, process) in self.forked() {
            let operations = self.best.operations.iter().copied();
            let without = operations
                .filter(|operation| operation.process != process && !is_birth(operation, process));
            self.accept_operations(without.collect());
        }
    }

    /// Lets a parent do what its child does, and forks no child.
    fn join_processes(&mut self) {
        for (parent, child) in self.forked() {
            let operations = self.best.operations.iter().copied();
            let joined = operations
                .filter(|operation| !is_birth(operation, child))
                .map(|operation| Operation {
                    process: match operation.process == child {
                        true => parent,
                        false => operation.process,
                    },
                    ..operation
                });
            self.accept_operations(joined.collect());
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
                    self.accept_operations(operations)
                });
                if !improved || self.is_spent() {
                    break;
                }
            }
        }
    }

    /// Moves the break once instead of twice.
    fn join_growths(&mut self) {
        let mut first = 0;
        while first < self.best.operations.len() {
            let mut operations = self.best.operations.clone();
            let both = (first + 1..operations.len()).find_map(|second| {
                joined(&operations[first], &operations[second]).map(|both| (second, both))
            });
            if let Some((second, both)) = both {
                operations[first] = both;
                operations.remove(second);
            }
            if both.is_none() || !self.accept_operations(operations) {
                first += 1;
            }
        }
    }

    /// Brings what one process does together, as far as others do not have to come between.
    fn keep_together(&mut self) {
        for at in 1..self.best.operations.len() {
            let mut operations = self.best.operations.clone();
            let operation = operations.remove(at);
            let before = &operations[..at];
            let Some(last) = before
                .iter()
                .rposition(|other| other.process == operation.process)
            else {
                continue;
            };
            operations.insert(last + 1, operation);
            if switches(&operations) < switches(&self.best.operations) {
                self.accept_operations(operations);
            }
        }
    }
}

fn is_birth(operation: &Operation, process: Process) -> bool {
    matches!(operation.call, Call::Fork { child } if child == process)
}

/// How often another process acts than just before.
fn switches(operations: &[Operation]) -> usize {
    let pairs = operations.windows(2);
    pairs
        .filter(|pair| pair[0].process != pair[1].process)
        .count()
}

/// One growth for two of one process.
fn joined(first: &Operation, second: &Operation) -> Option<Operation> {
    if first.process != second.process {
        return None;
    }
    let (Call::Sbrk { amount, flavour }, Call::Sbrk { amount: more, .. }) =
        (first.call, second.call)
    else {
        return None;
    };
    let grows = |amount: Amount| {
        amount.base() == Base::Nothing && amount.extra_pages() >= 0 && amount.extra_bytes() >= 0
    };
    if !grows(amount) || !grows(more) {
        return None;
    }
    let pages = amount.extra_pages().checked_add(more.extra_pages())?;
    let bytes = amount.extra_bytes().checked_add(more.extra_bytes())?;
    let amount = Amount::new(Base::Nothing, pages, bytes);
    let call = Call::Sbrk { amount, flavour };
    Some(Operation {
        process: first.process,
        call,
    })
}
