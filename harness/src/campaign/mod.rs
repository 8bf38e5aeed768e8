//! Our own fuzz engine: coverage-guided, parallel, on the stable toolchain.
//!
//! Every thread has a kernel of its own; what they share is the coverage, the cases to breed from,
//! and what was found. A case that covers something new joins the pool. The engines of `fuzz/` run
//! the same sessions over the same corpus; this one needs nothing but `cargo`, so that any CI can
//! use it.

mod coverage;
mod pool;
mod progress;

pub use progress::Progress;

use crate::fuzzing::{Alarm, EDGE_COUNTERS, Execution, FEATURE_COUNTERS, Known, Session, Totals};
use crate::guest::Guest;
use crate::{case_file, finding_file};
use coverage::Coverage;
use oracle::case::{cross_over, mutate};
use oracle::{Case, Profile};
use pool::Pool;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Of so many cases, one is made from nothing.
const FRESH: u32 = 20;
/// Of so many cases that have a parent, one has two.
const TWO_PARENTS: u32 = 5;
/// Operations of a case made from nothing, at most.
const FRESH_OPERATIONS: u32 = 64;
/// Executions of a thread between two reports of how far it is.
const EXECUTIONS_PER_REPORT: u64 = 64;

/// What findings are said to be found by.
const NAME: &str = "faultline campaign";

/// What a campaign is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is fuzzed.
    pub target: Profile,
    /// When to stop: after so long,
    pub duration: Option<Duration>,
    /// or after so many executions of all threads together, whichever comes first. With neither
    /// it never stops by itself.
    pub executions: Option<u64>,
    /// Threads, at least one.
    pub jobs: usize,
    /// What every random choice depends on: with one thread and a number of executions, two
    /// campaigns are the same.
    pub seed: u64,
    /// Cases to begin with.
    pub seeds: Vec<Case>,
    /// Where cases that cover something new are kept.
    pub corpus: Option<PathBuf>,
    /// Where findings go.
    pub findings: PathBuf,
    /// Stop at the first finding, too.
    pub until_finding: bool,
    /// Write findings as they were found, not minimised.
    pub as_found: bool,
}

/// What came of a campaign.
#[derive(Debug, serde::Serialize)]
pub struct Summary {
    /// What was done.
    pub totals: Totals,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Edges of the kernel that some case took.
    pub edges: usize,
    /// Cases in the pool at the end.
    pub pool: usize,
    /// The case files of what was found, in the order of discovery.
    pub findings: Vec<PathBuf>,
}

