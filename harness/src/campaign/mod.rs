//! Our own fuzz engine: coverage-guided, parallel, on the stable toolchain.
//!
//! A campaign is a sequence of rounds. At the start of a round its [course](course) says what to do: cases
//! to run, races to examine, findings to make smaller. All threads share this work. At the end the
//! results are taken over in the order of the tasks, whichever thread was done first. So a campaign depends
//! on its seed and on its work, and neither on the number of threads nor on the load of the machine.
//!
//! A case that covers something new joins the pool. The engines of `fuzz/` run the same sessions over the
//! same corpus; this one needs nothing but `cargo`, so that any CI can use it.

mod aimed;
mod budget;
mod course;
mod coverage;
pub mod folder;
mod opening;
mod plan;
mod pool;
mod round;
mod shrinking;
mod summary;
mod sweep;
mod task;

pub use budget::{Budget, EndedBy};
pub use plan::{Minimising, Plan};
pub use summary::{Broken, Summary};

use crate::fuzzing::{Progress, Session};
use crate::guest::Guest;
use course::Course;
use folder::Effort;
use std::sync::Arc;

/// The name of the engine in findings.
const NAME: &str = "faultline campaign";

/// Runs a campaign on `guest`. `tell` is called from time to time, from any thread, with the progress.
///
/// # Errors
/// Says why it broke off. A finding is not an error.
pub fn run(
    guest: &Arc<Guest>,
    plan: &Plan,
    tell: impl Fn(&Progress<'_>) + Sync,
) -> Result<Summary, Broken> {
    let corpus = plan.corpus.as_deref();
    let before = corpus.map(folder::effort).unwrap_or_default();
    let mut sessions: Vec<Session> = (0..plan.jobs.max(1))
        .map(|_| session(guest, plan))
        .collect();
    let mut course = Course::new(guest, plan, before.executions);
    let ended_by = loop {
        if let Some(ended_by) = course.ended_by() {
            break ended_by;
        }
        let tasks = course.next_round();
        let results = round::run(&course, &mut sessions, &tasks, &tell);
        course.take_over(results)?;
        tell(&course.progress(&course.totals));
    };
    let seconds = course.elapsed().as_secs_f64();
    let effort = Effort {
        campaigns: before.campaigns + 1,
        executions: before.executions + course.totals.executions,
        seconds: before.seconds + seconds,
    };
    if let Some(folder) = corpus {
        folder::write_effort(folder, &effort).map_err(|error| Broken::write(folder, error))?;
    }
    let features = course.coverage.features();
    Ok(Summary {
        totals: course.totals,
        work: course.work,
        ended_by,
        battery: course.battery(),
        battery_left: course.battery_left(),
        seeds_left: course.seeds_left(),
        seconds,
        edges: course.coverage.edges(),
        features: features.len(),
        features_met: features,
        pool: course.pool.len(),
        pool_operations: course.pool.operations(),
        effort,
        never_run: course.reached.never_run(),
        findings: course.findings,
    })
}

/// A session as the campaign needs it.
fn session(guest: &Arc<Guest>, plan: &Plan) -> Session {
    let mut session = Session::new(Arc::clone(guest));
    if plan.minimising != Minimising::AtOnce {
        session = session.as_found();
    }
    if plan.steer {
        session = session.steering();
    }
    session
}
