//! Seeded bugs: builds kernels with one bug each and fuzzes them, to measure the fuzzer.
//!
//! [`catalogue`] reads the patches of `corpus/bugs`. [`workshop`] changes a copy of the kernel and builds it. A fuzz
//! engine or the kernel's own test programs run on the result, and a [`Row`] says what they found. Results are kept, so
//! that a run that was interrupted can be continued.

mod bug_rows;
mod campaign;
pub mod catalogue;
mod page;
pub mod patch;
mod programs;
mod results;
mod row;
mod table;
mod tally;
mod touched;
pub mod variants;
mod workshop;

use campaign::Campaign;
use catalogue::Bug;
use patch::PatchError;
use results::Results;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use workshop::Workshop;

pub use bug_rows::{BugRow, BugRows, check_each};
pub use page::{Sum, lines, page};
pub use programs::{ProgramRow, try_programs};
pub use row::{COLUMNS, Row};
pub use table::table;
pub use tally::Tally;

/// What fuzzes the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Our own engine.
    Campaign,
    /// libFuzzer, through `cargo fuzz`.
    Libfuzzer,
    /// AFL++, through `cargo afl`.
    Afl,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Campaign => "campaign",
            Engine::Libfuzzer => "libfuzzer",
            Engine::Afl => "afl",
        })
    }
}

/// How each bug is tried.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The checkout.
    pub root: PathBuf,
    /// This program.
    pub faultline: PathBuf,
    /// Where kernels and results are kept.
    pub folder: PathBuf,
    /// What fuzzes.
    pub engine: Engine,
    /// Campaigns for each bug, at least 1.
    pub campaigns: u32,
    /// Budget of one campaign in seconds.
    pub seconds: u32,
    /// Budget of one campaign in executions.
    pub executions: Option<u64>,
    /// Whether campaigns start from `corpus/seeds`, and not from nothing.
    pub with_seeds: bool,
    /// Whether campaigns go on after a finding, to see whether another rule reports the bug as well.
    pub alone: bool,
    /// Whether results of earlier runs are used.
    pub resume: bool,
}

impl Plan {
    /// A plan that builds kernels from the checkout at `root` and runs no campaign.
    pub fn to_build(root: PathBuf) -> Plan {
        Plan {
            faultline: PathBuf::new(),
            folder: root.join("target/bugs"),
            root,
            engine: Engine::Campaign,
            campaigns: 1,
            seconds: 0,
            executions: None,
            with_seeds: false,
            alone: false,
            resume: false,
        }
    }
}

/// Why a bug could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A file, a folder or a program cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A command failed.
    #[error("{command} failed:\n{said}")]
    Command {
        /// The command.
        command: String,
        /// What it wrote to its standard error.
        said: String,
    },
    /// A bug's patch does not apply, or the kernel with it does not build.
    #[error(
        "the kernel with {bug} does not build; if the kernel has changed, update the patch\n{source}"
    )]
    NotBuilt {
        /// The bug.
        bug: String,
        /// Why not.
        source: Box<Trouble>,
    },
    /// The program of another engine does not build.
    #[error("the fuzz target {target} did not build")]
    Fuzzer {
        /// The target.
        target: &'static str,
    },
    /// A campaign stopped before it found something or spent its budget.
    #[error("a campaign on {bug} stopped without a finding:\n{log}")]
    BrokeOff {
        /// The bug.
        bug: String,
        /// The end of what the campaign wrote.
        log: String,
    },
    /// `faultline check` cannot check a kernel.
    #[error("the kernel with {bug} cannot be checked: {why}")]
    Unchecked {
        /// The bug.
        bug: String,
        /// Why not.
        why: String,
    },
    /// A test program does not pass on the kernel as it is.
    #[error("{line} does not pass on the unchanged kernel: {verdict}")]
    Unsound {
        /// The line that starts it.
        line: String,
        /// How it ended.
        verdict: String,
    },
    /// The kernel as it is cannot be booted to its shell.
    #[error("the unchanged kernel: {0}")]
    NoShell(String),
    /// The catalogue cannot be read.
    #[error(transparent)]
    Catalogue(#[from] PatchError),
}

impl Trouble {
    fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Trouble::Io { path, source }
    }
}

/// The result of campaigns that go on after a finding.
#[derive(Clone, Debug, Default)]
pub struct Alone {
    /// Cases that ran.
    pub executions: u64,
    /// How many findings there are by each rule.
    pub findings: BTreeMap<String, u64>,
}

