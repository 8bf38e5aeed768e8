//! Our own fuzz engine: coverage-guided, parallel, on the stable toolchain.
//!
//! Every thread has a kernel of its own; what they share is the coverage, the cases to breed from,
//! and what was found. A case that covers something new joins the pool. The engines of `fuzz/` run
//! the same sessions over the same corpus; this one needs nothing but `cargo`, so that any CI can
//! use it.

mod aimed;
mod coverage;
pub mod folder;
mod pool;
mod shrinking;

use crate::breeding::{Breeder, Mutations};
use crate::fuzzing::{
    Alarm, EDGE_COUNTERS, Execution, FEATURE_COUNTERS, Known, Progress, Session, Totals,
};
use crate::guest::Guest;
use crate::triage::Found;
use crate::triage::finding_file::Destination;
use aimed::Aimed;
use coverage::Coverage;
use folder::Effort;
use oracle::{Case, Profile};
use pool::{Member, Pool};
use shrinking::{Pending, Queue};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Of so many cases, one is made from nothing.
const FRESH: u32 = 20;
/// Operations of a case made from nothing, at most.
const FRESH_OPERATIONS: u32 = 64;
/// Executions of a thread between two reports of how far it is.
const EXECUTIONS_PER_REPORT: u64 = 64;

/// Spreads the numbers of executions over all 64 bits: 2^64 divided by the golden ratio.
const RESUMED: u64 = 0x9e37_79b9_7f4a_7c15;

/// What findings are said to be found by.
const NAME: &str = "faultline campaign";

/// What a campaign is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whose tastes cases have, in turn; none stands for all targets.
    pub targets: Vec<Profile>,
    /// How cases are changed.
    pub mutations: Mutations,
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
    /// Where cases that cover something new are kept, and what was done with them.
    pub corpus: Option<PathBuf>,
    /// Where findings go.
    pub findings: Destination,
    /// Stop at the first finding, too.
    pub until_finding: bool,
    /// When findings are made small.
    pub minimising: Minimising,
    /// Steer most cases around what is known to go wrong, to see what else does.
    pub steer: bool,
    /// Ends the campaign, with its summary, as soon as somebody sets it.
    pub stop: Arc<AtomicBool>,
}

/// When a campaign makes its findings small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Minimising {
    /// As soon as one is there.
    AtOnce,
    /// Never: they are kept as found.
    Never,
    /// For a share of the time, a little at a time, those first that take least; what there is no
    /// time for is kept as found.
    Sharing,
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
    /// State features that some case had.
    pub features: usize,
    /// Cases in the pool at the end.
    pub pool: usize,
    /// Operations of all of them.
    pub pool_operations: usize,
    /// What was done with this corpus by now, this campaign included.
    pub effort: Effort,
    /// What was found, in the order of discovery.
    pub findings: Vec<Found>,
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

