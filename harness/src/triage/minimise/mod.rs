//! Minimising: finds the smallest case that still shows the same finding, and proves that it is minimal.
//!
//! This is delta debugging over operations, in an order like that of syzkaller's minimiser (the idea comes
//! from its `prog/minimization.go`). It first drops the tail after the finding, then chunks of operations,
//! then whole processes. Then it makes each remaining operation simpler. At the end it puts the result in
//! order for a reader. The predicate is the finding's bucket, so that a search for one bug does not drift to
//! another. A case may show several findings. The one that is wanted keeps its place among them, or gets an earlier
//! one.

mod needs;
mod passes;
mod search;

pub use needs::{Need, Reason, add_reasons};

use crate::runner::{Outcome, Runner};
use oracle::case::VERSION_LINE;
use oracle::{Bucket, Case, Operation, Verdict, bucket};
use search::Search;
use std::time::Instant;

/// What a minimisation may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The most executions.
    pub executions: u64,
    /// When it must end, if there is a limit. Then the result depends on the speed of the machine.
    pub until: Option<Instant>,
}

impl From<u64> for Budget {
    /// A number of executions, no matter how long they take.
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
    /// Why each operation is needed, in the order of the operations. Those that were not tried before the executions
    /// were spent are missing.
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

impl Minimised {
    /// The case as text, each operation with the reason why it is needed, if that is known.
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

/// Shrinks `case`, in which `runner`'s kernel shows `wanted`, within `budget`: see [`minimise`].
pub fn minimise_on(
    runner: &mut Runner,
    case: &Case,
    wanted: &Bucket,
    failed_at: Option<usize>,
    budget: impl Into<Budget>,
    mut progress: impl FnMut(usize, u64),
) -> Minimised {
    let budget = budget.into();
    // The hang is proved once more for the result. If it cannot be proved, everything is done again with patience.
    if wanted.is_of(Verdict::Hang) {
        let hasty = runner.where_a_hang_is_known(|runner| {
            let shows = |candidate: &Case| buckets(&runner.run(candidate));
            minimise(case, wanted, failed_at, budget, shows, &mut progress)
        });
        if runner.run(&hasty.case).shown(wanted).is_some() {
            return hasty;
        }
    }
    let shows = |candidate: &Case| buckets(&runner.run(candidate));
    minimise(case, wanted, failed_at, budget, shows, progress)
}

fn buckets(outcome: &Outcome) -> Vec<Bucket> {
    outcome.findings.iter().map(bucket).collect()
}

/// Shrinks `case`, which shows `wanted`, within `budget`.
///
/// `shows` runs a case and returns the buckets of its findings, in their order. `failed_at` is the index of the
/// operation at which the finding was made, if it has one. `progress` is called with the number of operations
/// left and the executions spent.
pub fn minimise(
    case: &Case,
    wanted: &Bucket,
    failed_at: Option<usize>,
    budget: impl Into<Budget>,
    shows: impl FnMut(&Case) -> Vec<Bucket>,
    progress: impl FnMut(usize, u64),
) -> Minimised {
    let operations_before = case.operations.len();
    let mut search = Search::new(case, wanted, budget.into(), shows, progress);
    let needs = search.run(failed_at);
    let (case, executions) = search.end();
    Minimised {
        operations_before,
        executions,
        minimality: if needs.len() == case.operations.len() {
            Minimality::Proved
        } else {
            Minimality::BudgetSpent
        },
        needs,
        case,
    }
}
