//! What the threads of a campaign do, and what they have in common.

use super::aimed::Aimed;
use super::coverage::Coverage;
use super::log::Log;
use super::pool::{Member, Pool};
use super::shrinking::Pending;
use super::{Broken, Minimising, NAME, Plan};
use crate::case_maker::CaseMaker;
use crate::counters::{EDGE_COUNTERS, FEATURE_COUNTERS};
use crate::fuzzing::{Alarm, Execution, Known, Progress, Session, Totals};
use crate::guest::Guest;
use crate::triage::Found;
use oracle::{Case, Profile};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// One of so many cases has no parent.
const FRESH: u32 = 20;
/// Operations of a case made from nothing, at most.
const FRESH_OPERATIONS: u32 = 64;
/// Executions of a thread between two reports of how far it is.
const EXECUTIONS_PER_REPORT: u64 = 64;

/// Spreads the numbers of executions over all 64 bits: 2^64 divided by the golden ratio.
const RESUMED: u64 = 0x9e37_79b9_7f4a_7c15;

/// A case to run, and where it comes from.
struct Candidate {
    case: Case,
    /// The case that it was made from, if that is in the pool.
    parent: Option<Arc<Member>>,
    /// Whose taste it has; `None` for a seed.
    target: Option<Profile>,
}

/// What the threads of a campaign share.
pub(super) struct Shared<'a> {
    plan: &'a Plan,
    targets: &'a [Profile],
    seed: u64,
    pub(super) coverage: Coverage,
    pub(super) pool: Pool,
    known: Known,
    aimed: Aimed,
    /// Cases made by all threads.
    next: AtomicUsize,
    /// Executions begun by all threads.
    begun: AtomicU64,
    pub(super) started: Instant,
    log: Mutex<Log>,
}

impl<'a> Shared<'a> {
    /// A campaign that begins now; with its corpus so many executions were done before.
    pub(super) fn new(plan: &'a Plan, executions_before: u64) -> Self {
        Self {
            plan,
            targets: match plan.targets.as_slice() {
                [] => &Profile::ALL,
                some => some,
            },
            // A campaign that continues with a corpus must not repeat what the last one tried.
            seed: plan.seed ^ executions_before.wrapping_mul(RESUMED),
            coverage: Coverage::new(),
            pool: Pool::new(plan.corpus.clone()),
            known: Known::default(),
            aimed: Aimed::default(),
            next: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            started: Instant::now(),
            log: Mutex::new(Log::new(plan.jobs.max(1))),
        }
    }

    /// What there is to tell when all threads are done.
    pub(super) fn into_log(self) -> Log {
        self.log
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread's part.
    pub(super) fn work(
        &self,
        guest: &Arc<Guest>,
        number: usize,
        tell: &(impl Fn(&Progress<'_>) + Sync),
    ) {
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
            if let Some(pending) = self.due() {
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
            let executions = session.totals().executions;
            if executions.is_multiple_of(EXECUTIONS_PER_REPORT) {
                self.report(number, session.totals(), tell);
            }
        }
        self.report(number, session.totals(), tell);
    }

    /// Whether there is time, and permission, to continue.
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

    /// The seeds first, each once; then children of cases in the pool, and sometimes a new case.
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
        let maker = CaseMaker { target };
        let parent = match random.u32(..FRESH) {
            0 => None,
            _ => self.pool.pick(random),
        };
        let case = match &parent {
            Some(parent) => {
                let other = |random: &mut fastrand::Rng| Some(self.pool.pick(random)?.case.clone());
                maker.child(&parent.case, other, random)
            }
            None => maker.fresh(random.u32(1..=FRESH_OPERATIONS), random),
        };
        Candidate {
            case,
            parent,
            target: Some(target),
        }
    }

    /// Takes a case into the pool if it covers something new, or as much as its longer parent.
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

    /// Keeps a finding; any other alarm breaks the campaign off.
    fn raise(&self, alarm: Alarm, target: Option<Profile>) -> Result<(), Broken> {
        let Alarm::Finding(report) = alarm else {
            return Err(Broken::Alarm(alarm));
        };
        let to = &self.plan.findings;
        let origin = match target {
            Some(target) => format!("{NAME}, {target}"),
            None => format!("{NAME}, a seed"),
        };
        let executions = self.begun.load(Ordering::Relaxed);
        let found = Found::keep(*report, to, origin, executions, self.started.elapsed())
            .map_err(|error| Broken::write(&to.folder, error))?;
        let mut log = self.log();
        let number = log.findings.len();
        log.findings.push(found);
        if self.plan.minimising == Minimising::Sharing {
            log.queue.add(number);
        }
        drop(log);
        if self.plan.until_finding {
            self.plan.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The finding to make smaller now, if it is time for that.
    fn due(&self) -> Option<Pending> {
        if self.plan.minimising != Minimising::Sharing {
            return None;
        }
        let mut log = self.log();
        let Log {
            findings, queue, ..
        } = &mut *log;
        queue.due(findings, self.plan, self.started.elapsed())
    }

    /// Makes a finding a little smaller.
    fn shrink(&self, session: &mut Session, pending: Pending) -> Result<(), Broken> {
        let began = Instant::now();
        let mut report = self.log().findings[pending.number].report.clone();
        let has_news = session.shrink(&mut report, pending.slice);
        let has_news = has_news.map_err(Broken::Alarm)?;
        let took = began.elapsed();
        let mut log = self.log();
        log.queue.give_back(pending, &report, has_news, took);
        let found = &mut log.findings[pending.number];
        if !has_news {
            found.report = report;
            return Ok(());
        }
        let to = &self.plan.findings;
        let kept = found.replace(report, to);
        kept.map_err(|error| Broken::write(&to.folder, error))
    }

    fn break_off(&self, broken: Broken) {
        self.plan.stop.store(true, Ordering::Relaxed);
        self.log().broken.get_or_insert(broken);
    }

    /// Notes what a thread has done so far, and reports on the whole campaign.
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

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
