//! What was run: which operations, on pages in which states, and after or beside which operations of other processes.

use crate::case::{Kind, Process};
use crate::model::PageState;
use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::BitOrAssign;

const KINDS: usize = Kind::ALL.len();

/// Addresses that an operation has, at most.
const ADDRESSES: usize = 2;

// A set of kinds is 64 bits, and a set of states 16.
const _: () = assert!(KINDS <= 64 && PageState::ALL.len() <= 16);

/// What some cases have run, as sets. Operations that were left out do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The kinds of operations.
    kinds: u64,
    /// For each kind and each of its addresses, the states of the pages there.
    pages: [[u16; ADDRESSES]; KINDS],
    /// For each kind, what another process had done last.
    after: [u64; KINDS],
    /// For each kind, what another process did at the same time.
    beside: [u64; KINDS],
}

impl Default for Reached {
    fn default() -> Self {
        Self {
            kinds: 0,
            pages: [[0; ADDRESSES]; KINDS],
            after: [0; KINDS],
            beside: [0; KINDS],
        }
    }
}

impl BitOrAssign<&Reached> for Reached {
    fn bitor_assign(&mut self, other: &Reached) {
        self.kinds |= other.kinds;
        for kind in 0..KINDS {
            for address in 0..ADDRESSES {
                self.pages[kind][address] |= other.pages[kind][address];
            }
            self.after[kind] |= other.after[kind];
            self.beside[kind] |= other.beside[kind];
        }
    }
}

/// What each process has done last in a case.
pub(super) type Last = [Option<Kind>; Process::COUNT];

impl Reached {
    /// Notes that `process` performs an operation of that kind, on pages in these states.
    pub(super) fn note(
        &mut self,
        process: Process,
        kind: Kind,
        pages: [Option<PageState>; ADDRESSES],
        last: &mut Last,
    ) {
        self.kinds |= bit(kind);
        for (set, page) in self.pages[kind as usize].iter_mut().zip(pages) {
            *set |= page.map_or(0, |page| 1 << state_number(page));
        }
        if kind.is_done_to_all() {
            return;
        }
        for other in Process::all().filter(|other| *other != process) {
            self.after[kind as usize] |= last[other.index()].map_or(0, bit);
        }
        last[process.index()] = Some(kind);
    }

    /// Notes that operations of these kinds race.
    pub(super) fn note_race(&mut self, kinds: impl Iterator<Item = Kind> + Clone) {
        for (at, kind) in kinds.clone().enumerate() {
            let others = kinds.clone().enumerate().filter(|(other, _)| *other != at);
            let others = others.map(|(_, other)| bit(other));
            self.beside[kind as usize] |= others.fold(0, |all, other| all | other);
        }
    }

    /// What was never run.
    pub fn never_run(&self) -> NeverRun {
        let has = |set: u64, kind: &Kind| set & bit(*kind) != 0;
        let acting = || Kind::ALL.into_iter().filter(|kind| !kind.is_done_to_all());
        let pairs = || acting().flat_map(|first| acting().map(move |second| (first, second)));
        let missing = |sets: &[u64; KINDS]| {
            let pairs = pairs().filter(|(first, second)| !has(sets[*second as usize], first));
            pairs
                .map(|(first, second)| Pair { first, second })
                .collect()
        };
        let kinds = Kind::ALL.into_iter().filter(|kind| !has(self.kinds, kind));
        NeverRun {
            operations: kinds.map(Kind::word).collect(),
            states: self.states_never_met(),
            pages: self.pages_never_met(),
            after: missing(&self.after),
            beside: missing(&self.beside),
        }
    }

    /// The states of pages that no address of any operation met.
    fn states_never_met(&self) -> Vec<&'static str> {
        let met = self.pages.iter().flatten().fold(0, |all, set| all | set);
        let states = PageState::ALL.into_iter();
        let states = states.filter(|state| met & 1 << state_number(*state) == 0);
        states.map(PageState::word).collect()
    }

    /// The other states that an address of an operation never met, although some operation was run there.
    fn pages_never_met(&self) -> Vec<OnPage> {
        let elsewhere = self.pages.iter().flatten().fold(0, |all, set| all | set);
        let mut never = Vec::new();
        for kind in Kind::ALL {
            for (address, met) in self.pages[kind as usize].into_iter().enumerate() {
                let is_used = address < kind.addresses();
                let missing = |state: &PageState| elsewhere & !met & 1 << state_number(*state) != 0;
                let states = PageState::ALL.into_iter().filter(missing);
                let states = states.filter(|_| is_used);
                never.extend(states.map(|state| OnPage {
                    kind,
                    address,
                    state,
                }));
            }
        }
        never
    }
}

