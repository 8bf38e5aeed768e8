//! Stores that other harts see late.
//!
//! A hart need not make its stores visible to others before a fence, a release or an atomic operation orders them, and
//! not in their order (unprivileged specification, chapter "RVWMO Memory Consistency Model"). One hart runs at a time, so
//! RAM always holds what the running one sees. When another hart takes over, the stores that the last one has not
//! ordered are undone, except for the youngest, and they are done again when it runs the next time. The youngest is
//! shown because a release by a plain store then comes before what it releases.

use super::ram::Ram;

/// The most stores of a hart that wait. Beyond them, the oldest is seen by all.
const MOST: usize = 64;

/// A store of up to eight bytes inside a page.
#[derive(Clone, Copy, Debug)]
struct Store {
    offset: u64,
    width: u8,
    old: [u8; 8],
    new: [u8; 8],
}

impl Store {
    fn overlaps(&self, other: &Store) -> bool {
        self.offset < other.offset + u64::from(other.width)
            && other.offset < self.offset + u64::from(self.width)
    }
}

/// The stores of one hart that others may not have seen, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Late {
    stores: Vec<Store>,
    /// How many of them are undone now.
    hidden: usize,
}

impl Late {
    /// The hart is about to store `new`, at most eight bytes in one page.
    pub(crate) fn note(&mut self, ram: &Ram, offset: u64, new: &[u8]) {
        if self.stores.len() == MOST {
            self.stores.remove(0);
        }
        let mut store = Store {
            offset,
            width: new.len() as u8,
            old: [0; 8],
            new: [0; 8],
        };
        store.new[..new.len()].copy_from_slice(new);
        ram.read_page(offset, &mut store.old[..new.len()]);
        self.stores.push(store);
    }

    /// All that the running hart has stored is seen by the others from now on.
    pub(crate) fn order(&mut self) {
        self.stores.clear();
        self.hidden = 0;
    }

    /// Another hart takes over.
    pub(crate) fn hide(&mut self, ram: &mut Ram) {
        let Some((youngest, older)) = self.stores.split_last() else {
            return;
        };
        // A location shows the stores of a hart in their order.
        let shown = usize::from(!older.iter().any(|store| store.overlaps(youngest)));
        self.hidden = self.stores.len() - shown;
        for store in self.stores[..self.hidden].iter().rev() {
            ram.write_guarded(store.offset, &store.old[..usize::from(store.width)]);
        }
    }

    /// The hart runs again, and sees its own stores. What is shown already waits no longer.
    pub(crate) fn show(&mut self, ram: &mut Ram) {
        self.stores.truncate(std::mem::take(&mut self.hidden));
        for store in &mut self.stores {
            let width = usize::from(store.width);
            ram.read_page(store.offset, &mut store.old[..width]);
            ram.write_guarded(store.offset, &store.new[..width]);
        }
    }
}
