//! The translations in use by a hart: its TLB, and the contexts that fit its mode.

use crate::memory::{Key, Table, Tlb, View};

/// A hart's TLB, with the contexts of its present mode at hand.
pub(crate) struct Translations {
    pub(crate) tlb: Tlb,
    fetch: Option<(View, usize)>,
    data: Option<(View, usize)>,
}

impl Translations {
    pub(crate) fn new() -> Translations {
        Translations {
            tlb: Tlb::new(),
            fetch: None,
            data: None,
        }
    }

    /// The tables to fetch, to read and to write by, and the place of the latter two.
    pub(crate) fn tables(&mut self, fetch: View, data: View) -> ([&mut Table; 3], usize) {
        let fetch_place = match self.fetch {
            Some((view, place)) if view == fetch => place,
            _ => self.select(fetch, true),
        };
        let data_place = match self.data {
            Some((view, place)) if view == data => place,
            _ => self.select(data, false),
        };
        (self.tlb.tables(fetch_place, data_place), data_place)
    }

    fn select(&mut self, view: View, is_fetch: bool) -> usize {
        let place = self.tlb.select(key(view));
        let (this, other) = if is_fetch {
            (&mut self.fetch, &mut self.data)
        } else {
            (&mut self.data, &mut self.fetch)
        };
        *this = Some((view, place));
        // The other one's place may just have been given away.
        if let Some((other_view, other_place)) = *other
            && other_place == place
            && key(other_view) != key(view)
        {
            *other = None;
        }
        place
    }

    /// Forgets every translation.
    pub(crate) fn clear(&mut self) {
        self.tlb.clear();
    }

    /// Forgets everything, as if new.
    pub(crate) fn release(&mut self) {
        self.tlb.release();
        self.fetch = None;
        self.data = None;
    }
}

fn key(view: View) -> Key {
    Key {
        satp: view.satp,
        mode: view.privilege as u8 | u8::from(view.sum) << 2 | u8::from(view.mxr) << 3,
    }
}
