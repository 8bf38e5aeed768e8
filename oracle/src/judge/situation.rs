//! Situations: what findings of one cause have in common, and what a campaign steers around.

use super::{Judge, Planned};
use crate::case::{Call, Kind, Operation, Process};
use crate::layout::PAGE_SIZE;
use crate::model::{
    Access, Answer, BreakMove, Death, FAILED, Model, Outcome, PageState, Reply, Witness, pages_of,
};
use abi::limits::PATH;
use abi::stat::Stat;

/// A heap, or a move of the break, of so many pages is vast: a kernel that walks it page by page
/// shows it.
const VAST_PAGES: u64 = 1 << 14;

/// An operation of a kind that meets a page in a state and must come to an end of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Situation {
    /// What kind of operation.
    pub kind: Kind,
    /// The state of the page that it touches, before it does: of the first one that may not be touched,
    /// else of the first one that may cost a frame, else of the first one. `None` if it names no page,
    /// or none matters.
    pub page: Option<PageState>,
    /// How it ends on a perfect kernel.
    pub fate: Fate,
    /// How much memory is at stake.
    pub extent: Extent,
}

/// How an operation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Its process goes on, with an answer.
    GoesOn,
    /// It returns -1.
    Fails,
    /// Its process sleeps.
    Sleeps,
    /// Its process ends.
    Ends,
}

impl Fate {
    /// A word for tables.
    pub fn word(self) -> &'static str {
        match self {
            Fate::GoesOn => "goes-on",
            Fate::Fails => "fails",
            Fate::Sleeps => "sleeps",
            Fate::Ends => "ends",
        }
    }
}

/// How much memory an operation that names no page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// It names a page, or is about no memory.
    Nothing,
    /// A break that rises a little, or a small heap.
    Small,
    /// A break that falls a little.
    LittleLess,
    /// A break that rises by more than 64 MiB, or a heap of so much.
    Vast,
    /// A break that falls by so much.
    VastlyLess,
}

impl Situation {
    /// What can be said of an operation before it is performed, without asking the model how it ends.
    pub(super) fn met(model: &Model, operation: &Operation) -> (Option<PageState>, Extent) {
        let process = operation.process;
        match operation.call {
            Call::Sbrk { amount, .. } => {
                let before = model.program_break(process);
                let after = match model.break_move(process, amount) {
                    BreakMove::To(after) => after,
                    BreakMove::Ignored | BreakMove::Refused => before,
                };
                let is_vast = after.abs_diff(before) / PAGE_SIZE >= VAST_PAGES;
                let extent = match (after < before, is_vast) {
                    (false, false) => Extent::Small,
                    (true, false) => Extent::LittleLess,
                    (false, true) => Extent::Vast,
                    (true, true) => Extent::VastlyLess,
                };
                (None, extent)
            }
            Call::Fork { .. } | Call::Exit { .. } | Call::Wait { status: None } => {
                match model.program_break(process) / PAGE_SIZE >= VAST_PAGES {
                    true => (None, Extent::Vast),
                    false => (None, Extent::Small),
                }
            }
            _ => (page_met(model, operation), Extent::Nothing),
        }
    }
}

/// The state of the page that an operation goes wrong on, if it does.
fn page_met(model: &Model, operation: &Operation) -> Option<PageState> {
    let process = operation.process;
    let space = model.space(process);
    let address = model.resolve(process, operation.call.address()?);
    let (length, access) = reach(model, operation, address);
    let every = match operation.call {
        Call::Touch { count, stride, .. } => (u64::from(count.get()), stride.bytes()),
        _ => (1, 0),
    };
    let touches = (0..every.0).map(|nth| address.wrapping_add(nth * every.1));
    let looked_at = || {
        let pages = touches.clone().flat_map(|start| pages_of(start, length));
        pages.take(PAGES_LOOKED_AT)
    };
    let is_forbidden = |page: &u64| {
        space
            .permissions(page * PAGE_SIZE, &model.world)
            .is_none_or(|permissions| !permissions.contains(access.needs()))
    };
    let costs = |page: &u64| space.page_may_need_frame(*page, access);
    let decisive = looked_at()
        .find(is_forbidden)
        .or_else(|| looked_at().find(costs));
    let decisive = match decisive {
        Some(page) if page != address / PAGE_SIZE => page * PAGE_SIZE,
        _ => address,
    };
    Some(space.page_state(decisive))
}

/// Pages of an operation that are looked at, at most.
const PAGES_LOOKED_AT: usize = 16;

/// How many bytes an operation moves from `address` on, and what it does to them.
fn reach(model: &Model, operation: &Operation, address: u64) -> (u64, Access) {
    let process = operation.process;
    match operation.call {
        Call::Load { width, .. } => (width.bytes(), Access::Load),
        Call::Store { width, .. } => (width.bytes(), Access::Store),
        Call::Fetch { .. } => (2, Access::Fetch),
        Call::Touch { write: false, .. } => (1, Access::Load),
        Call::Touch { write: true, .. } => (1, Access::Store),
        Call::String {
            text, terminated, ..
        } => {
            let length = text.bytes().len() as u64 + u64::from(terminated);
            (length.max(1), Access::Store)
        }
        Call::Point { .. } | Call::Pipe { .. } => (8, Access::Store),
        Call::Wait { .. } => (4, Access::Store),
        Call::Fstat { .. } => (Stat::SIZE as u64, Access::Store),
        Call::Read { fd, length, .. } => {
            (model.readable(process, fd, length).max(1), Access::Store)
        }
        Call::Write { length, .. } => (u64::try_from(length).unwrap_or(0).max(1), Access::Load),
        _ => {
            let space = model.space(process);
            let (_, most) = space.reach(address, PATH as u64, Access::Load, &model.world);
            let mut path = [0; PATH];
            let readable = &mut path[..most as usize];
            space.peek(address, readable);
            let end = readable.iter().position(|byte| *byte == 0);
            (end.map_or(PATH, |end| end + 1) as u64, Access::Load)
        }
    }
}

/// How the model has let an operation of `process` end.
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
    /// Whether `operation` is one that goes wrong in a way that is known already.
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

    /// The situation in which an operation went wrong that was performed, or was to be.
    pub(super) fn situation(&self, planned: &Planned) -> Situation {
        let operation = &planned.operation;
        let in_hand = self.planned.is_some_and(|now| now.index == planned.index);
        let died = self.model.ended(operation.process);
        let fate = match died.is_some_and(|ended| ended.step == planned.index) {
            true => Fate::Ends,
            false if !in_hand => Fate::GoesOn,
            false => fate(self.model.replies(), operation.process),
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