/// Runs a campaign on `guest`. `tell` is called now and then, from any thread, with how far it is.
///
/// # Errors
/// Says why it broke off; a finding is no reason to.
pub fn run(
    guest: &Arc<Guest>,
    plan: &Plan,
    tell: impl Fn(&Progress<'_>) + Sync,
) -> Result<Summary, Broken> {
    let corpus = plan.corpus.as_deref();
    let before = corpus.map(folder::effort).unwrap_or_default();
    let shared = Shared {
        plan,
        targets: match plan.targets.as_slice() {
            [] => &Profile::ALL,
            some => some,
        },
        // A campaign that goes on with a corpus is not to repeat what the last one tried.
        seed: plan.seed ^ before.executions.wrapping_mul(RESUMED),
        coverage: Coverage::new(),
        pool: Pool::new(plan.corpus.clone()),
        known: Known::default(),
        queue: Queue::default(),
        aimed: Aimed::default(),
        next: AtomicUsize::new(0),
        begun: AtomicU64::new(0),
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
    let seconds = shared.started.elapsed().as_secs_f64();
    let (edges, features) = (shared.coverage.edges(), shared.coverage.features());
    let (pool, pool_operations) = (shared.pool.len(), shared.pool.operations());
    let log = shared
        .log
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(broken) = log.broken {
        return Err(broken);
    }
    let totals = log.total();
    let effort = Effort {
        campaigns: before.campaigns + 1,
        executions: before.executions + totals.executions,
        seconds: before.seconds + seconds,
    };
    if let Some(folder) = corpus {
        folder::write_effort(folder, &effort).map_err(|error| Broken::write(folder, error))?;
    }
    Ok(Summary {
        totals,
        seconds,
        edges,
        features,
        pool,
        pool_operations,
        effort,
        findings: log.findings,
    })
}

impl Broken {
    fn write(folder: &Path, error: io::Error) -> Self {
        Broken::Write {
            folder: folder.to_path_buf(),
            error,
        }
    }
}

/// A case to run, and where it comes from.
struct Candidate {
    case: Case,
    /// The case that it was made from, if that is in the pool.
    parent: Option<Arc<Member>>,
    /// Whose taste it has; `None` for a seed.
    target: Option<Profile>,
}

/// What the threads of a campaign have in common.
struct Shared<'a> {
    plan: &'a Plan,
    targets: &'a [Profile],
    seed: u64,
    coverage: Coverage,
    pool: Pool,
    known: Known,
    queue: Queue,
    aimed: Aimed,
    /// Cases made by all threads.
    next: AtomicUsize,
    /// Executions begun by all threads.
    begun: AtomicU64,
    started: Instant,
    log: Mutex<Log>,
}

/// What the campaign will have to tell.
#[derive(Default)]
struct Log {
    /// Of each thread.
    totals: Vec<Totals>,
    findings: Vec<Found>,
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
        if self.plan.minimising != Minimising::AtOnce {
            session = session.as_found();
        }
        if self.plan.steer {
            session = session.steering();
        }
        let mut random = fastrand::Rng::with_seed(self.seed.wrapping_add((number as u64) << 32));
        let mut edges = vec![0; EDGE_COUNTERS];
        let mut features = vec![0; FEATURE_COUNTERS];
        while self.may_go_on() {
            if let Some(pending) = self.queue.due(self.plan, self.started.elapsed()) {
                if let Err(broken) = self.shrink(&mut session, pending) {
                    self.break_off(broken);
                }
                continue;
            }
            if let Some(case) = self.aimed.due(self.begun.load(Ordering::Relaxed)) {
                self.aimed.give(session.aim(&case));
            }
            if !self.begins() {
                break;
            }
            let candidate = self.next_case(&mut random);
            edges.fill(0);
            features.fill(0);
            let result = session.execute(&candidate.case, &mut edges, &mut features);
            let done = match result {
                Ok(Execution::Clean) => self.learn(candidate, &edges, &features),
                Ok(Execution::KnownFinding) => Ok(()),
                Err(alarm) => self.raise(alarm, candidate.target),
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

    /// Whether there is time, and permission, to go on.
    fn may_go_on(&self) -> bool {
        let late = self
            .plan
            .duration
            .is_some_and(|limit| self.started.elapsed() >= limit);
        !late && !self.plan.stop.load(Ordering::Relaxed)
    }

    /// Counts one more execution; false if that would be one too many.
    fn begins(&self) -> bool {
        let begun = self.begun.fetch_add(1, Ordering::Relaxed);
        self.plan.executions.is_none_or(|limit| begun < limit)
    }

    /// The seeds first, each once; then children of the pool, and now and then something new.
    fn next_case(&self, random: &mut fastrand::Rng) -> Candidate {
        if let Some(case) = self.aimed.take() {
            return Candidate {
                case,
                parent: None,
                target: Some(Profile::Schedules),
            };
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if let Some(seed) = self.plan.seeds.get(number) {
            return Candidate {
                case: seed.clone(),
                parent: None,
                target: None,
            };
        }
        let target = self.targets[number % self.targets.len()];
        let breeder = Breeder {
            target,
            mutations: self.plan.mutations,
        };
        let parent = match random.u32(..FRESH) {
            0 => None,
            _ => self.pool.pick(random),
        };
        let case = match &parent {
            Some(parent) => {
                let other = |random: &mut fastrand::Rng| Some(self.pool.pick(random)?.case.clone());
                breeder.child(&parent.case, other, random)
            }
            None => breeder.fresh(random.u32(1..=FRESH_OPERATIONS), random),
        };
        Candidate {
            case,
            parent,
            target: Some(target),
        }
    }

    /// Takes a case into the pool that covers something new, or what its parent did with less.
    fn learn(&self, candidate: Candidate, edges: &[u8], features: &[u8]) -> Result<(), Broken> {
        let Candidate {
            case,
            parent,
            target,
        } = candidate;
        let new = self.coverage.add(edges, features);
        if target.is_none() || (!new.is_empty() && parent.is_some()) {
            self.aimed.add(&case);
        }
        let done = match parent {
            _ if !new.is_empty() => self.pool.add(case, new),
            Some(parent) => self.pool.reduce(&parent, case, edges, features),
            None => Ok(()),
        };
        let folder = self.plan.corpus.as_deref().unwrap_or(Path::new(""));
        done.map_err(|error| Broken::write(folder, error))
    }

    fn raise(&self, alarm: Alarm, target: Option<Profile>) -> Result<(), Broken> {
        let Alarm::Finding(report) = alarm else {
            return Err(Broken::Alarm(alarm));
        };
        let folder = &self.plan.findings.folder;
        let origin = match target {
            Some(target) => format!("{NAME}, {target}"),
            None => format!("{NAME}, a seed"),
        };
        let executions = self.begun.load(Ordering::Relaxed);
        let elapsed = self.started.elapsed();
        let found = Found::keep(&report, &self.plan.findings, &origin, executions, elapsed);
        let found = found.map_err(|error| Broken::write(folder, error))?;
        let mut log = self.log();
        log.findings.push(found);
        let number = log.findings.len() - 1;
        drop(log);
        if self.plan.minimising == Minimising::Sharing {
            self.queue.add(*report, number, origin);
        }
        if self.plan.until_finding {
            self.plan.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Makes a finding a little smaller.
    fn shrink(&self, session: &mut Session, mut pending: Pending) -> Result<(), Broken> {
        let began = Instant::now();
        let has_news = pending.shrink(session);
        self.queue.spent(began.elapsed());
        let folder = &self.plan.findings.folder;
        let kept = match has_news {
            true => {
                let found = &mut self.log().findings[pending.number];
                found.replace(&pending.report, &self.plan.findings, &pending.origin)
            }
            false => Ok(()),
        };
        self.queue.give_back(pending);
        kept.map_err(|error| Broken::write(folder, error))
    }

    fn break_off(&self, broken: Broken) {
        self.plan.stop.store(true, Ordering::Relaxed);
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
