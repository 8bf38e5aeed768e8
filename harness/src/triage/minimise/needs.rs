//! Why each operation of a minimised case is needed: what the case shows without it, and how that changes
//! what is expected of the others.

use super::Minimised;
use crate::runner::{Runner, Watch};
use crate::triage::operations::Service;
use oracle::{Bucket, Case, Judge, Observation, Operation, Race, Step};
use serde::Serialize;
use std::fmt;

/// Why an operation is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// The operation.
    pub operation: String,
    /// What the case shows without it; `None`: no finding.
    pub without: Option<Bucket>,
    /// Why, if that was asked for.
    #[serde(flatten)]
    pub reason: Option<Reason>,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.without {
            None => f.write_str("without it, no finding")?,
            Some(bucket) => write!(f, "without it, another finding ({bucket})")?,
        }
        match &self.reason {
            Some(reason) => write!(f, "{reason}"),
            None => Ok(()),
        }
    }
}

/// How the case without an operation differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The finding shows at this operation.
    Shows,
    /// The oracle expects something else of another operation. This is the first such operation.
    Changes {
        /// That operation.
        other: String,
        /// What is expected of it.
        then: String,
    },
    /// The oracle expects the same of all others. Only the kernel does something else.
    ChangesNothing,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Shows => f.write_str(": the finding shows here"),
            Reason::Changes { other, then } => write!(f, ": \"{other}\" then {then}"),
            Reason::ChangesNothing => {
                f.write_str(", although the same is expected of the other operations")
            }
        }
    }
}

/// What the oracle expects of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expectation {
    /// Nothing is known: the case was over before.
    Unknown,
    /// Its process cannot act.
    Skipped,
    /// This, in words.
    Expected(String),
}

/// What is expected of each operation of a case.
struct Expectations(Vec<Expectation>);

impl Watch for Expectations {
    fn step(&mut self, index: usize, _: &Operation, _: &Step, judge: &Judge, _: &Observation) {
        self.0[index] = Expectation::Expected(judge.expectation());
    }

    fn race(&mut self, index: usize, _: &[Operation], race: &Race, judge: &Judge, _: &Observation) {
        let words = "lets the operations that follow race".to_owned();
        self.0[index - 1] = Expectation::Expected(words);
        for (at, expected) in judge.race_expectations(race).into_iter().enumerate() {
            self.0[index + at] = Expectation::Expected(expected);
        }
    }

    fn skipped(&mut self, index: usize, _: &Operation) {
        self.0[index] = Expectation::Skipped;
    }
}

fn expectations(runner: &mut Runner, case: &Case) -> Vec<Expectation> {
    let mut all = Expectations(vec![Expectation::Unknown; case.operations.len()]);
    runner.run_watched(case, &mut all);
    all.0
}

/// Adds the reason to each need of `minimised`. `shown_at` is the index of the operation at which the finding
/// shows.
pub fn add_reasons(runner: &mut Runner, minimised: &mut Minimised, shown_at: Option<usize>) {
    let case = &minimised.case;
    let with = expectations(runner, case);
    for (at, need) in minimised.needs.iter_mut().enumerate() {
        need.reason = Some(if shown_at == Some(at) {
            Reason::Shows
        } else {
            let mut fewer = case.clone();
            fewer.operations.remove(at);
            let without = expectations(runner, &fewer);
            let changed = difference(&fewer.operations[at..], &with[at + 1..], &without[at..]);
            changed.unwrap_or(Reason::ChangesNothing)
        });
    }
}

/// The first of `operations` of which something else is expected.
fn difference(
    operations: &[Operation],
    with: &[Expectation],
    without: &[Expectation],
) -> Option<Reason> {
    use Expectation::{Expected, Skipped};
    let mut pairs = operations.iter().zip(with.iter().zip(without));
    pairs.find_map(|(operation, pair)| {
        let then = match pair {
            (Expected(_), Skipped) => "has no process to perform it".to_owned(),
            (Expected(one), Expected(other)) if differ(operation, one, other) => other.clone(),
            _ => return None,
        };
        let other = operation.to_string();
        Some(Reason::Changes { other, then })
    })
}

/// Whether two expectations of an operation differ in more than addresses and process identifiers.
fn differ(operation: &Operation, one: &str, other: &str) -> bool {
    if Service::of(operation.call.kind()).names {
        !words(one).eq(words(other))
    } else {
        one != other
    }
}

/// The words of an expectation. All numbers except -1 count as equal.
fn words(expectation: &str) -> impl Iterator<Item = &str> {
    expectation.split([' ', ';', ',']).map(|word| {
        let is_number = word.starts_with(|first: char| first.is_ascii_digit());
        if is_number { "0" } else { word }
    })
}

#[cfg(test)]
mod tests {
    use super::differ;
    use oracle::Case;

    #[test]
    fn names_and_places_make_no_difference_but_failure_does() {
        let case = Case::parse("faultline 1\na: sbrk +1p\na: load1 heap[0]\n").unwrap();
        let [sbrk, load] = &case.operations[..] else {
            panic!("two operations");
        };
        assert!(!differ(sbrk, "returns 0x6000", "returns 0x7000"));
        assert!(differ(sbrk, "returns 0x6000", "returns -1"));
        assert!(differ(load, "loads 0", "loads 5"));
    }
}
