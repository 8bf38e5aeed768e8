//! The heap of a worker: pages with a byte each that it remembers, and pages that it never touched.

use user::testing::Verdict;
use user::testing::memory::{PAGE, eager, heap_end, lazy, load, store};
use user::testing::random::Random;
use user::{ensure_equal, need};

/// Pages at most.
const PAGES: usize = 64;

/// The heap above what the worker began with.
pub struct Heap {
    /// What each page's bytes begin with; 0 for a page that was never touched.
    tags: [u8; PAGES],
    count: usize,
    start: u64,
}

impl Default for Heap {
    fn default() -> Heap {
        Heap {
            tags: [0; PAGES],
            count: 0,
            start: 0,
        }
    }
}

impl Heap {
    /// Takes a few pages more, and touches some of all.
    pub fn grow(&mut self, random: &mut Random) -> Verdict {
        if self.count == 0 {
            self.start = heap_end();
        }
        let more = random.below(8).min((PAGES - self.count) as u64);
        let amount = (more * PAGE) as i64;
        let before = match random.below(2) {
            0 => lazy(amount),
            _ => eager(amount),
        };
        ensure_equal!(need!(before), self.start + self.count as u64 * PAGE);
        self.count += more as usize;
        for _ in 0..self.count.min(4) {
            let page = random.below(self.count as u64);
            let tag = random.number() as u8 | 1;
            store(self.place(page), tag);
            self.tags[page as usize] = tag;
        }
        Ok(())
    }

    /// Gives a few pages back.
    pub fn shrink(&mut self, random: &mut Random) -> Verdict {
        let fewer = random.below(self.count as u64 + 1);
        let before = lazy(-((fewer * PAGE) as i64));
        if self.count > 0 {
            ensure_equal!(need!(before), self.start + self.count as u64 * PAGE);
        }
        self.count -= fewer as usize;
        self.tags[self.count..].fill(0);
        Ok(())
    }

    /// Looks at all pages.
    pub fn check(&self) -> Verdict {
        for page in 0..self.count as u64 {
            ensure_equal!(load(self.place(page)), self.tags[page as usize]);
            ensure_equal!(load(self.place(page) + 1), 0);
        }
        Ok(())
    }

    /// Touches every page, in a child: the parent must not see it.
    pub fn spoil(&mut self) {
        for page in 0..self.count as u64 {
            store(self.place(page), 255);
            self.tags[page as usize] = 255;
        }
    }

    /// A place that differs from page to page.
    fn place(&self, page: u64) -> u64 {
        self.start + page * PAGE + page * 61
    }
}