impl Alone {
    /// Whether there is a finding, and each is by the one rule that the bug breaks. On machines that vary it may break
    /// others.
    pub fn is_by_one_rule(&self, bug: &Bug) -> bool {
        let rules = self.findings.keys();
        rules
            .filter(|rule| !bug.varied.contains(rule))
            .eq(bug.rules.iter())
    }
}

/// Only applies and builds each bug, and reports each in turn.
///
/// # Errors
/// The kernel cannot be copied.
pub fn build(
    bugs: &[Bug],
    plan: &Plan,
    report: impl FnMut(&Bug, Result<(), Trouble>),
) -> Result<(), Trouble> {
    let workshop = Workshop::open(&plan.root, &plan.folder)?;
    on_kernels(&workshop, bugs, |_| None, |_, _| Ok(()), report);
    Ok(())
}

/// Fuzzes each kernel until a finding, and reports each row in turn.
///
/// # Errors
/// The kernel cannot be copied. What goes wrong with one bug is reported as its result.
pub fn measure(
    bugs: &[Bug],
    plan: &Plan,
    report: impl FnMut(&Bug, Result<Row, Trouble>),
) -> Result<(), Trouble> {
    let workshop = Workshop::open(&plan.root, &plan.folder)?;
    let results = Results::new(plan, &workshop)?;
    let known = |bug: &Bug| Row::parse(&results.known(bug)?);
    let attempt = |bug: &Bug, guest: &Path| {
        let row = Row::new(bug, plan.engine, &campaigns(bug, guest, plan)?);
        results.keep(bug, &row.tab_separated())?;
        Ok(row)
    };
    on_kernels(&workshop, bugs, known, attempt, report);
    Ok(())
}

/// Fuzzes each kernel to the end of the budget, and reports the rules of all findings in turn.
///
/// # Errors
/// The kernel cannot be copied. What goes wrong with one bug is reported as its result.
pub fn try_alone(
    bugs: &[Bug],
    plan: &Plan,
    report: impl FnMut(&Bug, Result<Alone, Trouble>),
) -> Result<(), Trouble> {
    let workshop = Workshop::open(&plan.root, &plan.folder)?;
    let attempt = |bug: &Bug, guest: &Path| {
        let mut all = Alone::default();
        for campaign in campaigns(bug, guest, plan)? {
            all.executions += campaign.executions.unwrap_or(0);
            for rule in campaign.rules {
                *all.findings.entry(rule).or_default() += 1;
            }
        }
        Ok(all)
    };
    on_kernels(&workshop, bugs, |_| None, attempt, report);
    Ok(())
}

fn campaigns(bug: &Bug, guest: &Path, plan: &Plan) -> Result<Vec<Campaign>, Trouble> {
    campaign::prepare(bug, plan)?;
    let mut campaigns = Vec::new();
    for seed in 1..=plan.campaigns {
        let folder = guest.join(format!("{}-{seed}", plan.engine));
        campaigns.push(campaign::run(bug, guest, seed, plan, &folder)?);
    }
    Ok(campaigns)
}

/// Builds one kernel after another. Meanwhile tries those that are ready, in the order of `bugs`. Reports what is known
/// of each bug, or else the result of `attempt` on its kernel.
fn on_kernels<T>(
    workshop: &Workshop,
    bugs: &[Bug],
    known: impl Fn(&Bug) -> Option<T>,
    mut attempt: impl FnMut(&Bug, &Path) -> Result<T, Trouble>,
    mut report: impl FnMut(&Bug, Result<T, Trouble>),
) {
    let bugs: Vec<(&Bug, Option<T>)> = bugs.iter().map(|bug| (bug, known(bug))).collect();
    let missing = bugs.iter().filter(|(_, known)| known.is_none());
    let missing: Vec<&Bug> = missing.map(|(bug, _)| *bug).collect();
    std::thread::scope(|scope| {
        let (sender, built) = channel();
        scope.spawn(move || {
            for bug in missing {
                // The receiver is gone, so the rest is not needed.
                if sender.send(workshop.build(&bug.patch)).is_err() {
                    return;
                }
            }
        });
        for (bug, known) in bugs {
            let result = match known {
                Some(known) => Ok(known),
                None => match built.recv() {
                    Ok(Ok(())) => attempt(bug, &workshop.folder_of(&bug.patch)),
                    Ok(Err(why)) => Err(Trouble::NotBuilt {
                        bug: bug.patch.name.clone(),
                        source: Box::new(why),
                    }),
                    // The builder sends one answer a bug, unless it panics, which ends the scope.
                    Err(_) => return,
                },
            };
            report(bug, result);
        }
    });
}
