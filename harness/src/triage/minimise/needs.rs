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

/// What the oracle expects of a case without one of its operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The finding is made at it.
    Shows,
    /// The first of the others of which something else is expected, and what.
    Changes {
        /// That operation.
        other: String,
        /// What is expected of it.
        then: String,
    },
    /// The same is expected of all others. Only the kernel does something else.
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
enum Fate {
    /// The case was over before.
    Unknown,
    /// Its process cannot act.
    Skipped,
    /// This, in words.
    Expected(String),
}

/// What is expected of each operation of a case.
struct Fates(Vec<Fate>);

impl Watch for Fates {
    fn step(&mut self, index: usize, _: &Operation, _: &Step, judge: &Judge, _: &Observation) {
        self.0[index] = Fate::Expected(judge.expectation());
    }

    fn race(&mut self, index: usize, _: &[Operation], race: &Race, judge: &Judge, _: &Observation) {
        self.0[index - 1] = Fate::Expected("lets the operations that follow race".to_owned());
        for (at, expected) in judge.race_expectations(race).into_iter().enumerate() {
            self.0[index + at] = Fate::Expected(expected);
        }
    }

    fn skipped(&mut self, index: usize, _: &Operation) {
        self.0[index] = Fate::Skipped;
    }
}

fn fates(runner: &mut Runner, case: &Case) -> Vec<Fate> {
    let mut fates = Fates(vec![Fate::Unknown; case.operations.len()]);
    runner.run_watched(case, &mut fates);
    fates.0
}

/// Adds the reason to each need of `minimised`. `shown_at` is the index of the operation at which the finding
/// is made.
pub fn add_reasons(runner: &mut Runner, minimised: &mut Minimised, shown_at: Option<usize>) {
    let case = &minimised.case;
    let with = fates(runner, case);
    for (at, need) in minimised.needs.iter_mut().enumerate() {
        need.reason = Some(if shown_at == Some(at) {
            Reason::Shows
        } else {
            let mut fewer = case.clone();
            fewer.operations.remove(at);
            let without = fates(runner, &fewer);
            let changed = difference(&fewer.operations[at..], &with[at + 1..], &without[at..]);
            changed.unwrap_or(Reason::ChangesNothing)
        });
    }
}

/// The first of `operations` of which something else is expected.
fn difference(operations: &[Operation], with: &[Fate], without: &[Fate]) -> Option<Reason> {
    let mut fates = operations.iter().zip(with.iter().zip(without));
    fates.find_map(|(operation, fates)| {
        let then = match fates {
            (Fate::Expected(_), Fate::Skipped) => "has no process to perform it".to_owned(),
            (Fate::Expected(one), Fate::Expected(other)) if differ(operation, one, other) => {
                other.clone()
            }
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
