//! Replaying many cases in parallel: one driver a thread, results in the order of the input.

use crate::case_file::{self, CaseFileError};
use crate::guest::Guest;
use crate::runner::{Outcome, Runner};
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// The result for one file.
pub struct Replayed {
    /// The case file.
    pub path: PathBuf,
    /// Its outcome, or why it could not be read.
    pub result: Result<Outcome, CaseFileError>,
}

/// Runs every case of `paths`; `done` is called, from any thread, as each is finished. The order
/// of the result is that of `paths`, whatever the threads did.
pub fn replay(guest: &Arc<Guest>, paths: &[PathBuf], done: impl Fn() + Sync) -> Vec<Replayed> {
    paths
        .par_iter()
        .map_init(
            || Runner::new(guest),
            |runner, path| {
                let result = case_file::read(path).map(|case| runner.run(&case));
                done();
                Replayed {
                    path: path.clone(),
                    result,
                }
            },
        )
        .collect()
}
