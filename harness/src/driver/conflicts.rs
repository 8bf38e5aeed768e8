//! Where threads conflict in memory: a thread loads from the kernel's own data and then stores there,
//! while another thread stores to the same place and no lock covers both.
//!
//! A change point between such a load and its store is worth a thousand random ones: without a common lock the other
//! thread's store is lost. The locks that are held can be seen from outside (Savage, Burrows, Nelson, Sobalvarro,
//! Anderson, "Eraser", SOSP 1997). A swap that puts a nonzero value into a word takes a lock, and a store of zero to
//! that word releases it.

use super::Driver;
use super::change_points::ChangePoints;
use crate::guest::frames::RAM_START;
use crate::guest::{Guest, HARTS};
use emulator::isa::csr::{self, status};
use emulator::isa::register::SP;
use emulator::isa::{Effect, Instruction, MemoryAccess, Privilege};
use emulator::{Exit, Machine};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The most instructions that are observed. The rest of the race runs without observation.
const LONGEST: u64 = 1_500_000;
/// The most instructions between a read and the store that depends on it.
const APART: u64 = 3_000;
/// The most instructions between them if one is in a function called by the function of the other.
const APART_IN_CALLS: u64 = 500;
/// The most accesses to one place that are examined.
const MOST_ACCESSES: usize = 2_000;
/// The most places for change points that are returned.
const MOST_POINTS: usize = 24;

/// A lock that is held, and how many were taken before it: taking it again counts as another lock.
type Held = (u64, u64);

#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    /// Instructions of the race before it.
    pub(super) at: u64,
    /// Instructions of its hart in the race before it.
    pub(super) own: u64,
    pub(super) hart: usize,
    pub(super) pc: u64,
    /// The stack pointer. It says which thread's kernel stack is in use.
    stack: u64,
    pub(super) is_store: bool,
    /// Whether the timer could interrupt there.
    interruptible: bool,
    /// Index of the set of locks held.
    locks: usize,
}

impl Access {
    fn is_same_thread(&self, other: &Access) -> bool {
        self.stack >> STACK_BITS == other.stack >> STACK_BITS
    }
}

/// What is known of the current race.
#[derive(Default)]
pub(super) struct Meetings {
    begin: u64,
    /// Instructions of each hart so far.
    own: [u64; HARTS],
    instructions: HashMap<u64, Option<MemoryAccess>>,
    pub(super) accesses: HashMap<u64, Vec<Access>>,
    /// Where the kernel's own data lies.
    data: Range<u64>,
    /// Words that were swapped: locks.
    pub(super) swapped: HashSet<u64>,
    held: [Vec<Held>; HARTS],
    taken: u64,
    sets: Vec<Vec<Held>>,
    /// When each lock was released.
    releases: Vec<(u64, Held)>,
    /// The same, as accesses to the lock.
    pub(super) released: Vec<(u64, Access)>,
}

/// Whether to find out where the racers of the next race meet.
#[derive(Default)]
pub(super) enum Meeting {
    #[default]
    Off,
    Asked,
    On(Box<Meetings>),
    /// With the number of harts that took part.
    Done(Box<Meetings>, usize),
}

impl Driver {
    /// Notes where the racers of the next race meet.
    pub(crate) fn watch_next_race(&mut self) {
        self.meeting = Meeting::Asked;
    }

    /// Change points, in instructions since the race began, that may separate a read from its store; the
    /// most promising first.
    pub(crate) fn take_change_points(&mut self) -> Vec<u32> {
        match std::mem::take(&mut self.meeting) {
            Meeting::Done(meetings, harts) => meetings.change_points(harts),
            _ => Vec::new(),
        }
    }

    /// All change points of that race that make a difference, and pairs of them.
    pub(crate) fn take_all_change_points(&mut self) -> ChangePoints {
        match std::mem::take(&mut self.meeting) {
            Meeting::Done(meetings, harts) => meetings.all_change_points(harts),
            _ => ChangePoints::default(),
        }
    }

    pub(super) fn begin_meeting(&mut self) {
        if matches!(self.meeting, Meeting::Asked) {
            self.meeting = Meeting::On(Box::new(Meetings {
                begin: self.machine.steps(),
                data: self.guest.kernel_extent.clone(),
                ..Meetings::default()
            }));
        }
    }

    pub(super) fn end_meeting(&mut self, harts: usize) {
        self.meeting = match std::mem::take(&mut self.meeting) {
            Meeting::On(meetings) => Meeting::Done(meetings, harts),
            other => other,
        };
    }
}

