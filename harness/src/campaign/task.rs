//! Tasks: what a thread does in a round, and the results.
//!
//! The result of a task depends on nothing but the task and the course of the campaign before the round.

use super::course::Course;
use super::coverage::Point;
use super::opening::Part;
use super::pool::Member;
use super::shrinking::Pending;
use crate::case_maker::CaseMaker;
use crate::counters::{EDGE_COUNTERS, FEATURE_COUNTERS};
use crate::fuzzing::{Alarm, Before, Execution, Session, Totals};
use crate::triage::Report;
use oracle::{Case, Profile, Reached};
use std::fmt;
use std::sync::Arc;

/// One of so many cases has no parent.
const FRESH: u32 = 20;
/// Operations of a case made from nothing, at most.
const FRESH_OPERATIONS: u32 = 64;

/// A race that is watched instruction by instruction takes about so many times as long as one that is not.
const WATCHED: u64 = 16;

/// Spreads the numbers of cases over all 64 bits: 2^64 divided by the golden ratio.
pub(super) const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// One thing to do.
pub(super) enum Task {
    /// Make a finding a little smaller.
    Shrink(Pending),
    /// Examine the race of a case.
    Examine(Case),
    /// Watch a small race, to find its change points.
    Watch(Case),
    /// Run an existing case.
    Run(Case, Source),
    /// Run a case of the battery.
    Open(Part),
    /// Make a case for a target, and run it.
    Make(Profile),
}

/// Where a case comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The battery.
    Battery,
    /// The cases that the campaign was given.
    Seed,
    /// The sweep of small races.
    Sweep,
    /// It was made for a target.
    Target(Profile),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Battery => f.write_str("the battery"),
            Source::Seed => f.write_str("a seed"),
            Source::Sweep => f.write_str("the sweep of small races"),
            Source::Target(target) => target.fmt(f),
        }
    }
}

/// A case that was run, and where it comes from.
pub(super) struct Candidate {
    pub(super) case: Case,
    /// The case that it was made from, if that is in the pool.
    pub(super) parent: Option<Arc<Member>>,
    pub(super) source: Source,
}

/// The result of a task.
pub(super) struct Done {
    pub(super) what: What,
    /// What was run.
    pub(super) totals: Totals,
    /// Executions spent on the search for causes.
    pub(super) searched: u64,
    /// The work that was done.
    pub(super) work: u64,
    /// Which operations were run.
    pub(super) reached: Reached,
    /// What of that counts as the sweep's.
    pub(super) swept: u64,
    /// The case of the battery that was run, if a finding has cut it short, and the operation at which it did.
    pub(super) cut: Option<(Part, usize)>,
}

/// The result of a task of each kind.
pub(super) enum What {
    /// A report, which may be smaller, and whether there is anything new in it.
    Shrunk {
        pending: Pending,
        report: Box<Report>,
        has_news: bool,
    },
    /// The cases that pre-empt the racers where they conflict.
    Examined(Vec<Case>),
    /// The cases that switch between the racers wherever that makes a difference.
    Watched(Vec<Case>),
    /// A case that showed nothing wrong, or nothing new.
    Ran {
        candidate: Candidate,
        /// What it covered that no case of an earlier round has.
        new: Vec<Point>,
        /// Whether it can take its parent's place.
        replaces: bool,
    },
    /// A case, which came from there, raised an alarm.
    Raised(Alarm, Source),
}

/// A thread's session, and room for what a case covers.
pub(super) struct Worker<'a> {
    session: &'a mut Session,
    edges: Vec<u8>,
    features: Vec<u8>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(session: &'a mut Session) -> Self {
        Self {
            session,
            edges: vec![0; EDGE_COUNTERS],
            features: vec![0; FEATURE_COUNTERS],
        }
    }

    /// Does a task; so many executions were begun before it.
    pub(super) fn perform(&mut self, task: &Task, begun: u64, course: &Course<'_>) -> Done {
        let mut totals = course.totals;
        totals.executions = begun;
        self.session.resume(&Before {
            totals,
            known: course.known.clone(),
            searched: course.searched,
        });
        let work_before = self.session.runner().work();
        let mut cut = None;
        let what = match task {
            Task::Shrink(pending) => self.shrink(*pending, course),
            Task::Examine(case) => What::Examined(self.session.aim(case)),
            Task::Watch(case) => What::Watched(self.session.sweep(case)),
            Task::Run(case, source) => self.run(existing(case, *source), course),
            Task::Open(part) => {
                let what = self.run(existing(&part.case, Source::Battery), course);
                cut = self.session.cut_at().map(|at| (part.clone(), at));
                what
            }
            Task::Make(target) => self.run(make(*target, begun, course), course),
        };
        let work = self.session.runner().work() - work_before;
        Done {
            what,
            totals: *self.session.totals(),
            searched: self.session.searched() - course.searched,
            work,
            reached: self.session.reached().clone(),
            swept: match task {
                Task::Watch(_) => work * WATCHED,
                Task::Run(_, Source::Sweep) => work,
                Task::Shrink(_)
                | Task::Examine(_)
                | Task::Run(..)
                | Task::Open(_)
                | Task::Make(_) => 0,
            },
            cut,
        }
    }

    fn shrink(&mut self, pending: Pending, course: &Course<'_>) -> What {
        let mut report = Box::new(course.findings[pending.number].report.clone());
        match self.session.shrink(&mut report, pending.slice) {
            Ok(has_news) => What::Shrunk {
                pending,
                report,
                has_news,
            },
            Err(alarm) => What::Raised(alarm, Source::Seed),
        }
    }

    fn run(&mut self, candidate: Candidate, course: &Course<'_>) -> What {
        let (edges, features) = (&mut self.edges, &mut self.features);
        edges.fill(0);
        features.fill(0);
        let result = self.session.execute(&candidate.case, edges, features);
        let is_clean = match result {
            Ok(execution) => execution == Execution::Clean,
            Err(alarm) => return What::Raised(alarm, candidate.source),
        };
        let mut new = Vec::new();
        let mut replaces = false;
        if is_clean {
            new = course.coverage.news(edges, features);
            let parent = candidate.parent.as_ref();
            let gives_way =
                |parent: &Arc<Member>| parent.gives_way_to(&candidate.case, edges, features);
            replaces = parent.is_some_and(gives_way);
        }
        What::Ran {
            candidate,
            new,
            replaces,
        }
    }
}

/// A case that was not made from another one.
fn existing(case: &Case, source: Source) -> Candidate {
    Candidate {
        case: case.clone(),
        parent: None,
        source,
    }
}

/// Makes the case of that number: mostly a child of cases in the pool, sometimes a new one.
fn make(target: Profile, number: u64, course: &Course<'_>) -> Candidate {
    let seed = course.seed.wrapping_add(number.wrapping_mul(SPREAD));
    let mut random = fastrand::Rng::with_seed(seed);
    let maker = CaseMaker { target };
    let parent = match random.u32(..FRESH) {
        0 => None,
        _ => course.pool.pick(&mut random),
    };
    let case = match &parent {
        Some(parent) => {
            let other = |random: &mut fastrand::Rng| Some(course.pool.pick(random)?.case.clone());
            maker.child(&parent.case, other, &mut random)
        }
        None => maker.fresh(random.u32(1..=FRESH_OPERATIONS), &mut random),
    };
    Candidate {
        case,
        parent,
        source: Source::Target(target),
    }
}
