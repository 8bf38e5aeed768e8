//! The processes of a case as they are seen from outside: which one is which.

use super::clock::{ClockCall, Moment};
use super::registers::{Changed, RegisterSet, Registers, Values};
use emulator::isa::register::{A0, A1, SP};
use oracle::Process;
use std::ops::Range;

/// Processes of a case (`a` to `h`) and the supervisor.
pub(crate) const SLOTS: usize = 9;

/// Slot of the supervisor: `/init` itself, pid 1, which never takes part in a case.
pub(crate) const SUPERVISOR: Slot = Slot(0);

/// Numbers that any program may have in a register.
const SMALL: u64 = u32::MAX as u64;

const NAME_BASE: u64 = 0xfa17_1193_0000;

/// A row of the process table below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u8);

impl Slot {
    /// The slot of process `a`.
    pub(crate) const FIRST: Slot = Slot(1);

    /// The slot of a case's process; `None` for a name outside `a` to `h`.
    pub(crate) fn of(process: Process) -> Option<Self> {
        let number = u8::try_from(process.index() + 1).ok()?;
        (usize::from(number) < SLOTS).then_some(Self(number))
    }

    /// The process in this slot; `None` for the supervisor.
    pub(crate) fn process(self) -> Option<Process> {
        Process::from_index(usize::from(self.0.checked_sub(1)?))
    }

    /// The slot named by the agent's name register.
    pub(crate) fn from_name(name: u64) -> Option<Self> {
        let number = name.checked_sub(NAME_BASE)?;
        (number < SLOTS as u64).then_some(Self(number as u8))
    }

    /// What the name register of the process in this slot holds.
    pub(crate) fn name(self) -> u64 {
        NAME_BASE + u64::from(self.0)
    }

    /// What a register of this process holds during its operation number `turn`. No address and no small number is
    /// like it.
    pub(crate) fn witness(self, register: usize, turn: u32) -> u64 {
        let mixed = (register as u64) << 32 | u64::from(turn);
        (u64::from(self.0) + 1) << 56 ^ mixed.wrapping_mul(0x5eed_0000_0101_0101)
    }

    fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What a process is known to be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No such process yet.
    Unused,
    /// Waiting at its hint for an operation: runnable.
    Parked,
    /// Sleeps until the next tick, so that another process gets a turn; it is then `Parked` again.
    Napping,
    /// Was given an operation and has not reported.
    Acting,
    /// Was told to start another program and has not reported: it may come back as that program.
    Executing,
    /// Promised by a fork that `parent` is making or has made; has not asked for work yet.
    Unborn {
        /// The process that forks.
        parent: Slot,
    },
    /// Seen to die: it called exit, or the kernel printed that it killed it.
    Dead,
}

impl State {
    /// Whether the process can be given an operation.
    pub(crate) fn is_at_hand(self) -> bool {
        matches!(self, State::Parked | State::Napping)
    }

    /// Whether something is still to come from the process.
    pub(crate) fn is_away(self) -> bool {
        matches!(
            self,
            State::Acting | State::Executing | State::Unborn { .. }
        )
    }
}

/// One process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// What it is doing.
    pub(crate) state: State,
    /// Its address space, as the machine showed it when it last waited at its hint.
    pub(crate) satp: u64,
    /// What its last operation returned. (A nap is none.)
    pub(crate) answer: u64,
    /// Its process identifier, once known.
    pub(crate) pid: u64,
    /// Its parent.
    pub(crate) parent: Option<Slot>,
    /// What its registers have to hold when it asks for work.
    pub(crate) registers: Registers,
    /// When it was given its operation, if that is a call about time.
    pub(crate) clock_call: Option<(ClockCall, Moment)>,
}

/// All processes of a case.
#[derive(Clone, Debug)]
pub(crate) struct Processes {
    entries: [Entry; SLOTS],
    /// How often registers were planted.
    turns: u32,
}

