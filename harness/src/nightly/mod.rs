//! A night of fuzzing: regressions first, every target for its share, the corpus distilled, a sample
//! of mutants, and one page that says what is new.
//!
//! All state is in one folder, so that the next night continues where this one stopped: what each
//! target has collected, every finding, and the buckets that were reported once.

mod page;
mod state;

pub use state::StateError;

use crate::campaign::{self, Broken, Budget};
use crate::case_file::{self, CaseFileError};
use crate::distil::distil;
use crate::fuzzing::Totals;
use crate::guest::Guest;
use crate::mutants::{self, Mutant, NotSound, Score, Tried};
use crate::replay::{ReplayError, replay};
use crate::runner::BrokenMachine;
use crate::triage::Found;
use oracle::{Case, Profile, bucket};
use serde::Serialize;
use state::State;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a night has to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The folder that nights have in common.
    pub state: PathBuf,
    /// Folders of cases that have to run clean, and from which every target begins.
    pub cases: Vec<PathBuf>,
    /// What to fuzz.
    pub targets: Vec<Profile>,
    /// How much, all targets together.
    pub fuzzing: Budget,
    /// Threads.
    pub jobs: usize,
    /// The mutants of the kernel that there are,
    pub mutants: Vec<Mutant>,
    /// and how many of them to try, drawn anew each night.
    pub sample: usize,
    /// The ELF file of the kernel that those are mutants of.
    pub kernel: Vec<u8>,
    /// Ends every campaign, with its summary, as soon as it is set.
    pub stop: Arc<AtomicBool>,
}

/// The result of a night.
#[derive(Debug, Serialize)]
pub struct Night {
    /// Which one, counted from 1.
    pub number: u64,
    /// Cases replayed before anything else.
    pub replayed: usize,
    /// What is wrong with those of them that show a finding.
    pub regressions: Vec<Regression>,
    /// What each target did.
    pub targets: Vec<TargetNight>,
    /// Mutants tried, and what became of them; nothing if the kernel itself has a regression.
    pub mutants: Option<Score>,
    /// Buckets that no earlier night has reported.
    pub new_buckets: Vec<String>,
    /// Buckets reported by this night or an earlier one.
    pub known_buckets: usize,
}

/// A case that was clean once.
#[derive(Debug, Serialize)]
pub struct Regression {
    /// Its file.
    pub case: PathBuf,
    /// What is wrong now.
    pub bucket: String,
}

/// What a target did in a night.
#[derive(Debug, Serialize)]
pub struct TargetNight {
    /// Its name.
    pub target: String,
    /// How long it ran, in seconds.
    pub seconds: f64,
    /// What it ran and compared.
    pub totals: Totals,
    /// Kernel edges that it covered.
    pub edges: usize,
    /// Cases in its corpus when it began,
    pub corpus_before: usize,
    /// and when it had been distilled.
    pub corpus_after: usize,
    /// What it found, known or new.
    pub findings: Vec<FoundTonight>,
}

/// A finding of a night.
#[derive(Debug, Serialize)]
pub struct FoundTonight {
    /// The file of its smallest case.
    pub case: PathBuf,
    /// Its signature.
    pub bucket: String,
    /// Whether no earlier night has reported it.
    pub is_new: bool,
}

impl Night {
    /// The night in Markdown.
    pub fn page(&self) -> String {
        page::page(self)
    }

    /// Whether a person has to look: there is a regression, or a new bucket.
    pub fn is_red(&self) -> bool {
        !self.regressions.is_empty() || !self.new_buckets.is_empty()
    }
}

