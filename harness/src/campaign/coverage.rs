//! What the cases of a campaign have covered together.

use crate::counters::{EDGE_COUNTERS, FEATURE_COUNTERS, for_each_counted};

/// An edge or a state feature with a class of counts: eight a counter, edges first.
pub(super) type Point = u32;

/// Classes of counts.
const CLASSES: u32 = 8;

/// For each edge and each state feature, the classes of counts that some case had.
pub(super) struct Coverage {
    edges: Box<[u8]>,
    features: Box<[u8]>,
    /// How many edges some case took.
    edges_taken: usize,
}

impl Coverage {
    pub(super) fn new() -> Self {
        Self {
            edges: vec![0; EDGE_COUNTERS].into(),
            features: vec![0; FEATURE_COUNTERS].into(),
            edges_taken: 0,
        }
    }

    /// What is new in what a case covered.
    pub(super) fn news(&self, edges: &[u8], features: &[u8]) -> Vec<Point> {
        let mut new = Vec::new();
        find_news(&self.edges, edges, 0, &mut new);
        find_news(&self.features, features, EDGE_COUNTERS, &mut new);
        new
    }

    /// Adds what was new when a case was run, and leaves in `new` what still is.
    pub(super) fn add(&mut self, new: &mut Vec<Point>) {
        new.retain(|point| {
            let at = (point / CLASSES) as usize;
            let seen = match self.edges.get_mut(at) {
                Some(seen) => seen,
                None => &mut self.features[at - EDGE_COUNTERS],
            };
            let class = 1 << (point % CLASSES);
            let is_new = *seen & class == 0;
            self.edges_taken += usize::from(*seen == 0 && at < EDGE_COUNTERS);
            *seen |= class;
            is_new
        });
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
        self.edges_taken
    }

    /// The numbers of the state features that some case had, in ascending order.
    pub(super) fn features(&self) -> Vec<u16> {
        let seen = self.features.iter().zip(0..);
        seen.filter_map(|(seen, number)| (*seen != 0).then_some(number))
            .collect()
    }
}

/// The points in `counters` that were not `seen` yet; the first counter is number `base` of all.
fn find_news(seen: &[u8], counters: &[u8], base: usize, new: &mut Vec<Point>) {
    for_each_counted(counters, |at, count| {
        let class = class(count);
        if seen[at] & class == 0 {
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
        let mut coverage = Coverage::new();
        let (mut edges, mut features) = (vec![0; EDGE_COUNTERS], vec![0; FEATURE_COUNTERS]);
        let mut add = |edges: &[u8], features: &[u8]| {
            let mut new = coverage.news(edges, features);
            coverage.add(&mut new);
            new
        };
        assert!(add(&edges, &features).is_empty());
        edges[17] = 1;
        let first = add(&edges, &features);
        assert_eq!(first.len(), 1);
        assert!(add(&edges, &features).is_empty());
        assert!(Coverage::holds(&first, &edges, &features));
        edges[17] = 5;
        assert!(!Coverage::holds(&first, &edges, &features));
        let second = add(&edges, &features);
        assert_eq!(second.len(), 1, "another class of counts");
        edges[17] = 6;
        assert!(add(&edges, &features).is_empty());
        assert!(Coverage::holds(&second, &edges, &features));
        features[FEATURE_COUNTERS - 1] = 1;
        let third = add(&edges, &features);
        assert!(Coverage::holds(&third, &edges, &features));
        features[FEATURE_COUNTERS - 1] = 0;
        assert!(!Coverage::holds(&third, &edges, &features));
        assert_eq!((coverage.edges(), coverage.features().len()), (1, 1));
    }

    #[test]
    fn of_two_cases_of_a_round_the_first_is_the_one_that_covers_something_new() {
        let mut coverage = Coverage::new();
        let (mut edges, features) = (vec![0; EDGE_COUNTERS], vec![0; FEATURE_COUNTERS]);
        edges[3] = 1;
        let mut first = coverage.news(&edges, &features);
        edges[4] = 1;
        let mut second = coverage.news(&edges, &features);
        coverage.add(&mut first);
        coverage.add(&mut second);
        assert_eq!((first.len(), second.len()), (1, 1));
        assert_ne!(first, second);
    }
}