impl Processes {
    /// No process.
    pub(crate) fn new() -> Self {
        Self {
            entries: [Entry {
                state: State::Unused,
                satp: 0,
                answer: 0,
                pid: 0,
                parent: None,
                registers: Registers::new([0; 32], RegisterSet::NONE),
                clock_call: None,
            }; SLOTS],
            turns: 0,
        }
    }

    /// Notes a process that is at its hint with these registers.
    pub(crate) fn enter(&mut self, slot: Slot, pid: u64, satp: u64, registers: Registers) {
        *self.get_mut(slot) = Entry {
            state: State::Parked,
            satp,
            answer: 0,
            pid,
            parent: None,
            registers,
            clock_call: None,
        };
    }

    /// The number of the next operation that gets registers of its own.
    pub(crate) fn next_turn(&mut self) -> u32 {
        self.turns += 1;
        self.turns
    }

    /// The entry of `slot`.
    pub(crate) fn get(&self, slot: Slot) -> &Entry {
        &self.entries[slot.index()]
    }

    /// The entry of `slot`, to change.
    pub(crate) fn get_mut(&mut self, slot: Slot) -> &mut Entry {
        &mut self.entries[slot.index()]
    }

    /// The first register that holds a secret when the process in `slot` has started a program, with registers
    /// `now`: an address in `memory`, which only the kernel has, or a value of another process. What the old program
    /// held is no secret.
    pub(crate) fn secret_of_others(
        &self,
        slot: Slot,
        now: &Values,
        memory: Range<u64>,
    ) -> Option<Changed> {
        let own = self.get(slot).registers.values();
        let is_of_another = |seen: u64| {
            let mut others = self.slots().filter(|other| *other != slot);
            seen > SMALL && others.any(|other| self.get(other).registers.values().contains(&seen))
        };
        let kept = |register: &usize| ![SP, A0, A1].contains(register);
        (1..now.len()).filter(kept).find_map(|register| {
            let (expected, seen) = (own[register], now[register]);
            let is_secret = !own.contains(&seen) && (memory.contains(&seen) || is_of_another(seen));
            is_secret.then_some(Changed {
                register,
                expected,
                seen,
            })
        })
    }

    /// The child that `parent` promised and that has not shown itself.
    pub(crate) fn unborn_child_of(&self, parent: Slot) -> Option<Slot> {
        self.slots()
            .find(|slot| self.get(*slot).state == State::Unborn { parent })
    }

    /// The child that `parent` promised and whose process identifier is not known yet. On another
    /// hart it may have shown itself already.
    pub(crate) fn unnumbered_child_of(&self, parent: Slot) -> Option<Slot> {
        self.slots().find(|slot| {
            let entry = self.get(*slot);
            entry.parent == Some(parent) && entry.pid == 0 && entry.state != State::Unused
        })
    }

    /// How many forks lie between `slot` and the first process.
    pub(crate) fn depth(&self, slot: Slot) -> usize {
        let parent = |child: &Slot| self.get(*child).parent;
        // A name is given once, so there is no cycle; the bound makes this obvious.
        std::iter::successors(parent(&slot), parent)
            .take(SLOTS)
            .count()
    }

    /// Whether any process that does not wait at its hint is expected to come back.
    pub(crate) fn anyone_away(&self) -> bool {
        self.entries.iter().any(|entry| entry.state.is_away())
    }

    /// All slots, the supervisor's first.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..SLOTS as u8).map(Slot)
    }
}

impl Default for Processes {
    fn default() -> Self {
        Self::new()
    }
}

/// A set of slots.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SlotSet(u16);

impl SlotSet {
    /// Adds `slot`; false if it was there already.
    pub(crate) fn insert(&mut self, slot: Slot) -> bool {
        let bit = 1 << slot.0;
        let new = self.0 & bit == 0;
        self.0 |= bit;
        new
    }

    /// Adds all slots of another set.
    pub(crate) fn add(&mut self, others: SlotSet) {
        self.0 |= others.0;
    }

    /// Whether `slot` is in the set.
    pub(crate) fn contains(self, slot: Slot) -> bool {
        self.0 & (1 << slot.0) != 0
    }
}
