//! Replaying many cases in parallel: one driver for each thread, results in the order of the input.

use crate::case_file::{self, CaseFileError};
use crate::guest::Guest;
use crate::runner::{BrokenMachine, Outcome, Runner};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a case has no outcome.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ReplayError {
    /// Its file cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] CaseFileError),
    /// Faultline itself cannot be trusted.
    #[error(transparent)]
    Machine(#[from] BrokenMachine),
}

/// The result for one file.
pub struct Replayed {
    /// The case file.
    pub path: PathBuf,
    /// Its outcome, or why it has none.
    pub result: Result<Outcome, ReplayError>,
}

/// Runs every case of `paths`; `done` is called, from any thread, as each is finished. The order
/// of the result is that of `paths`, no matter how the threads ran.
pub fn replay(guest: &Arc<Guest>, paths: &[PathBuf], done: impl Fn() + Sync) -> Vec<Replayed> {
    paths
        .par_iter()
        .map_init(
            || Runner::new(guest),
            |runner, path| {
                let result = run(runner, path);
                done();
                Replayed {
                    path: path.clone(),
                    result,
                }
            },
        )
        .collect()
}

fn run(runner: &mut Runner, path: &Path) -> Result<Outcome, ReplayError> {
    let outcome = runner.run(&case_file::read(path)?);
    runner.check_machine()?;
    Ok(outcome)
}
