//! The bodies of the fuzz targets, without any fuzz engine.
//!
//! A target under `fuzz/` is glue: it hands bytes to [`Session::execute`] and the counters to its
//! engine. What runs is here, so that `cargo test` on stable replays the same code.

use crate::driver::Driver;
use crate::guest::location::GuestFiles;
use crate::guest::{BootError, Guest};
use crate::runner::{Outcome, Runner, Watch};
use crate::triage::Report;
use crate::triage::explain::{Explanation, explain};
use crate::triage::minimise::{Minimality, Minimised, minimise};
use crate::triage::slow::{self, Slow};
use oracle::{
    BiteMeter, Bucket, Call, Case, Clause, Dialect, Finding, Judge, Observation, Operation,
    Situation, Step, bucket,
};
use std::collections::HashSet;
use std::ops::{AddAssign, Range};
use std::sync::{Arc, Mutex, PoisonError};

/// Counters for edges of the guest kernel.
pub const EDGE_COUNTERS: usize = 1 << 16;
/// Counters for state features: which operation met which state of a page, with which outcome.
pub const FEATURE_COUNTERS: usize = 1 << 13;

/// One case in so many is run twice, and both runs must agree to the instruction.
const DETERMINISM_SAMPLE: u64 = 1000;

/// Executions spent on making a finding small, at most.
pub(crate) const MINIMISE_EXECUTIONS: u64 = 4000;

/// Of so many executions, at most one is spent on the search for the operation that a finding comes
/// from which only the end of a case shows.
const SEARCHES: u64 = 4;

/// Of so many cases, a session that steers lets one go straight on: two bugs may share a situation.
const STRAIGHT_ON: u64 = 8;

/// After so many executions an oracle that has compared and expected nothing has lost its bite.
const BITE_DEADLINE: u64 = 20_000;

/// A campaign in one thread: a booted kernel, and what was done with it so far.
pub struct Session {
    guest: Arc<Guest>,
    runner: Runner,
    totals: Totals,
    known: Known,
    minimise_executions: u64,
    steers: bool,
    /// What the execution in hand is steered around.
    avoided: Vec<Situation>,
    /// Executions spent on the search for causes.
    searched: u64,
}

/// Buckets that were reported already, by one session or by several that share this.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<Mutex<Reported>>);

#[derive(Debug, Default)]
struct Reported {
    /// With the cause of those that only the end of a case shows.
    buckets: HashSet<(Bucket, Option<Situation>)>,
    /// Where they were found.
    situations: Vec<Situation>,
}

impl Known {
    /// Whether the bucket of `finding` is new, or comes from a new cause; from now on it does not.
    fn is_new(&self, finding: &Finding, cause: Option<Situation>) -> bool {
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // To be slow at the end keeps nobody from seeing what comes before it.
        let keeps_others_out = cause.is_none() || finding.clause != Clause::EndsInTime;
        if let Some(situation) = cause.or(finding.situation())
            && keeps_others_out
            && !reported.situations.contains(&situation)
        {
            reported.situations.push(situation);
        }
        reported.buckets.insert((bucket(finding), cause))
    }

    /// Whether the bucket of `finding` was reported, whatever it came from.
    fn has(&self, finding: &Finding) -> bool {
        let reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = bucket(finding);
        let mut buckets = reported.buckets.iter();
        buckets.any(|(known, _)| *known == bucket)
    }

    /// Where something was found.
    fn situations(&self) -> Vec<Situation> {
        let reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reported.situations.clone()
    }
}

/// What came of an execution that raised no alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Nothing wrong.
    Clean,
    /// A finding whose bucket this session has reported before.
    KnownFinding,
}

/// What a session has done, or several together.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Totals {
    /// Cases run, repeats for determinism not counted.
    pub executions: u64,
    /// Cases run a second time to compare.
    pub repeated: u64,
    /// What the oracle compared.
    pub meter: BiteMeter,
    /// Guest instructions of all cases.
    pub instructions: u64,
    /// Cases with a finding, known or new.
    pub findings: u64,
    /// Cases in which the code that a seeded bug changes ran: see [`crate::driver::Canary`].
    pub reached: u64,
    /// Cases in which the seeded bug had an effect.
    pub triggered: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.executions += other.executions;
        self.repeated += other.repeated;
        self.meter += other.meter;
        self.instructions += other.instructions;
        self.findings += other.findings;
        self.reached += other.reached;
        self.triggered += other.triggered;
    }
}