impl Meetings {
    pub(super) fn run(
        &mut self,
        machine: &mut Machine,
        hart: usize,
        budget: u64,
        guest: &Guest,
    ) -> Exit {
        for done in 0..budget {
            let at = machine.steps() - self.begin;
            if at > LONGEST {
                return machine.run_hart(hart, budget - done);
            }
            let kernel = machine.privilege(hart) == Privilege::Supervisor;
            let pc = machine.pc(hart);
            if kernel
                && guest.kernel_extent.contains(&pc)
                && let Some(access) = self.access_at(machine, pc)
            {
                let base = machine.x(hart, access.base);
                let address = base.wrapping_add_signed(access.offset);
                self.note(machine, hart, at, access.effect, address);
            }
            let before = machine.steps();
            let exit = machine.run_hart(hart, 1);
            // A hart that takes an interrupt or waits for one executes no instruction.
            self.own[hart] += machine.steps() - before;
            if exit != Exit::Budget {
                return exit;
            }
        }
        Exit::Budget
    }

    /// What the kernel's instruction at `pc` does to memory. The kernel is mapped at its physical addresses.
    /// Accesses through the stack pointer are left out, because no other thread uses the stack.
    fn access_at(&mut self, machine: &Machine, pc: u64) -> Option<MemoryAccess> {
        let read = || {
            let mut bytes = [0; 4];
            machine.read_physical(pc, &mut bytes).ok()?;
            let access = Instruction::read(&bytes)?.memory_access();
            access.filter(|access| access.base != SP)
        };
        *self.instructions.entry(pc).or_insert_with(read)
    }

    fn note(&mut self, machine: &Machine, hart: usize, at: u64, effect: Effect, address: u64) {
        let value = |register: usize| machine.x(hart, register);
        match effect {
            Effect::Swap(swapped) if value(swapped) != 0 => {
                self.swapped.insert(address);
                self.take(machine, hart, address);
                return;
            }
            Effect::Swap(_) => return self.release(machine, hart, at, address),
            Effect::Store(stored) if value(stored) == 0 && self.swapped.contains(&address) => {
                return self.release(machine, hart, at, address);
            }
            Effect::Atomic => return,
            Effect::Load | Effect::Store(_) => {}
        }
        if address < RAM_START {
            return;
        }
        let access = self.access(machine, hart, at, matches!(effect, Effect::Store(_)));
        self.accesses.entry(address).or_default().push(access);
    }

    fn access(&mut self, machine: &Machine, hart: usize, at: u64, is_store: bool) -> Access {
        let locks = match self.sets.last() {
            Some(last) if *last == self.held[hart] => self.sets.len() - 1,
            _ => {
                self.sets.push(self.held[hart].clone());
                self.sets.len() - 1
            }
        };
        let status = machine.csr(hart, csr::SSTATUS).unwrap_or(0);
        Access {
            at,
            own: self.own[hart],
            hart,
            pc: machine.pc(hart),
            stack: machine.x(hart, SP),
            is_store,
            interruptible: status & status::SIE != 0,
            locks,
        }
    }

    /// A swap is about to put a nonzero value into a word: the lock is taken if the word is zero.
    fn take(&mut self, machine: &Machine, hart: usize, address: u64) {
        let mut word = [0; 4];
        let is_free = machine.read_physical(address, &mut word).is_ok() && word == [0; 4];
        if is_free {
            self.taken += 1;
            self.held[hart].push((address, self.taken));
        }
    }

    /// A lock may be released on a hart other than the one that took it: the thread that runs next releases it.
    fn release(&mut self, machine: &Machine, hart: usize, at: u64, address: u64) {
        let access = self.access(machine, hart, at, true);
        self.released.push((address, access));
        let harts = std::iter::once(hart).chain(0..HARTS);
        for holder in harts {
            if let Some(place) = self.held[holder].iter().position(|held| held.0 == address) {
                self.releases.push((at, self.held[holder].remove(place)));
                return;
            }
        }
    }

    fn change_points(&self, harts: usize) -> Vec<u32> {
        let mut unlocked = Vec::new();
        let mut between = Vec::new();
        let own = self.accesses.iter();
        for (address, accesses) in own.filter(|(address, _)| self.data.contains(address)) {
            let accesses = &accesses[..accesses.len().min(MOST_ACCESSES)];
            let is_on_one_hart = accesses.iter().all(|one| one.hart == accesses[0].hart);
            if self.swapped.contains(address) || (harts > 1 && is_on_one_hart) {
                continue;
            }
            for (later, store) in accesses.iter().enumerate().filter(|(_, one)| one.is_store) {
                for read in self.reads_before(&accesses[..later], store) {
                    let common = self.common(read, store);
                    let meets = |other: &&Access| {
                        let elsewhere = match harts {
                            1 => !other.is_same_thread(store),
                            _ => other.hart != store.hart,
                        };
                        let locks = &self.sets[other.locks];
                        let excluded = locks.iter().any(|held| common.contains(&held.0));
                        other.is_store && other.at > read.at && elsewhere && !excluded
                    };
                    if !accesses.iter().any(|other| meets(&other)) {
                        continue;
                    }
                    match self.released_between(read, store) {
                        Some(at) => between.push(at + 1),
                        None if harts > 1 || store.interruptible => unlocked.push(store.at),
                        None => {}
                    }
                }
            }
        }
        for points in [&mut unlocked, &mut between] {
            points.sort_unstable();
            points.dedup();
        }
        let points = unlocked.into_iter().chain(between).take(MOST_POINTS);
        points
            .filter_map(|point| u32::try_from(point).ok())
            .collect()
    }

