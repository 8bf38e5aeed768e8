//! Code as it was before it was overwritten: what harts execute whose instruction caches are not coherent.
//!
//! A hart need not see a store to code until it executes `fence.i` (unprivileged specification, extension Zifencei). A
//! machine that is asked to vary in this copies a page of code when it is overwritten for the first time, to a page
//! beyond the end of RAM, which no physical address reaches. Each hart fetches from the copy until its fence.

use rustc_hash::FxHashMap;

/// Pages beyond RAM for copies. If all are in use, further stores to code are seen at once.
pub(crate) const COPIES: usize = 64;

/// Which copies there are, and which hart fetches from which.
#[derive(Debug)]
pub(crate) struct OldCode {
    /// Whether old code is kept.
    pub(crate) is_kept: bool,
    /// For each hart, the copies that it fetches from: numbers of copies, by the number of the page.
    harts: Vec<FxHashMap<u32, u32>>,
    /// Copies in use.
    used: u32,
    /// A hart has to fetch from elsewhere than before.
    moved: bool,
}

impl OldCode {
    pub(crate) fn new(harts: usize) -> OldCode {
        OldCode {
            is_kept: false,
            harts: vec![FxHashMap::default(); harts],
            used: 0,
            moved: false,
        }
    }

    /// The copy to which the code of `page` has to be copied, which is overwritten now. `None`: it is not kept, or
    /// every hart has an older copy.
    pub(crate) fn overwritten(&mut self, page: u32) -> Option<u32> {
        if !self.is_kept || self.used as usize == COPIES {
            return None;
        }
        let copy = self.used;
        let mut is_used = false;
        for copies in &mut self.harts {
            is_used |= *copies.entry(page).or_insert(copy) == copy;
        }
        self.used += u32::from(is_used);
        self.moved |= is_used;
        is_used.then_some(copy)
    }

    /// The copy from which this hart fetches the code of `page`.
    pub(crate) fn copy(&self, hart: usize, page: u32) -> Option<u32> {
        self.harts[hart].get(&page).copied()
    }

    /// Has a fence of this hart nothing to do?
    #[inline]
    pub(crate) fn is_idle(&self, hart: usize) -> bool {
        self.harts[hart].is_empty()
    }

    /// This hart executes `fence.i`.
    pub(crate) fn fence(&mut self, hart: usize) {
        self.harts[hart].clear();
        self.moved = true;
        if self.harts.iter().all(FxHashMap::is_empty) {
            self.used = 0;
        }
    }

    /// Whether harts have to fetch from elsewhere than before, since this was asked last.
    pub(crate) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// Forgets all copies.
    pub(crate) fn clear(&mut self) {
        self.harts.iter_mut().for_each(FxHashMap::clear);
        self.used = 0;
        self.moved = false;
    }
}
