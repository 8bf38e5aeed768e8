//! Sets of pages, as sorted runs: as cheap for a terabyte as for a page.

use crate::layout::PAGE_SIZE;
use crate::program_file::Program;
use std::ops::Range;

/// Pages under one last-level page table (2 MiB): Sv39, privileged specification, 12.4.
const PAGES_PER_TABLE: u64 = 512;
/// Pages under one middle page table (1 GiB).
const PAGES_PER_MIDDLE_TABLE: u64 = 512 * 512;

/// A set of page numbers (address / 4096): ascending runs that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageSet {
    runs: Vec<Range<u64>>,
}

/// The numbers of the pages that `length` bytes at `address` lie in; none past the end of numbers.
pub(crate) fn pages_of(address: u64, length: u64) -> Range<u64> {
    let first = address / PAGE_SIZE;
    match length {
        0 => first..first,
        _ => first..address.saturating_add(length - 1) / PAGE_SIZE + 1,
    }
}

impl PageSet {
    pub(crate) fn clear(&mut self) {
        self.runs.clear();
    }

    pub(crate) fn copy_from(&mut self, other: &PageSet) {
        self.runs.clone_from(&other.runs);
    }

    pub(crate) fn contains(&self, page: u64) -> bool {
        let after = self.runs.partition_point(|run| run.end <= page);
        self.runs.get(after).is_some_and(|run| run.start <= page)
    }

    pub(crate) fn insert(&mut self, pages: Range<u64>) {
        if pages.is_empty() {
            return;
        }
        // Runs from `from` to `to` overlap or touch the new one; all become one.
        let from = self.runs.partition_point(|run| run.end < pages.start);
        let to = self.runs.partition_point(|run| run.start <= pages.end);
        if from == to {
            self.runs.insert(from, pages);
            return;
        }
        let merged = pages.start.min(self.runs[from].start)..pages.end.max(self.runs[to - 1].end);
        self.runs[from] = merged;
        self.runs.drain(from + 1..to);
    }

    pub(crate) fn insert_all(&mut self, other: &PageSet) {
        other.runs.iter().cloned().for_each(|run| self.insert(run));
    }

    /// Adds the pages that a program begins with.
    pub(crate) fn insert_image_of(&mut self, program: &Program) {
        for segment in &program.memory.segments {
            self.insert(pages_of(segment.address, segment.length));
        }
    }

    pub(crate) fn remove(&mut self, pages: Range<u64>) {
        if pages.is_empty() {
            return;
        }
        let from = self.runs.partition_point(|run| run.end <= pages.start);
        let to = self.runs.partition_point(|run| run.start < pages.end);
        if from == to {
            return;
        }
        let before = self.runs[from].start..pages.start;
        let after = pages.end..self.runs[to - 1].end;
        let kept = [before, after].into_iter().filter(|run| !run.is_empty());
        self.runs.splice(from..to, kept);
    }

    /// The pages in the set, as ascending runs.
    pub(crate) fn runs(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.runs.iter().cloned()
    }

    /// How many of `pages` are in the set.
    pub(crate) fn count_in(&self, pages: Range<u64>) -> u64 {
        let overlap = |run: &Range<u64>| {
            run.end
                .min(pages.end)
                .saturating_sub(run.start.max(pages.start))
        };
        self.runs.iter().map(overlap).sum()
    }

    /// How many pages are in the set.
    pub(crate) fn count(&self) -> u64 {
        self.runs.iter().map(|run| run.end - run.start).sum()
    }

    /// The most page-table pages below the root that mapping all of the set can need.
    pub(crate) fn tables(&self) -> u64 {
        self.areas(PAGES_PER_TABLE) + self.areas(PAGES_PER_MIDDLE_TABLE)
    }

    /// How many aligned areas of `size` pages the set reaches into.
    fn areas(&self, size: u64) -> u64 {
        let mut count = 0;
        let mut next = 0;
        for run in &self.runs {
            let first = (run.start / size).max(next);
            let end = (run.end - 1) / size + 1;
            count += end.saturating_sub(first);
            next = next.max(end);
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::{PageSet, pages_of};
    use proptest::prelude::{any, prop, proptest};
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn is_a_set_of_pages(
            changes in prop::collection::vec((any::<bool>(), 0u64..80, 0u64..12), 0..30),
            window in (0u64..80, 0u64..80),
        ) {
            let mut set = PageSet::default();
            let mut plain = BTreeSet::new();
            for (insert, start, length) in changes {
                let pages = start..start + length;
                if insert {
                    set.insert(pages.clone());
                    plain.extend(pages);
                } else {
                    set.remove(pages.clone());
                    plain.retain(|page| !pages.contains(page));
                }
            }
            for page in 0..100 {
                assert_eq!(set.contains(page), plain.contains(&page));
            }
            assert_eq!(set.count(), plain.len() as u64);
            let window = window.0..window.0 + window.1;
            let inside = plain.iter().filter(|page| window.contains(page)).count();
            assert_eq!(set.count_in(window), inside as u64);
            let areas: BTreeSet<u64> = plain.iter().map(|page| page / 8).collect();
            assert_eq!(set.areas(8), areas.len() as u64);
            assert!(set.runs.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }

    #[test]
    fn bytes_lie_in_pages() {
        assert_eq!(pages_of(0xfff, 1), 0..1);
        assert_eq!(pages_of(0xfff, 2), 0..2);
        assert_eq!(pages_of(0x1000, 0), 1..1);
        assert_eq!(pages_of(u64::MAX, 8), u64::MAX / 4096..u64::MAX / 4096 + 1);
    }
}
