//! Situations: what findings of one cause have in common, and what a campaign avoids.

use super::{Judge, Planned};
use crate::case::{Access, Bytes, Call, Cost, Kind, Operation, Process, Reach};
use crate::layout::PAGE_SIZE;
use crate::model::{Answer, Death, FAILED, Model, Outcome, PageState, Reply, Witness, pages_of};
use crate::named::named;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A heap, or a move of the break, of this many pages is vast: a page-by-page walk through it takes noticeable
/// time.
const VAST_PAGES: u64 = 1 << 14;

/// A kind of operation, the state of the page that it meets, and how it must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Situation {
    /// What kind of operation.
    pub kind: Kind,
    /// The state of the page that it touches, before it does: of the first one that must not be touched, else of the
    /// first one that may cost a frame, else of the first one. `None` if it names no page, or if the page does not
    /// matter.
    pub page: Option<PageState>,
    /// How it ends on a perfect kernel.
    pub fate: Fate,
    /// How much memory is at stake.
    pub extent: Extent,
}

named! {
    /// How an operation ends.
    pub enum Fate {
        /// Its process continues, with an answer.
        GoesOn = "goes-on",
        /// It returns -1.
        Fails = "fails",
        /// Its process sleeps.
        Sleeps = "sleeps",
        /// Its process ends.
        Ends = "ends",
    }
}

named! {
    /// How much memory an operation that names no page is about.
    pub enum Extent {
        /// It names a page, or is about no memory.
        Nothing = "nothing",
        /// A break that rises a little, or a small heap.
        Small = "small",
        /// A break that falls a little.
        LittleLess = "little-less",
        /// A break that rises by more than 64 MiB, or a heap larger than that.
        Vast = "vast",
        /// A break that falls by more than that.
        VastlyLess = "vastly-less",
    }
}

/// What a situation has instead of the state of a page, if no page matters.
const NO_PAGE: &str = "no-page";

/// Four words: the kind of operation, the page, the fate and the extent.
impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = self.page.map_or(NO_PAGE, PageState::word);
        write!(
            f,
            "{}/{page}/{}/{}",
            self.kind.word(),
            self.fate,
            self.extent
        )
    }
}

/// Text that names no situation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a situation: it has to be KIND/PAGE/FATE/EXTENT")]
pub struct BadSituation(Box<str>);

impl FromStr for Situation {
    type Err = BadSituation;

    fn from_str(text: &str) -> Result<Self, BadSituation> {
        let read = || {
            let mut words = text.split('/');
            let kind = words.next()?;
            let kind = Kind::ALL.into_iter().find(|known| known.word() == kind)?;
            let page = match words.next()? {
                NO_PAGE => None,
                word => Some(
                    PageState::ALL
                        .into_iter()
                        .find(|known| known.word() == word)?,
                ),
            };
            let fate = Fate::named(words.next()?)?;
            let extent = Extent::named(words.next()?)?;
            words.next().is_none().then_some(Situation {
                kind,
                page,
                fate,
                extent,
            })
        };
        read().ok_or_else(|| BadSituation(text.into()))
    }
}

impl Serialize for Situation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Situation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Situation {
    /// What is known about an operation before it is performed, without asking the model how it ends.
    pub(super) fn met(model: &Model, operation: &Operation) -> (Option<PageState>, Extent) {
        let page = page_met(model, operation);
        let extent = match operation.call.kind().cost() {
            Cost::Growth => Extent::of_move(model, operation),
            Cost::Child | Cost::Crowd | Cost::Release if page.is_none() => {
                Extent::of_heap(model, operation)
            }
            Cost::Child
            | Cost::Crowd
            | Cost::Release
            | Cost::Victim
            | Cost::Touched
            | Cost::OneMore
            | Cost::Program
            | Cost::Outside => Extent::Nothing,
        };
        (page, extent)
    }
}

impl Extent {
    fn of_move(model: &Model, operation: &Operation) -> Extent {
        let Call::Sbrk { amount, .. } = operation.call else {
            return Extent::Nothing;
        };
        let before = model.program_break(operation.process);
        let after = model.break_after(operation.process, amount);
        let is_vast = after.abs_diff(before) / PAGE_SIZE >= VAST_PAGES;
        match (after < before, is_vast) {
            (false, false) => Extent::Small,
            (true, false) => Extent::LittleLess,
            (false, true) => Extent::Vast,
            (true, true) => Extent::VastlyLess,
        }
    }

    fn of_heap(model: &Model, operation: &Operation) -> Extent {
        let pages = model.program_break(operation.process) / PAGE_SIZE;
        if pages >= VAST_PAGES {
            Extent::Vast
        } else {
            Extent::Small
        }
    }
}

