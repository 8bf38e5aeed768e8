//! Cases that are a little different from the one of a finding. Some of them are right.

use oracle::generation::mutate;
use oracle::{Case, Profile};

/// At most `most` cases without one of the operations, which often takes the reason away, and as many mutations.
pub(super) fn neighbours(case: &Case, most: u64) -> impl Iterator<Item = Case> + '_ {
    let mutated = move |seed| {
        let mut other = case.clone();
        mutate(&mut other, seed, Profile::default());
        other
    };
    let few = case.operations.len().min(most as usize);
    let shorter = (0..few).map(|at| case.without(at..at + 1));
    shorter.chain((0..most).map(mutated))
}
