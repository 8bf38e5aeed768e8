//! What all threads of a campaign have covered together.

use crate::counters::{EDGE_COUNTERS, FEATURE_COUNTERS, for_each_counted};
use std::sync::atomic::{AtomicU8, Ordering};

/// An edge or a state feature with a class of counts: eight a counter, edges first.
pub(super) type Point = u32;

/// Classes of counts.
const CLASSES: u32 = 8;

/// For each edge and each state feature, the classes of counts that some case had.
pub(super) struct Coverage {
    edges: Box<[AtomicU8]>,
    features: Box<[AtomicU8]>,
}

impl Coverage {
    pub(super) fn new() -> Self {
        let zeros = |count| (0..count).map(|_| AtomicU8::new(0)).collect();
        Self {
            edges: zeros(EDGE_COUNTERS),
            features: zeros(FEATURE_COUNTERS),
        }
    }

    /// Adds what a case covered, and gives what of it is new.
    pub(super) fn add(&self, edges: &[u8], features: &[u8]) -> Vec<Point> {
        let mut new = Vec::new();
        merge(&self.edges, edges, 0, &mut new);
        merge(&self.features, features, EDGE_COUNTERS, &mut new);
        new
    }

    /// Whether a case with these counters covers all of `points`.
    pub(super) fn holds(points: &[Point], edges: &[u8], features: &[u8]) -> bool {
        points.iter().all(|point| {
            let at = (point / CLASSES) as usize;
            let count = match edges.get(at) {
                Some(count) => *count,
                None => features[at - EDGE_COUNTERS],
            };
            class(count) & 1 << (point % CLASSES) != 0
        })
    }

    /// Edges that some case took.
    pub(super) fn edges(&self) -> usize {
        count(&self.edges)
    }

    /// State features that some case had.
    pub(super) fn features(&self) -> usize {
        count(&self.features)
    }
}

fn count(seen: &[AtomicU8]) -> usize {
    let taken = |seen: &&AtomicU8| seen.load(Ordering::Relaxed) != 0;
    seen.iter().filter(taken).count()
}

/// Adds `counters` to what was `seen` of them; the first is number `base` of all.
fn merge(seen: &[AtomicU8], counters: &[u8], base: usize, new: &mut Vec<Point>) {
    for_each_counted(counters, |at, count| {
        let class = class(count);
        // Almost always there is nothing new: a load is cheaper than an exchange.
        if seen[at].load(Ordering::Relaxed) & class != class
            && seen[at].fetch_or(class, Ordering::Relaxed) & class != class
        {
            new.push((base + at) as Point * CLASSES + class.trailing_zeros());
        }
    });
}

/// Counts that differ little are one class; the classes are AFL's. A bit for each.
fn class(count: u8) -> u8 {
    match count {
        0 => 0,
        1 => 1,
        2 => 1 << 1,
        3 => 1 << 2,
        4..=7 => 1 << 3,
        8..=15 => 1 << 4,
        16..=31 => 1 << 5,
        32..=127 => 1 << 6,
        _ => 1 << 7,
    }
}

#[cfg(test)]
mod tests {
    use super::{Coverage, EDGE_COUNTERS, FEATURE_COUNTERS};

    #[test]
    fn only_what_was_never_seen_is_new() {
        let coverage = Coverage::new();
        let (mut edges, mut features) = (vec![0; EDGE_COUNTERS], vec![0; FEATURE_COUNTERS]);
        assert!(coverage.add(&edges, &features).is_empty());
        edges[17] = 1;
        let first = coverage.add(&edges, &features);
        assert_eq!(first.len(), 1);
        assert!(coverage.add(&edges, &features).is_empty());
        assert!(Coverage::holds(&first, &edges, &features));
        edges[17] = 5;
        assert!(!Coverage::holds(&first, &edges, &features));
        let second = coverage.add(&edges, &features);
        assert_eq!(second.len(), 1, "another class of counts");
        edges[17] = 6;
        assert!(coverage.add(&edges, &features).is_empty());
        assert!(Coverage::holds(&second, &edges, &features));
        features[FEATURE_COUNTERS - 1] = 1;
        let third = coverage.add(&edges, &features);
        assert!(Coverage::holds(&third, &edges, &features));
        features[FEATURE_COUNTERS - 1] = 0;
        assert!(!Coverage::holds(&third, &edges, &features));
        assert_eq!((coverage.edges(), coverage.features()), (1, 1));
    }
}