    /// The reads of the same thread that a store may depend on: shortly before it, or, in the same call,
    /// longer before.
    fn reads_before<'a>(
        &self,
        accesses: &'a [Access],
        store: &'a Access,
    ) -> impl Iterator<Item = &'a Access> {
        let own = accesses
            .iter()
            .rev()
            .filter(|one| one.is_same_thread(store));
        let reads = own.take_while(|one| !one.is_store && store.at - one.at <= APART);
        reads.filter(|one| one.stack == store.stack || store.at - one.at <= APART_IN_CALLS)
    }

    /// Whether no lock covers both accesses.
    pub(super) fn is_unlocked(&self, one: &Access, other: &Access) -> bool {
        let locks = &self.sets[other.locks];
        let is_held = |held: &Held| locks.iter().any(|other| other.0 == held.0);
        !self.sets[one.locks].iter().any(is_held)
    }

    /// Whether an address lies in the kernel's own data.
    pub(super) fn is_data(&self, address: u64) -> bool {
        self.data.contains(&address)
    }

    /// Addresses of the locks that are held without a break from one access to another.
    fn common(&self, one: &Access, other: &Access) -> Vec<u64> {
        let kept = self.sets[one.locks].iter();
        let kept = kept.filter(|held| self.sets[other.locks].contains(held));
        kept.map(|held| held.0).collect()
    }

    /// When a lock that covered a read was released before the store, if one was.
    fn released_between(&self, read: &Access, store: &Access) -> Option<u64> {
        let held = &self.sets[read.locks];
        let mut releases = self.releases.iter();
        let release =
            releases.find(|(at, lock)| (read.at..store.at).contains(at) && held.contains(lock));
        release.map(|(at, _)| *at)
    }
}

/// Kernel stacks are a page or two, with a guard page between them.
const STACK_BITS: u32 = 12;

#[cfg(test)]
mod tests {
    use super::{Access, Held, Meetings};

    const LOCK: u64 = 0x100;
    const COUNT: u64 = 0x200;

    /// Two threads increment a counter, each by a load and a store at these moments, under these locks.
    fn count(loads_and_stores: [[(u64, Vec<Held>); 2]; 2], releases: &[(u64, Held)]) -> Vec<u32> {
        let mut meetings = Meetings {
            data: 0..0x1000,
            releases: releases.to_vec(),
            ..Meetings::default()
        };
        let mut accesses = Vec::new();
        for (hart, pair) in loads_and_stores.into_iter().enumerate() {
            for (nth, (at, locks)) in pair.into_iter().enumerate() {
                meetings.sets.push(locks);
                accesses.push(Access {
                    at,
                    own: at,
                    hart,
                    pc: 0,
                    stack: (hart as u64) << 20,
                    is_store: nth == 1,
                    interruptible: true,
                    locks: meetings.sets.len() - 1,
                });
            }
        }
        accesses.sort_by_key(|access| access.at);
        meetings.accesses.insert(COUNT, accesses);
        meetings.change_points(2)
    }

    #[test]
    fn a_store_without_a_lock_is_separated_from_its_load() {
        let bare = |at| (at, vec![]);
        assert_eq!(
            count([[bare(10), bare(12)], [bare(20), bare(22)]], &[]),
            [12]
        );
    }

    #[test]
    fn a_load_and_a_store_under_one_lock_are_not_separated() {
        let under = |at, nth| (at, vec![(LOCK, nth)]);
        let both = [[under(10, 1), under(12, 1)], [under(20, 2), under(22, 2)]];
        let releases = [(15, (LOCK, 1)), (25, (LOCK, 2))];
        assert!(count(both, &releases).is_empty());
    }

    #[test]
    fn a_lock_that_was_released_in_between_protects_nothing() {
        let under = |at, nth| (at, vec![(LOCK, nth)]);
        let both = [[under(10, 1), under(18, 2)], [under(30, 3), under(32, 3)]];
        let releases = [(13, (LOCK, 1)), (19, (LOCK, 2)), (35, (LOCK, 3))];
        assert_eq!(count(both, &releases), [14]);
    }
}
