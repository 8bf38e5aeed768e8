//! What a hart's TLB keeps of page tables, beyond the translations in use: permissions that refuse an access, and that
//! there was nothing.
//!
//! The tables of [`super::tlb`] hold only translations that allowed an access. A walk that refuses one is done anew each
//! time, so a right that was added to an entry is seen at once. Hardware need not do so: it may keep the entry as it
//! was, or that there was none, until a fence (privileged specification, section "Supervisor Memory-Management
//! Fence Instruction"). If a machine is asked to vary in this, every walk goes through here first.

use super::PAGE_BYTES;
use super::fence::Scope;
use super::sv39::{Leaf, Mapping, Reach};
use rustc_hash::FxHashMap;

/// The identifier of an address space and the number of a virtual page. No identifier: in every address space.
type Place = (Option<u16>, u64);

/// The entries that one hart keeps. Their number is not bounded, except by the pages that were accessed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// `None`: there was no valid entry.
    entries: FxHashMap<Place, Option<KeptLeaf>>,
}

/// A leaf as it was when it was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptLeaf {
    pte: u64,
    level: u8,
    /// The physical address of the virtual page.
    physical_page: u64,
    reach: Reach,
}

impl Kept {
    /// What is kept of the page of `address`: a leaf, or that there was none. `None`: nothing is kept.
    pub(crate) fn find(&self, identifier: u16, address: u64) -> Option<Option<KeptLeaf>> {
        let page = address / PAGE_BYTES;
        let own = self.entries.get(&(Some(identifier), page));
        own.or_else(|| self.entries.get(&(None, page))).copied()
    }

    /// Keeps a leaf.
    pub(crate) fn keep(&mut self, identifier: u16, leaf: &Leaf) {
        let Mapping {
            virtual_address,
            physical,
            pte,
            level,
        } = leaf.mapping;
        let identifier = (!leaf.reach.is_global).then_some(identifier);
        let kept = KeptLeaf {
            pte,
            level,
            physical_page: physical & !(PAGE_BYTES - 1),
            reach: leaf.reach,
        };
        let place = (identifier, virtual_address / PAGE_BYTES);
        self.entries.insert(place, Some(kept));
    }

    /// Keeps that there was no valid entry for `address`.
    pub(crate) fn keep_absence(&mut self, identifier: u16, address: u64) {
        let place = (Some(identifier), address / PAGE_BYTES);
        self.entries.insert(place, None);
    }

    /// Forgets what a fence covers.
    pub(crate) fn fence(&mut self, scope: Scope) {
        self.entries.retain(|(identifier, page), kept| {
            let in_space = match identifier {
                Some(identifier) => scope.covers(*identifier),
                None => !scope.spares_global(),
            };
            let level = kept.map_or(0, |leaf| leaf.level);
            let pages = 1 << (9 * u32::from(level));
            let at_address = scope
                .address
                .is_none_or(|address| address / PAGE_BYTES / pages == *page / pages);
            !(in_space && at_address)
        });
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

impl KeptLeaf {
    /// The entry of the page table, as it was.
    pub(crate) fn pte(self) -> u64 {
        self.pte
    }

    /// Where an access to `address` leads.
    pub(crate) fn place(self, address: u64) -> super::Place {
        super::Place {
            at: self.physical_page | address & (PAGE_BYTES - 1),
            reach: self.reach,
        }
    }
}
