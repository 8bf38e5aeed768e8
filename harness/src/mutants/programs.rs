//! Trying mutants with the kernel's own test programs, to compare what they notice with what cases notice.

use super::Mutant;
use super::score::executed;
use crate::test_programs::{Bench, Budgets, Ran, Verdict};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashSet};

/// How each line that was run ended on a mutant; `None`: it does not execute the changed
/// instruction on the sound kernel, so it would pass.
pub type Said = BTreeMap<String, Option<Verdict>>;

/// Whether a test program that ended like this detects the mutant.
pub fn detects(said: Option<Verdict>) -> bool {
    said.is_some_and(|verdict| verdict != Verdict::Passed)
}

/// Which lines are run on a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// All of them.
    All,
    /// One after another, until one detects it.
    UntilDetected,
}

/// Test programs on the kernel as it is.
pub struct ProgramBaseline {
    /// What each took.
    sound: BTreeMap<String, Ran>,
    /// The addresses of the instructions that each executes.
    reached: Vec<(String, HashSet<u64>)>,
}

/// A test program does not pass on the kernel as it is: mutants would prove nothing.
#[derive(Debug, thiserror::Error)]
#[error("{line} has {verdict} on the sound kernel, so its mutants would prove nothing")]
pub struct ProgramNotSound {
    line: String,
    verdict: Verdict,
}

impl ProgramBaseline {
    /// Runs each of `lines` once on `bench`. `elf` is the kernel's ELF file.
    ///
    /// # Errors
    /// One of them does not pass.
    pub fn measure(bench: &mut Bench, elf: &[u8], lines: &[&str]) -> Result<Self, ProgramNotSound> {
        let mut baseline = Self {
            sound: BTreeMap::new(),
            reached: Vec::new(),
        };
        for line in lines {
            let ran = bench.run(line, Budgets::default().of(line), |_| ());
            if ran.verdict != Verdict::Passed {
                return Err(ProgramNotSound {
                    line: (*line).to_owned(),
                    verdict: ran.verdict,
                });
            }
            let reached = executed(elf, bench.blocks_reached());
            baseline.sound.insert((*line).to_owned(), ran);
            baseline.reached.push(((*line).to_owned(), reached));
        }
        Ok(baseline)
    }

    /// Tries every mutant with each program, in parallel; a program hangs when it takes more than
    /// `factor` times what it took on the sound kernel. `asked` says which. `done` is called, from any thread, as each
    /// mutant is finished. The order of the answer is that of `mutants`.
    pub fn try_all(
        &self,
        bench: &Bench,
        mutants: &[Mutant],
        factor: u64,
        asked: Asked,
        done: impl Fn() + Sync,
    ) -> Vec<Said> {
        let budgets = Budgets::times(factor, &self.sound);
        mutants
            .par_iter()
            .map_init(
                || bench.another(),
                |bench, mutant| {
                    let said = self.try_one(bench, mutant, &budgets, asked);
                    done();
                    said
                },
            )
            .collect()
    }

    fn try_one(&self, bench: &mut Bench, mutant: &Mutant, budgets: &Budgets, asked: Asked) -> Said {
        let mut all = Said::new();
        for (line, reached) in &self.reached {
            let said = reached.contains(&mutant.address).then(|| {
                let ran = bench.run(line, budgets.of(line), |machine| {
                    // The address is the kernel's own text, which is RAM.
                    let _ = machine.write_physical(mutant.address, &mutant.changed);
                });
                ran.verdict
            });
            all.insert(line.clone(), said);
            if asked == Asked::UntilDetected && detects(said) {
                break;
            }
        }
        all
    }
}
