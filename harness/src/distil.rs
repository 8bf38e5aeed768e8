//! Distilling: a few cases that together cover as much as many.

use crate::counters::{EDGE_COUNTERS, FEATURE_COUNTERS};
use crate::fuzzing::{Execution, Session};
use crate::guest::Guest;
use oracle::Case;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// The result of distilling.
#[derive(Debug)]
pub struct Distilled {
    /// The indices of the cases to keep, in ascending order.
    pub kept: Vec<usize>,
    /// Edges of the kernel that they cover: as many as all cases together.
    pub edges: usize,
    /// State features that they cover: as many as all cases together.
    pub features: usize,
    /// Cases with a finding, which cover nothing: a case that fails is not a good start for new ones.
    pub findings: usize,
}

/// Runs `cases` on `guest`, in parallel, and chooses a few short ones that together cover every
/// edge and every state feature that any of them covers. `tell` is called after each, from any
/// thread.
///
/// The smallest such set is hard to find (set cover). This is the greedy choice: it repeatedly takes
/// the case that adds most for its length, and then drops those that later ones made unnecessary.
pub fn distil(guest: &Arc<Guest>, cases: &[Case], tell: impl Fn() + Sync) -> Distilled {
    let covered: Vec<Option<Vec<u32>>> = cases
        .par_iter()
        .map_init(
            || Tracer::new(guest),
            |tracer, case| {
                let covered = tracer.covered(case);
                tell();
                covered
            },
        )
        .collect();
    let findings = covered.iter().filter(|covered| covered.is_none()).count();
    let sets: Vec<Vec<u32>> = covered.into_iter().map(Option::unwrap_or_default).collect();
    let costs: Vec<usize> = cases.iter().map(|case| 1 + case.operations.len()).collect();
    let kept = cover(&sets, &costs);
    let mut all = [false; EDGE_COUNTERS + FEATURE_COUNTERS];
    let points = kept.iter().flat_map(|at| &sets[*at]);
    points.for_each(|point| all[*point as usize] = true);
    let count = |of: &[bool]| of.iter().filter(|covered| **covered).count();
    Distilled {
        edges: count(&all[..EDGE_COUNTERS]),
        features: count(&all[EDGE_COUNTERS..]),
        kept,
        findings,
    }
}

/// A kernel, and room for what a case covers on it.
struct Tracer {
    session: Session,
    edges: Vec<u8>,
    features: Vec<u8>,
}

impl Tracer {
    fn new(guest: &Arc<Guest>) -> Self {
        Self {
            session: Session::new(Arc::clone(guest)).as_found(),
            edges: vec![0; EDGE_COUNTERS],
            features: vec![0; FEATURE_COUNTERS],
        }
    }

    /// The edges and features that `case` covers; `None` if something goes wrong.
    fn covered(&mut self, case: &Case) -> Option<Vec<u32>> {
        self.edges.fill(0);
        self.features.fill(0);
        let result = self
            .session
            .execute(case, &mut self.edges, &mut self.features);
        if !matches!(result, Ok(Execution::Clean)) {
            return None;
        }
        let counters = self.edges.iter().chain(&self.features).zip(0..);
        let covered = counters.filter(|(count, _)| **count != 0);
        Some(covered.map(|(_, point)| point).collect())
    }
}

/// The indices of a few cheap sets that together have all elements of `sets`, in ascending order.
/// No element is as large as the number of all counters.
fn cover(sets: &[Vec<u32>], costs: &[usize]) -> Vec<usize> {
    let mut holders = vec![0u32; EDGE_COUNTERS + FEATURE_COUNTERS];
    let gain = |at: usize, holders: &[u32]| {
        let new = sets[at]
            .iter()
            .filter(|point| holders[**point as usize] == 0);
        let new = new.count();
        // Whole numbers, so that every run makes the same choice: elements for a thousand operations.
        (new, 1000 * new / costs[at])
    };
    // A gain can only shrink when others are chosen, so it is computed again when its turn comes.
    let mut queue: BinaryHeap<(usize, Reverse<usize>)> = (0..sets.len())
        .map(|at| (gain(at, &holders).1, Reverse(at)))
        .collect();
    let mut chosen = Vec::new();
    while let Some((expected, Reverse(at))) = queue.pop() {
        let (new, worth) = gain(at, &holders);
        if new == 0 {
            continue;
        }
        if worth < expected {
            queue.push((worth, Reverse(at)));
            continue;
        }
        let points = sets[at].iter();
        points.for_each(|point| holders[*point as usize] += 1);
        chosen.push(at);
    }
    // Later choices may cover all that an early one covered: the most expensive go first.
    chosen.sort_by_key(|at| (Reverse(costs[*at]), *at));
    chosen.retain(|at| {
        let needed = sets[*at].iter().any(|point| holders[*point as usize] == 1);
        if !needed {
            let points = sets[*at].iter();
            points.for_each(|point| holders[*point as usize] -= 1);
        }
        needed
    });
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::cover;

    #[test]
    fn what_others_cover_is_left_out() {
        let sets = [vec![1, 2], vec![2, 3], vec![1, 2, 3], vec![], vec![9]];
        assert_eq!(cover(&sets, &[1, 1, 1, 1, 1]), [2, 4]);
        assert_eq!(cover(&sets, &[1, 1, 5, 1, 1]), [0, 1, 4]);
        assert!(cover(&[], &[]).is_empty());
    }

    #[test]
    fn early_choices_are_taken_back() {
        // The first adds most at once, and is unnecessary after both others were chosen.
        let sets = [vec![1, 2, 3, 4], vec![1, 2, 5, 6, 7], vec![3, 4, 8, 9, 10]];
        assert_eq!(cover(&sets, &[3, 4, 4]), [1, 2]);
    }

    #[test]
    fn everything_stays_covered() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..50 {
            // As in the sets of cases: each point once.
            let sets: Vec<Vec<u32>> = (0..40)
                .map(|_| {
                    let count = random.usize(..20);
                    random.choose_multiple(0..200, count)
                })
                .collect();
            let costs: Vec<usize> = sets.iter().map(|_| random.usize(1..50)).collect();
            let kept = cover(&sets, &costs);
            let mut all: Vec<u32> = sets.concat();
            let mut covered: Vec<u32> = kept.iter().flat_map(|at| sets[*at].clone()).collect();
            for points in [&mut all, &mut covered] {
                points.sort_unstable();
                points.dedup();
            }
            assert_eq!(all, covered);
            for left_out in &kept {
                let others = kept.iter().filter(|at| *at != left_out);
                let mut rest: Vec<u32> = others.flat_map(|at| sets[*at].clone()).collect();
                rest.sort_unstable();
                rest.dedup();
                assert!(rest.len() < all.len(), "{left_out} is needless");
            }
        }
    }
}
