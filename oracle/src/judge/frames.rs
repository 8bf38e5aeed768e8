//! What a step may cost in frames: the clauses which say that a kernel is lazy, and that it frees what it
//! unmaps.

use super::{Clause, Finding, Judge, Observation, Planned};
use crate::case::{Access, Bytes, Call, Cost, Operation, Process};
use crate::dialect::{BadBuffer, ForkMemory, Loading};
use crate::layout::{PAGE_SIZE, page_ceiling};
use crate::model::{Model, Outcome, PageSet, pages_of};

/// Page tables below the root that map a single page.
const TABLES_OF_A_PAGE: u64 = 2;

/// How many frames a step may take and must give back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Budget {
    /// The most frames that may be gone afterwards.
    take_at_most: Option<Bound>,
    /// The fewest frames that must have come back.
    give_at_least: Option<Bound>,
}

/// A number of frames, and the clause that requires it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bound {
    frames: u64,
    clause: Clause,
}

impl Budget {
    fn take(frames: u64, clause: Clause) -> Budget {
        Budget {
            take_at_most: Some(Bound { frames, clause }),
            give_at_least: None,
        }
    }

    fn and_give(self, frames: u64, clause: Clause) -> Budget {
        let give_at_least = Some(Bound { frames, clause });
        Budget {
            give_at_least,
            ..self
        }
    }

    /// The fewest frames that must have come back.
    pub(super) fn must_give(self) -> u64 {
        self.give_at_least.map_or(0, |bound| bound.frames)
    }

    /// The budget of `operation`, before the model performs it. `pages` is scratch space.
    pub(super) fn of(model: &Model, operation: &Operation, pages: &mut PageSet) -> Budget {
        let process = operation.process;
        if takes_more(model, operation) {
            return Budget::default();
        }
        let mut touched = Touched::new(model, process, pages);
        match operation.call.kind().cost() {
            Cost::Touched | Cost::Release | Cost::Victim => {
                Budget::take(touched.by(operation).frames(), Clause::TouchTakesOne)
            }
            Cost::OneMore => {
                Budget::take(touched.by(operation).frames() + 1, Clause::TouchTakesOne)
            }
            Cost::Growth => growth(model, operation),
            Cost::Child => {
                let frames = of_a_child(model, process, touched.fresh);
                Budget::take(frames, Clause::ForkShares)
            }
            Cost::Crowd => Budget::take(for_crowd(model, operation), Clause::ForkShares),
            Cost::Program => {
                let old = model.space(process).private().count();
                Budget::take(u64::MAX, Clause::ExecTakesLittle)
                    .and_give(old, Clause::ExecTakesLittle)
            }
            Cost::Outside => Budget::default(),
        }
    }

    /// The budget of an operation of `process` after the model has performed it. What an `exec` may cost depends on
    /// what the new program touched when it started. An `exec` that fails has no budget, because the kernel may
    /// have needed frames for the pages of the old program that it looked at.
    pub(super) fn settled(self, model: &Model, process: Process) -> Budget {
        let Some(Bound {
            frames: old,
            clause: Clause::ExecTakesLittle,
        }) = self.give_at_least
        else {
            return self;
        };
        let own = model.replies().iter().find(|own| own.process == process);
        if !own.is_some_and(|own| matches!(own.outcome, Outcome::Starts { .. })) {
            return Budget::default();
        }
        let space = model.space(process);
        let mut pages = space.touched().clone();
        if model.world.dialect.exec.loading == Loading::AtOnce {
            space.insert_image(&mut pages);
            // Such a kernel takes a frame for the guard page, and another process may share the old one.
            pages.insert(pages_of(space.layout().guard.start, PAGE_SIZE));
        }
        // The old program had tables at least for the page of its first instruction.
        let cost = pages.count() + pages.tables() - TABLES_OF_A_PAGE;
        Budget::take(cost.saturating_sub(old), Clause::ExecTakesLittle)
            .and_give(old.saturating_sub(cost), Clause::ExecTakesLittle)
    }
}

impl Judge {
    /// Compares the frames that a step took with its budget, if only the acting process can have taken or freed
    /// any.
    pub(super) fn compare_frames_taken(
        &self,
        planned: &Planned,
        observation: &Observation,
    ) -> Result<(), Finding> {
        let Some((before, after)) = observation.frames.filter(|_| self.acts_alone(planned)) else {
            return Ok(());
        };
        let own = planned.operation.process;
        let taken = before.saturating_sub(after);
        match planned.budget.settled(&self.model, own).take_at_most {
            Some(most) if taken > most.frames => {
                let expected = match most.frames {
                    0 => "no frame is taken".to_owned(),
                    most => format!("at most {most} frames are taken"),
                };
                let seen = format!("{taken} frames are taken");
                Err(self.over_budget(most, own, expected, seen))
            }
            _ => Ok(()),
        }
    }

    /// Compares the frames that a step gave back with its budget, under the same condition.
    pub(super) fn compare_frames_given(
        &self,
        planned: &Planned,
        observation: &Observation,
    ) -> Result<(), Finding> {
        let Some((before, after)) = observation.frames.filter(|_| self.acts_alone(planned)) else {
            return Ok(());
        };
        let own = planned.operation.process;
        let given = after.saturating_sub(before);
        match planned.budget.settled(&self.model, own).give_at_least {
            Some(least) if given < least.frames => {
                let expected = format!(
                    "at least {} frames come back: that many pages were stored to and then given back",
                    least.frames
                );
                let seen = format!("{given} frames come back");
                Err(self.over_budget(least, own, expected, seen))
            }
            _ => Ok(()),
        }
    }

