//! Edges of the guest's control flow, counted in a small map.
//!
//! An edge is a pair of guest addresses: a branch, a jump or a trap, and where it went. Its place
//! in the map depends on nothing else, so it is the same in every run, every process and every
//! tier of execution.

use crate::config::Coverage;
use crate::isa::Privilege;

/// Counters in the map. Counter 0 is for everything that is not an edge, and means nothing.
pub(crate) const COUNTERS: usize = 1 << 16;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The counter of the edge between two guest addresses; never 0.
#[inline]
pub(crate) fn edge(from: u64, to: u64) -> u16 {
    let mixed = (from.wrapping_mul(MULTIPLIER) ^ to.rotate_left(32)).wrapping_mul(MULTIPLIER);
    ((mixed >> 48) as u16).max(1)
}

/// The map, and what its counters mean.
pub(crate) struct Map {
    modes: Coverage,
    pub(crate) counters: Box<[u8; COUNTERS]>,
    pub(crate) targets: Targets,
}

/// For each counter the target of the edge that was first seen on it, or 0.
pub(crate) struct Targets(Vec<u64>);

impl Targets {
    /// Remembers where an edge leads.
    pub(crate) fn name(&mut self, edge: u16, target: u64) {
        let known = &mut self.0[usize::from(edge)];
        if *known == 0 {
            *known = target;
        }
    }
}

impl Map {
    pub(crate) fn new(modes: Coverage) -> Map {
        let counters = vec![0; COUNTERS].into_boxed_slice();
        Map {
            modes,
            counters: counters
                .try_into()
                .unwrap_or_else(|_| unreachable!("a map of {COUNTERS} counters")),
            targets: Targets(vec![0; COUNTERS]),
        }
    }

    /// Are edges taken in this mode counted?
    pub(crate) fn counts(&self, privilege: Privilege) -> bool {
        match (self.modes, privilege) {
            (Coverage::Off, _) => false,
            (Coverage::All, _) => true,
            (Coverage::User, mode) => mode == Privilege::User,
            (Coverage::Supervisor, mode) => mode == Privilege::Supervisor,
            (Coverage::Kernel, mode) => mode != Privilege::User,
        }
    }

    /// Counts a rare edge.
    pub(crate) fn count(&mut self, from: u64, to: u64) {
        let edge = edge(from, to);
        self.targets.name(edge, to);
        count(&mut self.counters, edge);
    }

    /// A guest address that an edge of this counter leads to, if one was seen.
    pub(crate) fn target(&self, index: usize) -> Option<u64> {
        self.targets.0.get(index).copied().filter(|at| *at != 0)
    }
}

/// Counts one, up to 255.
#[inline(always)]
pub(crate) fn count(counters: &mut [u8; COUNTERS], edge: u16) {
    let counter = &mut counters[usize::from(edge)];
    *counter = counter.saturating_add(1);
}

/// Counts an edge that was taken `times` times.
pub(crate) fn count_many(counters: &mut [u8; COUNTERS], edge: u16, times: u64) {
    let counter = &mut counters[usize::from(edge)];
    *counter = counter.saturating_add(times.min(255) as u8);
}
