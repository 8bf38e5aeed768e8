//! What all threads of a campaign have covered together.

use crate::fuzzing::{EDGE_COUNTERS, FEATURE_COUNTERS};
use std::sync::atomic::{AtomicU8, Ordering};

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

    /// Adds what a case covered; whether any of it is new.
    pub(super) fn add(&self, edges: &[u8], features: &[u8]) -> bool {
        // Not short-circuited: both maps are to learn.
        merge(&self.edges, edges) | merge(&self.features, features)
    }

    /// Edges that some case took.
    pub(super) fn edges(&self) -> usize {
        let taken = |seen: &&AtomicU8| seen.load(Ordering::Relaxed) != 0;
        self.edges.iter().filter(taken).count()
    }
}

fn merge(seen: &[AtomicU8], counters: &[u8]) -> bool {
    let mut new = false;
    for (seen, counters) in seen.chunks_exact(8).zip(counters.chunks_exact(8)) {
        // Almost all of the map is zero: look at eight counters at once.
        if counters == [0; 8] {
            continue;
        }
        for (seen, count) in seen.iter().zip(counters) {
            let class = class(*count);
            // Almost always there is nothing new: a load is cheaper than an exchange.
            if seen.load(Ordering::Relaxed) & class != class {
                new |= seen.fetch_or(class, Ordering::Relaxed) & class != class;
            }
        }
    }
    new
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
        assert!(!coverage.add(&edges, &features));
        edges[17] = 1;
        assert!(coverage.add(&edges, &features));
        assert!(!coverage.add(&edges, &features));
        edges[17] = 5;
        assert!(coverage.add(&edges, &features), "another class of counts");
        edges[17] = 6;
        assert!(!coverage.add(&edges, &features));
        features[4095] = 1;
        assert!(coverage.add(&edges, &features));
        assert_eq!(coverage.edges(), 1);
    }
}
