//! Our own fuzz engine: coverage-guided, parallel, on the stable toolchain.
//!
//! Every thread has a kernel of its own; what they share is the coverage, the cases to make new ones from,
//! and what was found. A case that covers something new joins the pool. The engines of `fuzz/` run
//! the same sessions over the same corpus; this one needs nothing but `cargo`, so that any CI can
//! use it.

mod aimed;
mod coverage;
pub mod folder;
mod log;
mod plan;
mod pool;
mod shrinking;
mod summary;
mod threads;

pub use plan::{Minimising, Plan};
pub use summary::{Broken, Summary};

use crate::fuzzing::Progress;
use crate::guest::Guest;
use folder::Effort;
use std::sync::Arc;
use threads::Shared;

/// The name that findings give as what found them.
const NAME: &str = "faultline campaign";

/// Runs a campaign on `guest`. `tell` is called sometimes, from any thread, with how far it is.
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
    let shared = Shared::new(plan, before.executions);
    rayon::scope(|scope| {
        for number in 0..plan.jobs.max(1) {
            let (shared, tell) = (&shared, &tell);
            scope.spawn(move |_| shared.work(guest, number, tell));
        }
    });
    let seconds = shared.started.elapsed().as_secs_f64();
    let (edges, features) = (shared.coverage.edges(), shared.coverage.features());
    let (pool, pool_operations) = (shared.pool.len(), shared.pool.operations());
    let log = shared.into_log();
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