/// Why a night broke off.
#[derive(Debug, thiserror::Error)]
pub enum NightError {
    /// A case file cannot be read.
    #[error(transparent)]
    Case(#[from] CaseFileError),
    /// A case has no outcome.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Faultline itself cannot be trusted.
    #[error(transparent)]
    Machine(#[from] BrokenMachine),
    /// The folder of state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// A campaign broke off.
    #[error("the campaign of {target} stopped: {broken}")]
    Campaign {
        /// The target.
        target: Profile,
        /// What went wrong.
        broken: Broken,
    },
}

/// Runs a night on `guest`. `tell` is called with a line from time to time, from any thread.
///
/// # Errors
/// Says why it broke off. A finding is not an error.
pub fn run(
    guest: &Arc<Guest>,
    plan: &Plan,
    tell: impl Fn(&str) + Sync,
) -> Result<Night, NightError> {
    let mut state = State::open(&plan.state)?;
    let number = state.begin_night()?;
    let mut paths = Vec::new();
    for folder in &plan.cases {
        paths.extend(case_file::list(folder)?);
    }
    tell(&format!("replaying {} cases", paths.len()));
    let mut seeds = Vec::new();
    let mut regressions = Vec::new();
    for replayed in replay(guest, &paths, || {}) {
        seeds.push(case_file::read(&replayed.path)?);
        let outcome = replayed.result?;
        regressions.extend(outcome.findings.iter().map(|finding| Regression {
            case: replayed.path.clone(),
            bucket: bucket(finding).to_string(),
        }));
    }
    let share = plan.fuzzing.share(plan.targets.len());
    let mut targets = Vec::new();
    for target in &plan.targets {
        targets.push(fuzz(
            guest, plan, *target, share, &seeds, number, &mut state, &tell,
        )?);
    }
    let mutants = if regressions.is_empty() {
        let mut drawn = plan.mutants.clone();
        mutants::draw(&mut drawn, plan.sample, number);
        tell(&format!("trying {} mutants", drawn.len()));
        match try_mutants(guest, &plan.kernel, &drawn, &seeds) {
            Ok(score) => Some(score),
            Err(NotSound::Machine(broken)) => return Err(broken.into()),
            Err(NotSound::Kernel { .. }) => None,
        }
    } else {
        None
    };
    let new_buckets = state.new_buckets().to_vec();
    let night = Night {
        number,
        replayed: paths.len(),
        regressions,
        targets,
        mutants,
        new_buckets,
        known_buckets: state.known_buckets(),
    };
    state.end_night(&night)?;
    Ok(night)
}

/// One target's share of the night.
#[allow(
    clippy::too_many_arguments,
    reason = "a step of `run`, with its variables"
)]
fn fuzz(
    guest: &Arc<Guest>,
    plan: &Plan,
    target: Profile,
    share: Budget,
    seeds: &[Case],
    number: u64,
    state: &mut State,
    tell: &(impl Fn(&str) + Sync),
) -> Result<TargetNight, NightError> {
    let stored: Vec<Case> = state
        .collected(target)?
        .into_iter()
        .map(|(_, case)| case)
        .collect();
    let corpus_before = stored.len();
    let campaign = campaign::Plan {
        targets: vec![target],
        budget: share,
        jobs: plan.jobs,
        seed: number,
        seeds: seeds.iter().cloned().chain(stored).collect(),
        corpus: Some(state.corpus(target)),
        findings: state.findings(),
        until_finding: false,
        minimising: campaign::Minimising::AtOnce,
        steer: false,
        stop: Arc::clone(&plan.stop),
    };
    let told = campaign::run(guest, &campaign, |far| {
        tell(&format!("{target}: {}", far.line()));
    });
    let summary = told.map_err(|broken| NightError::Campaign { target, broken })?;
    let mut findings = Vec::new();
    for found in summary.findings {
        findings.push(note(found, state)?);
    }
    tell(&format!("{target}: distilling"));
    let collected = state.collected(target)?;
    let cases: Vec<Case> = collected.iter().map(|(_, case)| case.clone()).collect();
    let kept = distil(guest, &cases, || {}).kept;
    for (at, (path, _)) in collected.iter().enumerate() {
        if !kept.contains(&at) {
            state.remove(path)?;
        }
    }
    Ok(TargetNight {
        target: target.to_string(),
        seconds: summary.seconds,
        totals: summary.totals,
        edges: summary.edges,
        corpus_before,
        corpus_after: kept.len(),
        findings,
    })
}

fn note(found: Found, state: &mut State) -> Result<FoundTonight, StateError> {
    let bucket = found.report.identity.bucket().to_string();
    Ok(FoundTonight {
        is_new: state.note_bucket(&bucket)?,
        case: found.path,
        bucket,
    })
}

fn try_mutants(
    guest: &Arc<Guest>,
    kernel: &[u8],
    mutants: &[Mutant],
    cases: &[Case],
) -> Result<Score, NotSound> {
    let reached = mutants::baseline(guest, kernel, cases)?;
    let mut score = Score::default();
    for tried in mutants::try_all(guest, mutants, &reached, cases, |_| {})? {
        let detected = matches!(tried, Tried::Detected { .. });
        score.add(tried != Tried::NotReached, detected);
    }
    Ok(score)
}
