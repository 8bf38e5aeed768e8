//! The kernel's own test programs, run at its shell within a budget of instructions: what they notice
//! of a bug, to compare with what cases notice.
//!
//! Nothing depends on the host's clock. A program that passes will pass again after the same number of
//! instructions. So a *hang* is a multiple of what a sound kernel needs.

use crate::console::{Console, ConsoleError};
use crate::guest::location::GuestFiles;
use emulator::{Config, Coverage, Machine, Snapshot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What is typed to run each test program of our kernel, the longest last.
pub const LINES: [&str; 4] = ["lazytests", "cowtests", "stacktests", "usertests -q"];

/// Harts of the machine that runs them: the more happens at once, the more they notice.
pub const HARTS: usize = 3;

/// Instructions that a program may take if its need is not known: several times what
/// the longest of ours takes.
pub const BUDGET: u64 = 20_000_000_000;

/// How a test program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It says that all has passed.
    Passed,
    /// It ended without saying so.
    Failed,
    /// It did not end within its budget, or no process can run any more.
    Hung,
    /// The kernel panicked.
    Panicked,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Hung => "hung",
            Self::Panicked => "panicked",
        })
    }
}

/// The result of a test program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// How it ended.
    pub verdict: Verdict,
    /// Instructions that all harts began meanwhile.
    pub instructions: u64,
}

/// How many instructions each line may take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets(BTreeMap<String, u64>);

impl Budgets {
    /// So many times what each line took on a sound kernel.
    pub fn times(factor: u64, sound: &BTreeMap<String, Ran>) -> Self {
        let times =
            |(line, ran): (&String, &Ran)| (line.clone(), ran.instructions.saturating_mul(factor));
        Self(sound.iter().map(times).collect())
    }

    /// The budget of `line`: [`BUDGET`] if it was not measured.
    pub fn of(&self, line: &str) -> u64 {
        self.0.get(line).copied().unwrap_or(BUDGET)
    }
}

/// A kernel whose shell waits for a line, to be run again and again from there.
pub struct Bench {
    console: Console,
    snapshot: Arc<Snapshot>,
}

impl Bench {
    /// Boots `files` with [`HARTS`] harts to the shell's first prompt.
    ///
    /// # Errors
    /// There is no prompt.
    pub fn boot(files: GuestFiles) -> Result<Self, ConsoleError> {
        let config = Config {
            harts: HARTS,
            coverage: Coverage::Supervisor,
            ..Config::default()
        };
        let mut machine = Console::boot_files(&config, files)?.into_machine();
        let snapshot = machine.snapshot();
        Ok(Self::on(machine, snapshot))
    }

    /// Another one at the same prompt, on a new machine.
    pub fn another(&self) -> Self {
        let machine = Machine::from_snapshot(&self.snapshot);
        Self::on(machine, Arc::clone(&self.snapshot))
    }

    fn on(machine: Machine, snapshot: Arc<Snapshot>) -> Self {
        let console = Console::new(machine);
        Self { console, snapshot }
    }

    /// Types `line` at the first prompt, and lets it take `budget` instructions. Before it begins,
    /// `change` may change the machine; the next run starts without this change. A program is stopped at its
    /// first failing check.
    pub fn run(&mut self, line: &str, budget: u64, change: impl FnOnce(&mut Machine)) -> Ran {
        self.console.start_over();
        self.console.machine_mut().edges_mut().fill(0);
        change(self.console.machine_mut());
        self.console.set_budget(budget);
        let before = self.console.machine_mut().steps();
        let told = self.console.run_until(line, fails);
        Ran {
            verdict: verdict(line, told),
            instructions: self.console.machine_mut().steps() - before,
        }
    }

    /// The kernel's basic blocks that the last run has come to, by their first addresses.
    pub fn blocks_reached(&mut self) -> impl Iterator<Item = u64> {
        let machine = &*self.console.machine_mut();
        let counters = machine.edges().iter().enumerate();
        let taken = counters.filter(|(_, count)| **count > 0);
        taken.filter_map(|(edge, _)| machine.edge_location(edge))
    }
}

/// Whether a program that has printed so much has said that a rule fails.
fn fails(shown: &str) -> bool {
    shown.lines().any(|line| line.starts_with("FAIL"))
}

/// What the answer to `line` says: each rule that fails has a line, and the last one is the verdict.
fn verdict(line: &str, told: Result<String, ConsoleError>) -> Verdict {
    let program = line.split(' ').next().unwrap_or(line);
    match told {
        Ok(shown) => {
            if !fails(&shown) && shown.contains(&format!("{program}: ALL PASSED")) {
                Verdict::Passed
            } else {
                Verdict::Failed
            }
        }
        Err(ConsoleError::NotShown { shown, .. }) if shown.contains("panic:") => Verdict::Panicked,
        Err(ConsoleError::NotShown { .. }) => Verdict::Hung,
        Err(_) => Verdict::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::{BUDGET, Budgets, Ran, Verdict, verdict};
    use crate::console::ConsoleError;
    use emulator::Exit;
    use std::collections::BTreeMap;

    fn not_shown(shown: &str) -> Result<String, ConsoleError> {
        Err(ConsoleError::NotShown {
            wanted: "$ ".to_owned(),
            exit: Exit::Budget,
            shown: shown.to_owned(),
        })
    }

    #[test]
    fn a_program_that_ends_has_passed_only_if_it_says_so() {
        let shown = |text: &str| verdict("usertests -q", Ok(text.to_owned()));
        assert_eq!(shown("ok\nusertests: ALL PASSED\n"), Verdict::Passed);
        assert_eq!(shown("FAIL x\nusertests: ALL PASSED\n"), Verdict::Failed);
        assert_eq!(shown("usertests: 1 FAILED\n"), Verdict::Failed);
        assert_eq!(shown(""), Verdict::Failed);
    }

    #[test]
    fn a_program_that_does_not_end_hangs_unless_the_kernel_panics() {
        let seen = |text: &str| verdict("lazytests", not_shown(text));
        assert_eq!(seen("lazytests\n"), Verdict::Hung);
        assert_eq!(seen("lazytests\npanic: out of luck\n"), Verdict::Panicked);
    }

    #[test]
    fn a_budget_is_a_multiple_of_what_was_measured() {
        let ran = Ran {
            verdict: Verdict::Passed,
            instructions: 7,
        };
        let sound = BTreeMap::from([("lazytests".to_owned(), ran)]);
        let budgets = Budgets::times(3, &sound);
        assert_eq!(budgets.of("lazytests"), 21);
        assert_eq!(budgets.of("cowtests"), BUDGET);
    }
}