    /// Whether only the acting process, or its child, can have taken frames or given some back.
    fn acts_alone(&self, planned: &Planned) -> bool {
        let own = planned.operation.process;
        self.model.replies().iter().all(|reply| {
            let dies = matches!(reply.outcome, Outcome::Dies(_));
            (reply.process == own && !dies) || reply.outcome == Outcome::Born
        })
    }

    fn over_budget(&self, bound: Bound, own: Process, expected: String, seen: String) -> Finding {
        let mut finding = self.finding(bound.clause, own, expected, seen);
        finding.subject = Some(bound.frames);
        finding
    }
}

/// Whether an operation may take frames for something other than what it touches.
pub(super) fn takes_more(model: &Model, operation: &Operation) -> bool {
    let process = operation.process;
    // The kernel may take frames to keep the old content for a program that runs.
    if let Call::Open { address, flags, .. } = operation.call {
        return model.truncates_program(process, address, flags);
    }
    if let Call::Write { fd, .. } = operation.call {
        return model.writes_program(process, fd);
    }
    // A read makes room in a pipe, and a writer that slept continues.
    matches!(operation.call, Call::Read { .. }) && model.is_any_blocked()
}

fn growth(model: &Model, operation: &Operation) -> Budget {
    let Call::Sbrk { amount, flavour } = operation.call else {
        return Budget::default();
    };
    let process = operation.process;
    let before = model.program_break(process);
    let after = model.break_after(process, amount);
    if after > before && model.world.dialect.sbrk.is_eager(flavour) {
        return Budget::default();
    }
    let given_back = page_ceiling(after) / PAGE_SIZE..page_ceiling(before) / PAGE_SIZE;
    let private = model.space(process).private().count_in(given_back);
    Budget::take(0, Clause::GrowthTakesNothing).and_give(private, Clause::ShrinkGivesBack)
}

/// The most frames that a child of `process` takes. `mapped` is scratch space.
pub(super) fn of_a_child(model: &Model, process: Process, mapped: &mut PageSet) -> u64 {
    model.space(process).may_be_mapped(mapped, &model.world);
    let fork = &model.world.dialect.fork;
    let copies = match fork.memory {
        ForkMemory::Shared => 0,
        ForkMemory::Copied => mapped.count(),
    };
    fork.overhead_frames + mapped.tables() + copies
}

/// The most frames that the crowd takes that `operation` makes.
pub(super) fn for_crowd(model: &Model, operation: &Operation) -> u64 {
    let Call::Crowd { members } = operation.call else {
        return 0;
    };
    u64::from(members.get()) * of_a_child(model, operation.process, &mut PageSet::default())
}

/// How many bytes a kernel touches. A kernel that checks a whole buffer before it copies a byte touches all of
/// it, and at least one byte.
fn bytes_touched(model: &Model, process: Process, bytes: Bytes) -> u64 {
    let looks_first = model.world.dialect.files.bad_buffer == BadBuffer::Refused;
    match bytes {
        Bytes::Buffer(length) | Bytes::ReadFrom { length, .. } if looks_first => {
            u64::try_from(length).unwrap_or(0).max(1)
        }
        Bytes::Exactly(_)
        | Bytes::Buffer(_)
        | Bytes::ReadFrom { .. }
        | Bytes::Path
        | Bytes::NewPath => model.bytes_of(process, bytes),
    }
}

/// The pages that an operation touches and that may cost something.
pub(super) struct Touched<'a> {
    model: &'a Model,
    process: Process,
    /// Pages that were not touched yet: these may need tables.
    fresh: &'a mut PageSet,
    /// Pages that were touched but are shared: a store may need a copy.
    copies: u64,
    last_copied: Option<u64>,
}

impl<'a> Touched<'a> {
    /// No page yet. `fresh` is scratch space.
    pub(super) fn new(model: &'a Model, process: Process, fresh: &'a mut PageSet) -> Touched<'a> {
        fresh.clear();
        Touched {
            model,
            process,
            fresh,
            copies: 0,
            last_copied: None,
        }
    }

    /// Adds everything that an operation touches.
    pub(super) fn by(&mut self, operation: &Operation) -> &Self {
        for reach in operation.call.reaches() {
            let length = bytes_touched(self.model, self.process, reach.bytes);
            for place in self.model.places_of(self.process, &reach) {
                self.bytes(place, length, reach.access);
            }
        }
        self
    }

    fn bytes(&mut self, address: u64, length: u64, access: Access) {
        let space = self.model.space(self.process);
        for page in pages_of(address, length) {
            if !space.page_may_need_frame(page, access) {
                continue;
            }
            if !space.touched().contains(page) {
                self.fresh.insert(page..page + 1);
            } else if self.last_copied != Some(page) {
                self.last_copied = Some(page);
                self.copies += 1;
            }
        }
    }

    /// The most frames that these pages take.
    pub(super) fn frames(&self) -> u64 {
        self.fresh.count() + self.fresh.tables() + self.copies
    }
}