/// Why a campaign must stop and tell.
#[derive(Debug, thiserror::Error)]
pub enum Alarm {
    /// The kernel did something wrong.
    #[error("{0}")]
    Finding(Box<Report>),
    /// Two runs of one case differ: nothing that this session says can be trusted.
    #[error(
        "two runs of one case differ: {first} and {second} instructions\n\
         this is a defect of Faultline itself, please report it with this case:\n{case}"
    )]
    NotDeterministic {
        /// Instructions of the first run.
        first: u64,
        /// Instructions of the second run.
        second: u64,
        /// The case.
        case: Case,
    },
    /// The oracle compares nothing any more.
    #[error("after {executions} executions the oracle has not bitten: {meter}")]
    Toothless {
        /// Executions so far.
        executions: u64,
        /// What was compared.
        meter: BiteMeter,
    },
}

impl Session {
    /// Boots the kernel that `./scripts/setup` built, or the one the environment names.
    ///
    /// # Errors
    /// Says what is missing and how to make it, or how far the kernel got.
    pub fn open() -> Result<Self, OpenError> {
        let guest = Guest::boot(&GuestFiles::find(None, None)?, Dialect::faultline())?;
        Ok(Self::new(guest, Known::default()))
    }

    /// A session on a guest that is booted already, which keeps silent about what is `known`.
    pub fn new(guest: Arc<Guest>, known: Known) -> Self {
        Self {
            runner: Runner::new(&guest),
            guest,
            totals: Totals::default(),
            known,
            minimise_executions: MINIMISE_EXECUTIONS,
            steers: false,
            avoided: Vec::new(),
            searched: 0,
        }
    }

    /// Reports findings as they were found, without a search for smaller cases.
    pub fn as_found(mut self) -> Self {
        self.minimise_executions = 0;
        self
    }

    /// Steers most cases around the situations in which something was found: operations that would
    /// get into one are left out, so that one bug does not hide the others.
    pub fn steering(mut self) -> Self {
        self.steers = true;
        self
    }

    /// Runs `case`, adds the guest's edges to `edges` and the state features to `features`, and
    /// raises an alarm if something is wrong that this session has not reported yet.
    ///
    /// `edges` has [`EDGE_COUNTERS`] elements and `features` [`FEATURE_COUNTERS`]; the caller
    /// clears them between executions.
    ///
    /// # Errors
    /// A finding of a new bucket, minimised; or an alarm about Faultline itself.
    pub fn execute(
        &mut self,
        case: &Case,
        edges: &mut [u8],
        features: &mut [u8],
    ) -> Result<Execution, Alarm> {
        if self.steers {
            self.avoided = match self.totals.executions.is_multiple_of(STRAIGHT_ON) {
                true => Vec::new(),
                false => self.known.situations(),
            };
            self.runner.avoid(&self.avoided);
        }
        let outcome = self.runner.run(case);
        self.collect(edges, features);
        self.totals.executions += 1;
        self.totals.meter += outcome.meter;
        self.totals.instructions += outcome.instructions;
        let canary = self.runner.driver().canary();
        self.totals.reached += u64::from(canary.reached);
        self.totals.triggered += u64::from(canary.triggered);
        if self.totals.executions.is_multiple_of(DETERMINISM_SAMPLE) {
            self.repeat(case, &outcome)?;
        }
        if self.totals.executions == BITE_DEADLINE && !self.totals.meter.bites() {
            return Err(Alarm::Toothless {
                executions: self.totals.executions,
                meter: self.totals.meter,
            });
        }
        let Some(finding) = outcome.finding else {
            return Ok(Execution::Clean);
        };
        self.totals.findings += 1;
        let found = match self.steers && shows_late(&finding) {
            true => self.search_cause(case, finding),
            false => Some((case.clone(), finding, None)),
        };
        let Some((case, finding, cause)) = found else {
            return Ok(Execution::KnownFinding);
        };
        if !self.known.is_new(&finding, cause) {
            return Ok(Execution::KnownFinding);
        }
        Err(Alarm::Finding(Box::new(self.report(&case, finding, cause))))
    }

