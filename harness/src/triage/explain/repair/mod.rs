//! Repairs: changes of one instruction of the kernel after which a case shows nothing wrong any more.
//!
//! The kernel decides wrongly in some instruction that the case executes. So each of these is changed as a mutant is
//! ([`crate::mutants`]), and the case is run again. Nearly all changes make it no better. If one does, cases that are a
//! little different and showed the same finding have to be right as well, and all cases that were right before have to
//! stay right. Such a change is a repair. It proves that a change there is enough, which is not yet that the mistake is
//! there: it may avoid the harm in a neighbour. So repairs are one piece of evidence among others,
//! which `suspects.rs` weighs.

mod changes;
mod survey;

pub(super) use survey::Agreement;
pub use survey::Controls;

use super::calls;
use crate::driver::CodeChange;
use crate::guest::Frame;
use crate::mutants;
use crate::runner::Runner;
use emulator::isa::Instruction;
use oracle::{Case, Finding};
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use survey::Survey;

/// The most work that is spent on changing instructions for one finding. The same work is spent whatever the load.
const MOST_WORK: u64 = 80_000_000;
/// Repairs of different instructions that are enough.
const ENOUGH: usize = 8;
/// The most cases with the same finding that a repair is tried with.
const MOST_WRONG: usize = 8;
/// The most right cases that a repair is tried with.
const MOST_RIGHT: usize = 32;
/// How many times as long as on the unchanged kernel an operation may take on a changed one. One that takes longer
/// counts as one that hangs.
const SLOWER: u64 = 4;
/// Instructions that it may take in any case.
const LEAST_TIME: u64 = 50_000;

/// A change of one instruction after which a case shows nothing wrong any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// What is done to it, as the end of a sentence.
    words: &'static str,
    change: CodeChange,
    /// The functions that the instruction belongs to: what was inlined comes first.
    place: Vec<Frame>,
}

/// The repairs of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Repairs {
    /// In the order in which they were found.
    pub all: Vec<Repair>,
    /// How the runs of each function agree with what goes wrong.
    #[serde(skip)]
    pub(in crate::triage::explain) agreements: BTreeMap<String, Agreement>,
}

/// Looks for repairs of `finding`, which `case` shows. `controls` are cases that have to stay right. `panics` is the
/// function that panicked, if one did: its checks are no mistake because they fail.
pub(super) fn find(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
    panics: Option<&str>,
    controls: &Controls,
) -> Repairs {
    let survey = Survey::make(runner, case, finding);
    let are_permissions = changes::may_be_permissions(finding);
    let end = runner.work() + MOST_WORK;
    let mut all: Vec<Repair> = Vec::new();
    let mut repaired = 0;
    for (address, instruction) in survey.suspects(runner.driver()) {
        let place = own_frames(runner.driver_mut().frames(&[address]));
        let Some(innermost) = place.first() else {
            continue;
        };
        let decides = instruction.is_branch() || instruction.is_call();
        if decides && panics == Some(&innermost.function) {
            continue;
        }
        let before = all.len();
        for changed in changes::changes(instruction, are_permissions) {
            let change = CodeChange {
                address,
                bytes: changed.instruction.bytes(),
            };
            if repairs(runner, &change, &survey, controls) {
                all.push(Repair {
                    words: changed.words,
                    change,
                    place: place.clone(),
                });
            }
        }
        repaired += usize::from(all.len() > before);
        if repaired == ENOUGH || runner.work() > end {
            break;
        }
    }
    runner.change_code(None);
    let agreements = survey.agreements(runner.driver_mut(), controls);
    Repairs { all, agreements }
}

/// Whether a change makes all right that was wrong, and makes nothing wrong that was right.
fn repairs(runner: &mut Runner, change: &CodeChange, survey: &Survey, controls: &Controls) -> bool {
    runner.change_code(Some(change.clone()));
    if !stays_right(runner, &survey.case, survey.time) {
        return false;
    }
    let others = survey.wrong.iter().take(MOST_WRONG);
    let right = others
        .clone()
        .filter(|other| stays_right(runner, &other.case, survey.time));
    // A case may show two bugs.
    if 2 * right.count() < others.len() {
        return false;
    }
    let reach = survey.right.iter().chain(controls.right());
    let mut reach = reach
        .filter(|trial| trial.executes(change.address))
        .take(MOST_RIGHT);
    reach.all(|trial| stays_right(runner, &trial.case, trial.instructions))
}