/// The state of the page on which an operation goes wrong, if it does.
fn page_met(model: &Model, operation: &Operation) -> Option<PageState> {
    let process = operation.process;
    let space = model.space(process);
    let reach = operation.call.reaches().next()?;
    let address = model.resolve(process, reach.address);
    let length = match reach.bytes {
        Bytes::Path | Bytes::NewPath => path_bytes(model, process, address),
        Bytes::Exactly(_) | Bytes::Buffer(_) | Bytes::ReadFrom { .. } => {
            model.bytes_of(process, reach.bytes).max(1)
        }
    };
    let places = model.places_of(process, &reach);
    let looked_at = || {
        let pages = places.clone().flat_map(|start| pages_of(start, length));
        pages.take(PAGES_LOOKED_AT)
    };
    let is_forbidden = |page: &u64| {
        space
            .permissions(page * PAGE_SIZE, &model.world)
            .is_none_or(|permissions| !permissions.contains(reach.access.needs()))
    };
    let costs = |page: &u64| space.page_may_need_frame(*page, reach.access);
    let decisive = looked_at()
        .find(is_forbidden)
        .or_else(|| looked_at().find(costs));
    let decisive = match decisive {
        Some(page) if page != address / PAGE_SIZE => page * PAGE_SIZE,
        Some(_) | None => address,
    };
    Some(space.page_state(decisive))
}

/// The most pages of an operation that are looked at.
const PAGES_LOOKED_AT: usize = 16;

/// How many bytes the path at `address` has, including the zero that ends it.
fn path_bytes(model: &Model, process: Process, address: u64) -> u64 {
    let space = model.space(process);
    let (_, most) = space.reach(address, Reach::PATH_BYTES, Access::Load, &model.world);
    let mut path = [0; Reach::PATH_BYTES as usize];
    let readable = &mut path[..most as usize];
    space.peek(address, readable);
    let end = readable.iter().position(|byte| *byte == 0);
    end.map_or(Reach::PATH_BYTES, |end| end as u64 + 1)
}

/// How an operation of `process` ends in the model.
pub(super) fn fate(replies: &[Reply], process: Process) -> Fate {
    let own = replies.iter().rev().find(|reply| reply.process == process);
    match own.map(|own| own.outcome) {
        Some(Outcome::Returns(Answer::Exactly(FAILED))) => Fate::Fails,
        Some(Outcome::Blocks) => Fate::Sleeps,
        Some(Outcome::Dies(Death::ForbiddenAccess | Death::Killed | Death::Exited)) => Fate::Ends,
        _ => Fate::GoesOn,
    }
}

impl Judge {
    /// Whether `operation` would lead to a situation that is avoided.
    pub(super) fn is_avoided(&self, operation: &Operation) -> bool {
        if self.avoided.is_empty() {
            return false;
        }
        let kind = operation.call.kind();
        let alike = |avoided: &&Situation| avoided.kind == kind;
        if !self.avoided.iter().any(|avoided| alike(&avoided)) {
            return false;
        }
        let (page, extent) = Situation::met(&self.model, operation);
        let mut alike = self.avoided.iter().filter(alike);
        let mut fate = None;
        alike.any(|avoided| {
            avoided.page == page
                && avoided.extent == extent
                && avoided.fate == *fate.get_or_insert_with(|| self.ideal_fate(operation))
        })
    }

    /// The situation of an operation that was performed, or was about to be performed.
    pub(super) fn situation(&self, planned: &Planned) -> Situation {
        let operation = &planned.operation;
        let in_hand = self.planned.is_some_and(|now| now.index == planned.index);
        let died = self.model.ended(operation.process);
        let fate = if died.is_some_and(|ended| ended.step == planned.index) {
            Fate::Ends
        } else if !in_hand {
            Fate::GoesOn
        } else {
            fate(self.model.replies(), operation.process)
        };
        Situation {
            kind: operation.call.kind(),
            page: planned.met,
            fate,
            extent: planned.extent,
        }
    }

    /// The situation of an operation in which a process fell asleep.
    pub(super) fn woken(&self, slept: &Planned) -> Situation {
        Situation {
            kind: slept.operation.call.kind(),
            page: slept.met,
            fate: Fate::Sleeps,
            extent: slept.extent,
        }
    }

    /// How `operation` ends on a perfect kernel.
    pub(super) fn ideal_fate(&self, operation: &Operation) -> Fate {
        let mut model = self.model.clone();
        let replies = model.perform(self.next, operation, &Witness::ideal());
        fate(replies, operation.process)
    }

    /// The situation of the last operation that was performed.
    pub fn last_situation(&self) -> Option<Situation> {
        let last = self.done.last()?;
        Some(Situation {
            kind: last.operation.call.kind(),
            page: last.met,
            fate: fate(self.model.replies(), last.operation.process),
            extent: last.extent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Extent, Fate, Situation};
    use crate::case::Kind;
    use crate::model::PageState;

    #[test]
    fn a_situation_is_read_back_from_its_words() {
        for kind in Kind::ALL {
            for page in PageState::ALL.map(Some).into_iter().chain([None]) {
                for fate in Fate::ALL {
                    for extent in Extent::ALL {
                        let situation = Situation {
                            kind,
                            page,
                            fate,
                            extent,
                        };
                        assert_eq!(situation.to_string().parse(), Ok(situation));
                    }
                }
            }
        }
        for wrong in [
            "",
            "fork",
            "fork/lazy/ends/nothing/more",
            "fork/lazy/ends/much",
        ] {
            assert!(wrong.parse::<Situation>().is_err(), "{wrong}");
        }
    }
}
