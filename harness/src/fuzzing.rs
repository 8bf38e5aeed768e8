//! The bodies of the fuzz targets, without any fuzz engine.
//!
//! A target under `fuzz/` is glue: it hands bytes to [`Session::execute`] and the counters to its
//! engine. What runs is here, so that `cargo test` on stable replays the same code.

use crate::explain::{Explanation, explain};
use crate::guest::location::GuestFiles;
use crate::guest::{BootError, Guest};
use crate::minimise::{Minimised, minimise};
use crate::runner::{Outcome, Runner};
use oracle::{BiteMeter, Bucket, Case, Dialect, Finding, Situation, bucket};
use std::collections::HashSet;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, PoisonError};

/// Counters for edges of the guest kernel.
pub const EDGE_COUNTERS: usize = 1 << 16;
/// Counters for state features: which operation met which state of a page, with which outcome.
pub const FEATURE_COUNTERS: usize = 1 << 13;

/// One case in so many is run twice, and both runs must agree to the instruction.
const DETERMINISM_SAMPLE: u64 = 1000;

/// Executions spent on making a finding small before it is reported.
const MINIMISE_EXECUTIONS: u64 = 4000;

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
}

/// Buckets that were reported already, by one session or by several that share this.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<Mutex<Reported>>);

#[derive(Debug, Default)]
struct Reported {
    buckets: HashSet<Bucket>,
    /// Where they were found.
    situations: Vec<Situation>,
}

impl Known {
    /// Whether the bucket of `finding` is new; from now on it is not.
    fn is_new(&self, finding: &Finding) -> bool {
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(situation) = finding.situation()
            && !reported.situations.contains(&situation)
        {
            reported.situations.push(situation);
        }
        reported.buckets.insert(bucket(finding))
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
    /// Cases in which the code that a seeded bug changes ran: see [`crate::engine::Canary`].
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

/// A finding with the smallest case that shows it.
#[derive(Debug)]
pub struct Report {
    /// What is wrong, as the smallest case shows it.
    pub finding: Finding,
    /// Its signature.
    pub bucket: Bucket,
    /// The smallest case, and how it was come by.
    pub minimised: Minimised,
    /// Where in the kernel it went wrong.
    pub explanation: Explanation,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.finding)?;
        writeln!(f, "bucket: {}", self.bucket)?;
        write!(f, "\n{}", self.minimised.case)
    }
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
            let situations = match self.totals.executions.is_multiple_of(STRAIGHT_ON) {
                true => Vec::new(),
                false => self.known.situations(),
            };
            self.runner.avoid(&situations);
        }
        let outcome = self.runner.run(case);
        self.collect(edges, features);
        self.totals.executions += 1;
        self.totals.meter += outcome.meter;
        self.totals.instructions += outcome.instructions;
        let canary = self.runner.engine().canary();
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
        if !self.known.is_new(&finding) {
            return Ok(Execution::KnownFinding);
        }
        Err(Alarm::Finding(Box::new(self.report(case, finding))))
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
        let counted = self.runner.engine_mut().machine_mut().edges_mut();
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
        self.runner.engine_mut().machine_mut().edges_mut().fill(0);
        if agree {
            return Ok(());
        }
        Err(Alarm::NotDeterministic {
            first: first.instructions,
            second: second.instructions,
            case: case.clone(),
        })
    }

    fn report(&mut self, case: &Case, finding: Finding) -> Report {
        let wanted = bucket(&finding);
        let mut smallest = finding.clone();
        let runner = &mut self.runner;
        let minimised = minimise(
            case,
            &wanted,
            finding.step,
            self.minimise_executions,
            |candidate| Some(bucket(runner.run(candidate).finding.as_ref()?)),
            |_, _| {},
        );
        if let Some(finding) = runner.run(&minimised.case).finding {
            smallest = finding;
        }
        let explanation = explain(runner, &minimised.case, &smallest);
        self.runner.engine_mut().machine_mut().edges_mut().fill(0);
        Report {
            finding: smallest,
            bucket: wanted,
            minimised,
            explanation,
        }
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
