//! The cases that a check begins with.

use crate::case_file::{self, CaseFileError};
use crate::triage::operations::Service;
use oracle::Case;
use std::path::Path;

/// The seeds of the corpus, the cheapest first: cheap cases show many bugs before the first expensive case ends.
///
/// # Errors
/// A seed cannot be read.
pub fn built_in() -> Result<Vec<Case>, CaseFileError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/seeds");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut seeds = case_file::read_all(&[folder])?;
    seeds.sort_by_key(cost);
    Ok(seeds)
}

/// The approximate cost of a case on a C kernel. The cheapest operation costs 1.
fn cost(case: &Case) -> u64 {
    let operations = case.operations.iter();
    let costs = operations.map(|operation| Service::of(operation.call.kind()).cost);
    costs.sum()
}
