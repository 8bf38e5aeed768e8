//! Counters of what a case covers: edges of the guest kernel, and state features.
//!
//! Fuzz engines bring the memory for them: libFuzzer and AFL++ keep it where they look for it.

/// Counters for edges of the guest kernel.
pub const EDGE_COUNTERS: usize = 1 << 16;
/// Counters for state features: which operation met which state of a page, with which outcome.
pub const FEATURE_COUNTERS: usize = 1 << 13;

/// Counters that are looked at together. Almost all of them are zero.
const GROUP: usize = 8;

/// Calls `tell` with the place and the count of each counter that is not zero, in ascending order.
///
/// Counters beyond the last whole group of eight are not looked at; the numbers above have none.
#[inline]
pub fn for_each_counted(counters: &[u8], mut tell: impl FnMut(usize, u8)) {
    for (group, counters) in counters.chunks_exact(GROUP).enumerate() {
        if counters == [0; GROUP] {
            continue;
        }
        for (at, count) in counters.iter().enumerate().filter(|(_, count)| **count > 0) {
            tell(GROUP * group + at, *count);
        }
    }
}

/// Adds the counts of `from` to those of `to`, which stop at 255, and leaves `from` at zero.
#[inline]
pub(crate) fn move_counts(from: &mut [u8], to: &mut [u8]) {
    let groups = from.chunks_exact_mut(GROUP).zip(to.chunks_exact_mut(GROUP));
    for (from, to) in groups {
        if from == [0; GROUP] {
            continue;
        }
        for (to, from) in to.iter_mut().zip(from) {
            *to = to.saturating_add(std::mem::take(from));
        }
    }
}

/// Counts each of the `features` of a case once more in `counters`.
#[inline]
pub(crate) fn add_features(features: &[u16], counters: &mut [u8]) {
    for feature in features {
        if let Some(counter) = counters.get_mut(usize::from(*feature)) {
            *counter = counter.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EDGE_COUNTERS, add_features, for_each_counted, move_counts};

    #[test]
    fn counts_are_moved_and_stop_at_the_largest() {
        let (mut from, mut to) = (vec![0; EDGE_COUNTERS], vec![0; EDGE_COUNTERS]);
        for (at, count, before) in [(0, 1, 0), (9, 200, 100), (EDGE_COUNTERS - 1, 3, 4)] {
            from[at] = count;
            to[at] = before;
        }
        move_counts(&mut from, &mut to);
        assert_eq!((to[0], to[9], to[EDGE_COUNTERS - 1]), (1, 255, 7));
        assert!(from.iter().all(|count| *count == 0));
        let mut counted = Vec::new();
        for_each_counted(&to, |at, count| counted.push((at, count)));
        assert_eq!(counted, [(0, 1), (9, 255), (EDGE_COUNTERS - 1, 7)]);
    }

    #[test]
    fn a_feature_without_a_counter_is_left_out() {
        let mut counters = [0; 8];
        add_features(&[2, 2, 9], &mut counters);
        assert_eq!(counters, [0, 0, 2, 0, 0, 0, 0, 0]);
    }
}