    /// Looks for the operation that a finding comes from which shows late: that of the shortest
    /// beginning of the case, found by halving, that has a finding of the same clause. Gives that
    /// beginning. `None`: the finding is known, and no more executions are to be spent on it.
    fn search_cause(
        &mut self,
        case: &Case,
        finding: Finding,
    ) -> Option<(Case, Finding, Option<Situation>)> {
        let spent = self.searched * SEARCHES > self.totals.executions;
        if self.known.has(&finding) && (spent || self.avoided.is_empty()) {
            return None;
        }
        // What shows without any operation comes from none.
        let nothing = Case::default();
        self.searched += 1;
        if let Some(at_once) = self.runner.run(&nothing).finding
            && at_once.clause == finding.clause
        {
            self.runner.driver_mut().machine_mut().edges_mut().fill(0);
            return (!self.known.has(&finding)).then_some((nothing, at_once, None));
        }
        let (mut right, mut wrong) = (0, case.operations.len());
        let mut shortest = (case.clone(), finding);
        while wrong - right > 1 {
            let middle = right + (wrong - right) / 2;
            let beginning = Case {
                operations: case.operations[..middle].to_vec(),
            };
            self.searched += 1;
            match self.runner.run(&beginning).finding {
                Some(finding) if finding.clause == shortest.1.clause => {
                    wrong = middle;
                    shortest = (beginning, finding);
                }
                _ => right = middle,
            }
        }
        let outcome = self.runner.run(&shortest.0);
        let last = self.runner.judge().last_situation();
        self.runner.driver_mut().machine_mut().edges_mut().fill(0);
        let finding = outcome.finding?;
        let cause = match finding.is_put_down() {
            true => finding.situation(),
            false => last,
        };
        Some((shortest.0, finding, cause))
    }

    /// The cases that part, in the first race of `case`, a read of the kernel's own data from the store
    /// that makes something of it, where another racer stores there under no common lock. None if it has
    /// no race, or its racers keep out of each other's way.
    pub fn aim(&mut self, case: &Case) -> Vec<Case> {
        let mut races = case.operations.iter().enumerate();
        let race = races.find_map(|(at, operation)| match operation.call {
            Call::Together { schedule } => Some((at, schedule)),
            _ => None,
        });
        let Some((at, schedule)) = race else {
            return Vec::new();
        };
        let under = |schedule| {
            let mut case = case.clone();
            case.operations[at].call = Call::Together { schedule };
            case
        };
        let mut aim = Aim {
            at,
            points: Vec::new(),
        };
        self.runner.avoid(&[]);
        let undisturbed = under(schedule.with_switches(&[]));
        self.runner.run_watched(&undisturbed, &mut aim);
        self.runner.driver_mut().machine_mut().edges_mut().fill(0);
        let points = aim.points.into_iter();
        points
            .map(|point| under(schedule.with_switches(&[point])))
            .collect()
    }

    /// What was done so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The guest, for locations of edges.
    pub fn guest(&self) -> &Arc<Guest> {
        &self.guest
    }

    /// The runner, to look into the machine.
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Moves the machine's edge counters to the caller's and leaves the machine's at zero.
    fn collect(&mut self, edges: &mut [u8], features: &mut [u8]) {
        let counted = self.runner.driver_mut().machine_mut().edges_mut();
        for (to, from) in edges.chunks_exact_mut(8).zip(counted.chunks_exact_mut(8)) {
            // Almost all of the map is zero: look at eight counters at once.
            if from != [0; 8] {
                for (to, from) in to.iter_mut().zip(from) {
                    *to = to.saturating_add(std::mem::take(from));
                }
            }
        }
        for feature in self.runner.features() {
            if let Some(counter) = features.get_mut(usize::from(*feature)) {
                *counter = counter.saturating_add(1);
            }
        }
    }

    fn repeat(&mut self, case: &Case, first: &Outcome) -> Result<(), Alarm> {
        self.totals.repeated += 1;
        let second = self.runner.run(case);
        let agree = first.instructions == second.instructions
            && first.finding.as_ref().map(bucket) == second.finding.as_ref().map(bucket);
        self.runner.driver_mut().machine_mut().edges_mut().fill(0);
        if agree {
            return Ok(());
        }
        Err(Alarm::NotDeterministic {
            first: first.instructions,
            second: second.instructions,
            case: case.clone(),
        })
    }

    fn report(&mut self, case: &Case, finding: Finding, cause: Option<Situation>) -> Report {
        let bucket = bucket(&finding);
        let mut case = case.clone();
        if self.steers {
            case = self.without_skipped(&case, &finding);
        }
        let minimised = self.minimise(&case, &bucket, finding.step, self.minimise_executions);
        let avoided = self.avoided.clone();
        self.describe(finding, bucket, minimised, cause, avoided, None)
    }

    /// Looks for a smaller case of a finding, with so many executions at most. False: there is none
    /// yet, nor is it known that there is none.
    pub fn shrink(&mut self, report: &mut Report, executions: u64) -> bool {
        self.runner.avoid(&report.avoided);
        let before = &report.minimised;
        let step = report.finding.step;
        let mut minimised = self.minimise(&before.case, &report.bucket, step, executions);
        minimised.operations_before = before.operations_before;
        minimised.executions += before.executions;
        if minimised.case == before.case && minimised.minimality == Minimality::BudgetSpent {
            self.runner.driver_mut().machine_mut().edges_mut().fill(0);
            report.minimised = minimised;
            return false;
        }
        let (finding, bucket) = (report.finding.clone(), report.bucket.clone());
        let avoided = report.avoided.clone();
        *report = self.describe(
            finding,
            bucket,
            minimised,
            report.cause,
            avoided,
            Some(report.slow),
        );
        true
    }

