//! Trying mutants: the same cases on each, until one ends in a finding.

use super::Mutant;
use super::sites::{code_at, instructions};
use crate::counters::EDGE_COUNTERS;
use crate::guest::Guest;
use crate::runner::{BrokenMachine, Runner};
use oracle::{Case, Finding, bucket};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;

/// The addresses of instructions that a set of cases executes.
pub struct Reached(HashSet<u64>);

/// Why mutants would prove nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotSound {
    /// The kernel has a finding before anything was changed.
    #[error(
        "the sound kernel has a finding in case {case}, so its mutants would prove nothing:\n{finding}"
    )]
    Kernel {
        /// Which case, counted from 0.
        case: usize,
        /// What was found.
        finding: Box<Finding>,
    },
    /// Faultline itself cannot be trusted.
    #[error(transparent)]
    Machine(#[from] BrokenMachine),
}

/// The fate of a mutant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum Tried {
    /// No case executes the changed instruction.
    NotReached,
    /// Every case ended as on the sound kernel.
    Survived,
    /// A case ended in a finding.
    Detected {
        /// How many cases that took.
        cases: usize,
        /// The finding's signature.
        bucket: String,
    },
}

/// How many mutants were tried, reached and detected.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Score {
    /// Tried.
    pub tried: usize,
    /// Mutants whose instruction was executed.
    pub reached: usize,
    /// Mutants that were detected.
    pub detected: usize,
}

impl Score {
    /// Counts a mutant.
    pub fn add(&mut self, reached: bool, detected: bool) {
        self.tried += 1;
        self.reached += usize::from(reached);
        self.detected += usize::from(detected);
    }

    /// The percentage of reached mutants that were detected.
    pub fn percent(self) -> f64 {
        100.0 * self.detected as f64 / self.reached.max(1) as f64
    }
}

/// Runs `cases` on the kernel as it is, and says which instructions they execute.
///
/// `code` is the kernel's ELF file.
///
/// # Errors
/// One of them ends in a finding, or the machine broke.
pub fn baseline(guest: &Arc<Guest>, elf: &[u8], cases: &[Case]) -> Result<Reached, NotSound> {
    let mut runner = Runner::new(guest);
    let mut edges = [0; EDGE_COUNTERS];
    for (case, body) in cases.iter().enumerate() {
        let outcome = runner.run_counting(body, &mut edges);
        if let Some(finding) = outcome.findings.into_iter().next() {
            let finding = Box::new(finding);
            return Err(NotSound::Kernel { case, finding });
        }
    }
    runner.check_machine()?;
    let machine = runner.driver().machine();
    let taken = edges.iter().enumerate().filter(|(_, count)| **count > 0);
    let blocks = taken.filter_map(|(edge, _)| machine.edge_location(edge));
    Ok(Reached(executed(elf, blocks)))
}

/// The instructions from the start of each block to its end.
pub(super) fn executed(elf: &[u8], blocks: impl Iterator<Item = u64>) -> HashSet<u64> {
    let mut executed = HashSet::new();
    let Ok(file) = object::File::parse(elf) else {
        return executed;
    };
    for start in blocks {
        let Some(code) = code_at(&file, start) else {
            continue;
        };
        for (address, instruction) in instructions(start, code) {
            if !executed.insert(address) || instruction.ends_block() {
                break;
            }
        }
    }
    executed
}

/// Tries every mutant with `cases`, in parallel; `done` is called, from any thread, as each is
/// finished. The order of the answer is that of `mutants`.
///
/// # Errors
/// The machine broke under one of them.
pub fn try_all(
    guest: &Arc<Guest>,
    mutants: &[Mutant],
    reached: &Reached,
    cases: &[Case],
    done: impl Fn(&Tried) + Sync,
) -> Result<Vec<Tried>, BrokenMachine> {
    mutants
        .par_iter()
        .map_init(
            || Runner::new(guest),
            |runner, mutant| {
                let tried = if reached.0.contains(&mutant.address) {
                    try_one(runner, mutant, cases)
                } else {
                    Tried::NotReached
                };
                runner.check_machine()?;
                done(&tried);
                Ok(tried)
            },
        )
        .collect()
}

fn try_one(runner: &mut Runner, mutant: &Mutant, cases: &[Case]) -> Tried {
    runner.patch_kernel(mutant.address, &mutant.changed);
    let found = cases.iter().enumerate().find_map(|(index, case)| {
        let outcome = runner.run(case);
        let finding = outcome.first()?;
        Some(Tried::Detected {
            cases: index + 1,
            bucket: bucket(finding).to_string(),
        })
    });
    runner.patch_kernel(mutant.address, &mutant.original);
    found.unwrap_or(Tried::Survived)
}