/// Why a campaign broke off.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Faultline itself cannot be trusted on this kernel.
    #[error("{0}")]
    Alarm(Alarm),
    /// A case or a finding cannot be kept.
    #[error("cannot write to {}: {error}", folder.display())]
    Write {
        /// Where.
        folder: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

/// The cases in `folder`, if there is such a folder yet.
///
/// # Errors
/// A file there cannot be read as a case.
pub fn stored(folder: &Path) -> Result<Vec<Case>, case_file::CaseFileError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    match case_file::list(folder) {
        Ok(paths) => paths.iter().map(|path| case_file::read(path)).collect(),
        Err(case_file::CaseFileError::Empty { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Runs a campaign on `guest`. `tell` is called now and then, from any thread, with how far it is.
///
/// # Errors
/// Says why it broke off; a finding is no reason to.
pub fn run(
    guest: &Arc<Guest>,
    plan: &Plan,
    tell: impl Fn(&Progress<'_>) + Sync,
) -> Result<Summary, Broken> {
    let shared = Shared {
        plan,
        coverage: Coverage::new(),
        pool: Pool::new(plan.corpus.clone()),
        known: Known::default(),
        next_seed: AtomicUsize::new(0),
        begun: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        started: Instant::now(),
        log: Mutex::new(Log {
            totals: vec![Totals::default(); plan.jobs.max(1)],
            ..Log::default()
        }),
    };
    rayon::scope(|scope| {
        for number in 0..plan.jobs.max(1) {
            let (shared, tell) = (&shared, &tell);
            scope.spawn(move |_| shared.work(guest, number, tell));
        }
    });
    let edges = shared.coverage.edges();
    let pool = shared.pool.len();
    let seconds = shared.started.elapsed().as_secs_f64();
    let log = shared
        .log
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    match log.broken {
        Some(broken) => Err(broken),
        None => Ok(Summary {
            totals: log.total(),
            seconds,
            edges,
            pool,
            findings: log.findings,
        }),
    }
}

/// What the threads of a campaign have in common.
struct Shared<'a> {
    plan: &'a Plan,
    coverage: Coverage,
    pool: Pool,
    known: Known,
    next_seed: AtomicUsize,
    /// Executions begun by all threads.
    begun: AtomicU64,
    stop: AtomicBool,
    started: Instant,
    log: Mutex<Log>,
}

/// What the campaign will have to tell.
#[derive(Default)]
struct Log {
    /// Of each thread.
    totals: Vec<Totals>,
    findings: Vec<PathBuf>,
    broken: Option<Broken>,
}

impl Summary {
    /// The summary in words.
    pub fn words(&self) -> String {
        Progress {
            target: NAME,
            elapsed: Duration::from_secs_f64(self.seconds),
            totals: &self.totals,
            edges: self.edges,
            findings: &self.findings,
        }
        .summary()
    }
}

impl Log {
    /// Of all threads together.
    fn total(&self) -> Totals {
        let mut total = Totals::default();
        self.totals.iter().for_each(|thread| total += *thread);
        total
    }
}

impl Shared<'_> {
    /// One thread's part.
    fn work(&self, guest: &Arc<Guest>, number: usize, tell: &(impl Fn(&Progress<'_>) + Sync)) {
        let mut session = Session::new(Arc::clone(guest), self.known.clone());
        if self.plan.as_found {
            session = session.as_found();
        }
        let mut random =
            fastrand::Rng::with_seed(self.plan.seed.wrapping_add((number as u64) << 32));
        let mut edges = vec![0; EDGE_COUNTERS];
        let mut features = vec![0; FEATURE_COUNTERS];
        while self.may_go_on() {
            let case = self.next_case(&mut random);
            edges.fill(0);
            features.fill(0);
            let result = session.execute(&case, &mut edges, &mut features);
            let done = match result {
                Ok(Execution::Clean) if self.coverage.add(&edges, &features) => self.keep(case),
                Ok(Execution::Clean | Execution::KnownFinding) => Ok(()),
                Err(alarm) => self.raise(alarm),
            };
            if let Err(broken) = done {
                self.break_off(broken);
            }
            if session
                .totals()
                .executions
                .is_multiple_of(EXECUTIONS_PER_REPORT)
            {
                self.report(number, session.totals(), tell);
            }
        }
        self.report(number, session.totals(), tell);
    }

    /// Whether there is time, and permission, for one more execution.
    fn may_go_on(&self) -> bool {
        let late = self
            .plan
            .duration
            .is_some_and(|limit| self.started.elapsed() >= limit);
        let begun = self.begun.fetch_add(1, Ordering::Relaxed);
        let enough = self.plan.executions.is_some_and(|limit| begun >= limit);
        !late && !enough && !self.stop.load(Ordering::Relaxed)
    }

    /// The seeds first, each once; then children of the pool, and now and then something new.
    fn next_case(&self, random: &mut fastrand::Rng) -> Case {
        let seed = self.next_seed.fetch_add(1, Ordering::Relaxed);
        if let Some(seed) = self.plan.seeds.get(seed) {
            return seed.clone();
        }
        let parent = match random.u32(..FRESH) {
            0 => None,
            _ => self.pool.pick(random),
        };
        let Some(parent) = parent else {
            let operations = random.u32(1..=FRESH_OPERATIONS);
            return Case::generate(random.u64(..), operations, self.plan.target);
        };
        let mut child = match self.pool.pick(random) {
            Some(other) if random.u32(..TWO_PARENTS) == 0 => {
                cross_over(&parent, &other, random.u64(..))
            }
            _ => Case::clone(&parent),
        };
        mutate(&mut child, random.u64(..), self.plan.target);
        child
    }

    fn keep(&self, case: Case) -> Result<(), Broken> {
        let folder = self.plan.corpus.clone().unwrap_or_default();
        let added = self.pool.add(case);
        added.map_err(|error| Broken::Write { folder, error })
    }

    fn raise(&self, alarm: Alarm) -> Result<(), Broken> {
        let Alarm::Finding(report) = alarm else {
            return Err(Broken::Alarm(alarm));
        };
        let folder = &self.plan.findings;
        let path = finding_file::write(&report, folder, NAME).map_err(|error| Broken::Write {
            folder: folder.clone(),
            error,
        })?;
        self.log().findings.push(path);
        if self.plan.until_finding {
            self.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn break_off(&self, broken: Broken) {
        self.stop.store(true, Ordering::Relaxed);
        self.log().broken.get_or_insert(broken);
    }

    /// Notes what a thread has done so far, and tells of the whole.
    fn report(&self, number: usize, totals: &Totals, tell: &(impl Fn(&Progress<'_>) + Sync)) {
        let mut log = self.log();
        log.totals[number] = *totals;
        tell(&Progress {
            target: NAME,
            elapsed: self.started.elapsed(),
            totals: &log.total(),
            edges: self.coverage.edges(),
            findings: &log.findings,
        });
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