    fn minimise(
        &mut self,
        case: &Case,
        wanted: &Bucket,
        failed_at: Option<usize>,
        executions: u64,
    ) -> Minimised {
        let runner = &mut self.runner;
        let shows = |candidate: &Case| Some(bucket(runner.run(candidate).finding.as_ref()?));
        minimise(case, wanted, failed_at, executions, shows, |_, _| {})
    }

    /// The report of a finding with the case that was come by. `slow`: what a longer case of it was.
    fn describe(
        &mut self,
        mut finding: Finding,
        bucket: Bucket,
        minimised: Minimised,
        cause: Option<Situation>,
        avoided: Vec<Situation>,
        slow: Option<Option<Slow>>,
    ) -> Report {
        let outcome = self.runner.run(&minimised.case);
        if let Some(smallest) = outcome.finding {
            finding = smallest;
        }
        let has_died = finding.clause == Clause::ComesBack && self.runner.has_died(&finding);
        // A case that is to become smaller is explained when it has: to look closely takes long.
        let explanation = match self.steers && minimised.minimality == Minimality::BudgetSpent {
            true => Explanation::default(),
            false => explain(&mut self.runner, &minimised.case, &finding),
        };
        // To wait for one that never ends takes longer than hundreds of executions.
        let is_small = minimised.minimality == Minimality::Proved;
        let slow = match slow {
            _ if !slow::may_end(&finding) => None,
            Some(before) if !is_small => before,
            _ => slow::ends(&mut self.runner, &minimised.case),
        };
        self.runner.driver_mut().machine_mut().edges_mut().fill(0);
        Report {
            finding,
            bucket,
            minimised,
            explanation,
            cause,
            slow,
            has_died,
            avoided,
            instructions: outcome.instructions,
        }
    }

    /// The case without what was not performed, if it shows the same.
    fn without_skipped(&mut self, case: &Case, finding: &Finding) -> Case {
        let mut performed = Performed::default();
        self.runner.run_watched(case, &mut performed);
        let operations = case.operations.iter().enumerate();
        let operations = operations.filter(|(at, operation)| {
            let is_race = matches!(operation.call, oracle::Call::Together { .. });
            is_race || performed.indices.contains(at)
        });
        let shorter = Case {
            operations: operations.map(|(_, operation)| *operation).collect(),
        };
        let shown = self.runner.run(&shorter).finding;
        match shown.is_some_and(|shown| bucket(&shown) == bucket(finding)) {
            true => shorter,
            false => case.clone(),
        }
    }
}

/// Notes where the racers of one race meet.
struct Aim {
    /// Which `together` it is.
    at: usize,
    points: Vec<u32>,
}

impl Watch for Aim {
    fn before(&mut self, operations: Range<usize>, driver: &mut Driver) {
        if operations.start == self.at {
            driver.watch_next_race();
        }
    }

    fn after(&mut self, operations: Range<usize>, driver: &mut Driver) {
        if operations.start == self.at {
            self.points = driver.take_change_points();
        }
    }
}

/// Notes which operations of a case are performed.
#[derive(Default)]
struct Performed {
    indices: Vec<usize>,
}

impl Watch for Performed {
    fn step(
        &mut self,
        index: usize,
        _operation: &Operation,
        _step: &Step,
        _judge: &Judge,
        _observation: &Observation,
    ) {
        self.indices.push(index);
    }

    fn race(
        &mut self,
        index: usize,
        operations: &[Operation],
        _race: &oracle::Race,
        _judge: &Judge,
        _observation: &Observation,
    ) {
        self.indices.extend(index..index + operations.len());
    }
}

/// Whether a finding may come from an earlier operation than the one at which it shows.
fn shows_late(finding: &Finding) -> bool {
    match finding.clause {
        Clause::PageContent => finding.situation().is_none_or(|met| met.page.is_some()),
        Clause::FreshPageZero => true,
        _ => finding.situation().is_none(),
    }
}

/// Why a session could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file is missing.
    #[error(transparent)]
    Files(#[from] crate::guest::location::MissingGuest),
    /// The kernel did not come up.
    #[error(transparent)]
    Boot(#[from] BootError),
}