/// Whether a case shows nothing wrong. It takes so many instructions if it is right.
fn stays_right(runner: &mut Runner, case: &Case, instructions: u64) -> bool {
    let most = SLOWER * instructions + LEAST_TIME;
    runner.is_right_within(case, most)
}

/// The functions of an instruction that may be wrong; none if it only serves others.
fn own_frames(mut frames: Vec<Frame>) -> Vec<Frame> {
    if frames.iter().any(calls::is_housekeeping) {
        return Vec::new();
    }
    frames.retain(|frame| !frame.is_library);
    frames
}

impl Repairs {
    /// Those that repair another finding too, which `case` shows. The kernel is the guest's again afterwards.
    pub fn in_common(
        &self,
        runner: &mut Runner,
        case: &Case,
        finding: &Finding,
        controls: &Controls,
    ) -> Repairs {
        let time = runner.run(case).instructions;
        let mut all = self.all.clone();
        // Most change nothing about the other case, which is soon known.
        all.retain(|repair| {
            runner.change_code(Some(repair.change.clone()));
            stays_right(runner, case, time)
        });
        runner.change_code(None);
        if all.is_empty() {
            return Repairs::default();
        }
        let survey = Survey::make(runner, case, finding);
        all.retain(|repair| repairs(runner, &repair.change, &survey, controls));
        runner.change_code(None);
        let agreements = survey.agreements(runner.driver_mut(), controls);
        Repairs { all, agreements }
    }

    /// How many instructions of each function have a repair. What was inlined belongs to the functions around it, too.
    pub(super) fn counts(&self) -> BTreeMap<&str, usize> {
        let mut seen = HashSet::new();
        let mut counts = BTreeMap::new();
        for repair in self
            .all
            .iter()
            .filter(|repair| seen.insert(repair.address()))
        {
            let functions = repair.place.iter().map(|frame| frame.function.as_str());
            for function in functions.collect::<BTreeSet<_>>() {
                *counts.entry(function).or_default() += 1;
            }
        }
        counts
    }
}

impl Repair {
    /// The address of the instruction.
    pub fn address(&self) -> u64 {
        self.change.address
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words)?;
        match self.place.first() {
            Some(frame) => write!(f, " in {frame}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Repair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            change: &'static str,
            place: &'a [Frame],
        }
        let shown = Shown {
            change: self.words,
            place: &self.place,
        };
        shown.serialize(serializer)
    }
}

/// Whether an instruction can be wrong: the compiler adds others that no line of source says anything about.
fn is_of_source(before: Option<Instruction>, instruction: Instruction) -> bool {
    !mutants::saves_register(instruction) && !mutants::ends_address(before, instruction)
}

#[cfg(test)]
mod tests {
    use super::{Repair, Repairs};
    use crate::driver::CodeChange;
    use crate::guest::Frame;

    /// A repair at that address, in these functions, the innermost first.
    fn repair(address: u64, functions: &[&str]) -> Repair {
        let frame = |function: &&str| Frame {
            function: (*function).to_owned(),
            file: Some("fs.c".to_owned()),
            line: Some(123),
            address,
            is_library: false,
        };
        Repair {
            words: "if the branch goes the other way",
            change: CodeChange {
                address,
                bytes: vec![1, 0],
            },
            place: functions.iter().map(frame).collect(),
        }
    }

    #[test]
    fn two_changes_of_one_instruction_count_once() {
        let repairs = Repairs {
            all: vec![
                repair(1, &["populate", "sbrk"]),
                repair(1, &["populate", "sbrk"]),
                repair(3, &["sbrk"]),
            ],
            ..Repairs::default()
        };
        let counts: Vec<_> = repairs.counts().into_iter().collect();
        assert_eq!(counts, [("populate", 1), ("sbrk", 2)]);
    }

    #[test]
    fn a_repair_says_what_would_be_right() {
        let words = repair(1, &["readi"]).to_string();
        let wanted = "if the branch goes the other way in readi (fs.c:123)";
        assert_eq!(words, wanted);
    }
}
