//! Seeded bugs: builds kernels with one bug each and fuzzes them, to measure the fuzzer.
//!
//! [`catalogue`] reads the patches of `corpus/bugs`; a copy of the kernel is changed and built
//! ([`workshop`]); a fuzz engine or the kernel's own test programs try the result, and a [`Row`] says
//! what came of it. Results are kept, so that a run that was cut can be taken up again.

mod campaign;
pub mod catalogue;
mod page;
pub mod patch;
mod programs;
mod results;
mod row;
mod table;
mod tally;
mod told;
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

pub use page::{Sum, lines, page};
pub use programs::{ProgramRow, try_programs};
pub use row::{COLUMNS, Row};
pub use table::table;
pub use tally::Tally;
pub use told::{Told, ToldRow, tell};

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
    /// Campaigns a bug, at least 1.
    pub campaigns: u32,
    /// Budget of one campaign in seconds.
    pub seconds: u32,
    /// The same in executions.
    pub executions: Option<u64>,
    /// Start from `corpus/seeds` and not from nothing.
    pub with_seeds: bool,
    /// Go on after a finding, to learn whether there is one by another rule.
    pub alone: bool,
    /// Take results that are there.
    pub resume: bool,
}

impl Plan {
    /// A plan by which kernels are built from the checkout at `root`, and no campaign runs.
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

/// Something that keeps a bug from being tried.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A file, a folder or a program cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A command failed.
    #[error("{command} failed:\n{said}")]
    Command {
        /// Which.
        command: String,
        /// What it wrote to its standard error.
        said: String,
    },
    /// A bug's patch does not apply, or the kernel with it does not build.
    #[error(
        "the kernel with {bug} does not build; if the kernel has changed, update the patch\n{source}"
    )]
    NotBuilt {
        /// Which bug.
        bug: String,
        /// Why.
        source: Box<Trouble>,
    },
    /// The program of another engine does not build.
    #[error("the fuzz target {target} did not build")]
    Fuzzer {
        /// Which.
        target: &'static str,
    },
    /// A campaign ended by itself.
    #[error("a campaign on {bug} stopped without a finding:\n{log}")]
    BrokeOff {
        /// On which bug.
        bug: String,
        /// The end of what it wrote.
        log: String,
    },
    /// `faultline check` cannot check a kernel.
    #[error("the kernel with {bug} cannot be checked: {why}")]
    Unchecked {
        /// With which bug.
        bug: String,
        /// Why.
        why: String,
    },
    /// A test program does not pass on the kernel as it is.
    #[error("{line} does not pass on the unchanged kernel: {verdict}")]
    Unsound {
        /// Which.
        line: String,
        /// How it ended.
        verdict: String,
    },
    /// The kernel as it is cannot be booted to its shell.
    #[error("the unchanged kernel: {0}")]
    NoShell(String),
    /// The catalogue is not what it should be.
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
    /// Whether there is a finding, and each is by the one rule that the bug breaks.
    pub fn is_by_one_rule(&self, bug: &Bug) -> bool {
        self.findings.keys().eq(bug.rules.iter())
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

/// Has each kernel fuzzed until a finding, and reports each row in turn.
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

/// Has each kernel fuzzed to the end of the budget, and reports the rules of all findings in turn.
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

/// Builds one kernel after another while those that are ready are tried, in the order of `bugs`, and
/// reports what is known of a bug or what `attempt` makes of its kernel.
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
                // Nobody waits any more: the rest is not wanted.
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
