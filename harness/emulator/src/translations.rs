//! The translations in use by a hart: its TLB, and the contexts that fit its mode.

use crate::memory::{Fences, Scope, Tables, Tlb, View};

/// A hart's TLB, with the contexts of its present mode at hand.
pub(crate) struct Translations {
    pub(crate) tlb: Tlb,
    fetch: (View, usize),
    data: (View, usize),
}

impl Translations {
    pub(crate) fn new() -> Translations {
        Translations {
            tlb: Tlb::new(),
            fetch: (View::NONE, 0),
            data: (View::NONE, 0),
        }
    }

    /// The tables to fetch by and to access data by, and the place of the latter's context.
    #[inline]
    pub(crate) fn tables(
        &mut self,
        fetch: View,
        data: View,
        hart: usize,
        fences: &mut Fences,
    ) -> (Tables<'_>, usize) {
        if self.fetch.0 != fetch || self.data.0 != data {
            self.select(fetch, data, hart, fences);
        }
        (self.tlb.tables(self.fetch.1, self.data.1), self.data.1)
    }

    fn select(&mut self, fetch: View, data: View, hart: usize, fences: &mut Fences) {
        self.tlb.note_strangers();
        let mut select = |view| {
            let (place, is_strange) = self.tlb.select(view, fences.now());
            if is_strange {
                // The next fence ends that.
                fences.set_due(hart, true);
            }
            (view, place)
        };
        // The second choice cannot take the first one's place: the least recently used context is
        // given away, and there are more than two.
        self.fetch = select(fetch);
        self.data = if data == fetch {
            self.fetch
        } else {
            select(data)
        };
    }

    /// Forgets what a fence covers; returns whether another one may have something to do.
    pub(crate) fn fence(&mut self, scope: Scope, fences: &Fences) -> bool {
        // An identifier may belong to another page table from now on.
        (self.fetch.0, self.data.0) = (View::NONE, View::NONE);
        self.tlb.fence(scope, fences)
    }

    /// Forgets every translation.
    pub(crate) fn clear(&mut self) {
        self.tlb.clear();
    }

    /// Forgets everything, as if new.
    pub(crate) fn release(&mut self) {
        self.tlb.release();
        self.fetch = (View::NONE, 0);
        self.data = (View::NONE, 0);
    }
}