/// An operation, one of its addresses (from 0 on), and the state of the page there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnPage {
    kind: Kind,
    address: usize,
    state: PageState,
}

impl fmt::Display for OnPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = if self.address == 0 {
            ""
        } else {
            "'s second address"
        };
        write!(f, "{}{which} on {}", self.kind.word(), self.state.word())
    }
}

/// An operation of one process, and one of another process that comes later or at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    first: Kind,
    second: Kind,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {}", self.first.word(), self.second.word())
    }
}

macro_rules! serialized_as_words {
    ($($Type:ident),+) => {
        $(impl Serialize for $Type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        })+
    };
}

serialized_as_words!(OnPage, Pair);

/// What was never run on a kernel, whatever the reason: it does not apply there, the kernel has no such pages, or too
/// little was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NeverRun {
    /// Operations.
    pub operations: Vec<&'static str>,
    /// States of pages that no operation met.
    pub states: Vec<&'static str>,
    /// Operations on pages in the other states.
    pub pages: Vec<OnPage>,
    /// Operations of one process, and what another process never did after them.
    pub after: Vec<Pair>,
    /// Operations that never raced. Some never may: no order of them could be told.
    pub beside: Vec<Pair>,
}

/// How many of each are named in the summary.
const NAMED: usize = 3;

/// A line for people: how many of each there are, and the first few.
impl fmt::Display for NeverRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            part("operations", &self.operations),
            part("states of pages", &self.states),
            part("operations on pages", &self.pages),
            part("pairs one after the other", &self.after),
            part("pairs at once", &self.beside),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            return f.write_str("nothing");
        }
        f.write_str(&parts.join("; "))
    }
}

fn part(what: &str, all: &[impl fmt::Display]) -> Option<String> {
    if all.is_empty() {
        return None;
    }
    let mut named: Vec<String> = all.iter().take(NAMED).map(ToString::to_string).collect();
    if all.len() > NAMED {
        named.push("…".to_owned());
    }
    Some(format!("{} {what} ({})", all.len(), named.join(", ")))
}

fn bit(kind: Kind) -> u64 {
    1 << kind as usize
}

/// The place of a state in [`PageState::ALL`].
fn state_number(state: PageState) -> usize {
    let mut all = PageState::ALL.iter();
    all.position(|other| *other == state).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Last, Reached};
    use crate::case::{Kind, Process};
    use crate::model::PageState;

    fn process(letter: char) -> Process {
        Process::from_letter(letter).unwrap()
    }

    #[test]
    fn what_was_run_is_missing_no_more() {
        let mut reached = Reached::default();
        let before = reached.never_run();
        assert_eq!(before.operations.len(), Kind::ALL.len());
        assert_eq!(before.states.len(), PageState::ALL.len());
        let mut last = Last::default();
        reached.note(
            process('a'),
            Kind::Load,
            [Some(PageState::Lazy), None],
            &mut last,
        );
        reached.note(
            process('b'),
            Kind::Link,
            [None, Some(PageState::Guard)],
            &mut last,
        );
        reached.note_race([Kind::Fork, Kind::Exit].into_iter());
        let after = reached.never_run();
        assert_eq!(after.operations.len(), Kind::ALL.len() - 2);
        assert_eq!(after.states.len(), PageState::ALL.len() - 2);
        let named = |all: Vec<String>, what: &str| all.iter().any(|one| one == what);
        let words = |all: &[super::OnPage]| all.iter().map(ToString::to_string).collect();
        assert!(named(words(&after.pages), "load on guard"));
        assert!(!named(words(&after.pages), "load on lazy"));
        assert!(named(words(&after.pages), "link's second address on lazy"));
        assert_eq!(
            before.after.len() - after.after.len(),
            1,
            "b did link after a's load"
        );
        assert_eq!(
            before.beside.len() - after.beside.len(),
            2,
            "a race has no order"
        );
        assert!(
            after.to_string().contains("pairs at once (sbrk and sbrk, "),
            "{after}"
        );
    }

    #[test]
    fn sets_are_joined() {
        let (mut one, mut other) = (Reached::default(), Reached::default());
        one.note(process('a'), Kind::Load, [None; 2], &mut Last::default());
        other.note(process('a'), Kind::Store, [None; 2], &mut Last::default());
        one |= &other;
        assert_eq!(one.never_run().operations.len(), Kind::ALL.len() - 2);
    }
}
