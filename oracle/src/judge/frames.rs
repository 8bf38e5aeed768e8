//! What a step may cost in frames: the clauses that say a kernel is lazy, and gives back.

use super::Clause;
use crate::case::{Address, Call, Flavour, Operation, Process};
use crate::dialect::{BadBuffer, ForkMemory, Loading};
use crate::layout::{PAGE_SIZE, page_ceiling};
use crate::model::{Access, BreakMove, Model, Outcome, PageSet, pages_of};
use abi::limits::PATH;
use abi::stat::Stat;

/// Page tables below the root that map a single page.
const TABLES_OF_A_PAGE: u64 = 2;

/// What a step may take and must give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Budget {
    /// The most frames that may be gone afterwards.
    pub(super) take_at_most: u64,
    /// The clause that this bound belongs to.
    pub(super) clause: Option<Clause>,
    /// The fewest frames that must have come back.
    pub(super) give_at_least: u64,
}

impl Budget {
    fn take(frames: u64, clause: Clause) -> Budget {
        Budget {
            take_at_most: frames,
            clause: Some(clause),
            give_at_least: 0,
        }
    }

    /// The budget of `operation`, before the model performs it. `pages` is scratch space.
    pub(super) fn of(model: &Model, operation: &Operation, pages: &mut PageSet) -> Budget {
        let process = operation.process;
        let mut touch = Touched::new(model, process, pages);
        match operation.call {
            Call::Sbrk { amount, flavour } => {
                let before = model.program_break(process);
                let after = match model.break_move(process, amount) {
                    BreakMove::To(after) => after,
                    BreakMove::Ignored | BreakMove::Refused => before,
                };
                sbrk(model, process, before, after, flavour)
            }
            Call::Load { width, address } => {
                touch.at(address, width.bytes(), Access::Load);
                touch.budget(0)
            }
            Call::Store { width, address, .. } => {
                touch.at(address, width.bytes(), Access::Store);
                touch.budget(0)
            }
            Call::Fetch { address } => {
                touch.at(address, 2, Access::Fetch);
                touch.budget(0)
            }
            Call::Touch {
                address,
                count,
                stride,
                write,
            } => {
                let access = if write { Access::Store } else { Access::Load };
                let first = model.resolve(process, address);
                for step in 0..u64::from(count.get()) {
                    touch.bytes(first.wrapping_add(step * stride.bytes()), 1, access);
                }
                touch.budget(0)
            }
            Call::Fork { .. } => {
                let mapped = touch.fresh;
                model.space(process).may_be_mapped(mapped, &model.world);
                let fork = &model.world.dialect.fork;
                let copies = match fork.memory {
                    ForkMemory::Shared => 0,
                    ForkMemory::Copied => mapped.count(),
                };
                let frames = fork.overhead_frames + mapped.tables() + copies;
                Budget::take(frames, Clause::ForkShares)
            }
            Call::String {
                address,
                text,
                terminated,
            } => {
                let length = text.bytes().len() as u64 + u64::from(terminated);
                touch.at(address, length, Access::Store);
                touch.budget(0)
            }
            Call::Point { address, .. } => {
                touch.at(address, 8, Access::Store);
                touch.budget(0)
            }
            // To keep what a running program holds takes frames.
            Call::Open { address, flags, .. }
                if model.truncates_program(process, address, flags) =>
            {
                Budget::default()
            }
            Call::Write { fd, .. } if model.writes_program(process, fd) => Budget::default(),
            Call::Open { address, .. }
            | Call::Chdir { address }
            | Call::Unlink { address }
            | Call::Mkdir { address }
            | Call::Mknod { address, .. } => {
                touch.at(address, PATH as u64, Access::Load);
                touch.budget(0)
            }
            Call::Link { address, new } => {
                touch.at(address, PATH as u64, Access::Load);
                touch.at(new, PATH as u64, Access::Load);
                touch.budget(0)
            }
            Call::Fstat { address, .. } => {
                touch.at(address, Stat::SIZE as u64, Access::Store);
                touch.budget(0)
            }
            Call::Exec { .. } => Budget {
                take_at_most: u64::MAX,
                clause: Some(Clause::ExecTakesLittle),
                give_at_least: model.space(process).private().count(),
            },
            Call::Pipe { address } => {
                touch.at(address, 8, Access::Store);
                touch.budget(1)
            }
            Call::Wait {
                status: Some(address),
            } => {
                touch.at(address, 4, Access::Store);
                touch.budget(0)
            }
            // The room that it makes lets a sleeping writer go on.
            Call::Read { .. } if model.anybody_blocked() => Budget::default(),
            Call::Read {
                fd,
                address,
                length,
            } => {
                let length = match looks_first(model) {
                    true => whole_buffer(length),
                    false => model.readable(process, fd, length),
                };
                touch.at(address, length, Access::Store);
                touch.budget(0)
            }
            Call::Write {
                address, length, ..
            } => {
                let length = match looks_first(model) {
                    true => whole_buffer(length),
                    false => u64::try_from(length).unwrap_or(0),
                };
                touch.at(address, length, Access::Load);
                touch.budget(0)
            }
            // What the environment takes is not the kernel's doing.
            Call::Frames { .. } | Call::FailFrame { .. } | Call::Together { .. } => {
                Budget::default()
            }
            _ => Budget::take(0, Clause::TouchTakesOne),
        }
    }

    /// The budget of an operation of `process` that the model has performed: what an `exec` may
    /// cost is known by what the new program touched when it started. One that fails may cost the
    /// old program what was looked at.
    pub(super) fn settled(self, model: &Model, process: Process) -> Budget {
        if self.clause != Some(Clause::ExecTakesLittle) {
            return self;
        }
        let own = model.replies().iter().find(|own| own.process == process);
        if !own.is_some_and(|own| matches!(own.outcome, Outcome::Starts { .. })) {
            return Budget::default();
        }
        let space = model.space(process);
        let mut pages = space.touched().clone();
        if model.world.dialect.exec.loading == Loading::AtOnce {
            space.insert_image(&mut pages);
            // Such a kernel takes a frame for the guard page, and the old one may be somebody else's.
            pages.insert(pages_of(space.layout().guard.start, PAGE_SIZE));
        }
        // The old program had tables at least for the page of its first instruction.
        let cost = pages.count() + pages.tables() - TABLES_OF_A_PAGE;
        Budget {
            take_at_most: cost.saturating_sub(self.give_at_least),
            give_at_least: self.give_at_least.saturating_sub(cost),
            clause: self.clause,
        }
    }
}

/// Whether the kernel looks at a whole buffer before it moves a byte, and so touches all of it.
fn looks_first(model: &Model) -> bool {
    model.world.dialect.files.bad_buffer == BadBuffer::Refused
}

/// How many bytes such a kernel looks at: one at least.
fn whole_buffer(length: i16) -> u64 {
    u64::try_from(length).unwrap_or(0).max(1)
}

fn sbrk(model: &Model, process: Process, before: u64, after: u64, flavour: Flavour) -> Budget {
    if after > before && model.world.dialect.sbrk.is_eager(flavour) {
        return Budget::default();
    }
    let given_back = page_ceiling(after) / PAGE_SIZE..page_ceiling(before) / PAGE_SIZE;
    Budget {
        give_at_least: model.space(process).private().count_in(given_back),
        ..Budget::take(0, Clause::GrowthTakesNothing)
    }
}

/// The pages that an operation touches and that may cost something.
struct Touched<'a> {
    model: &'a Model,
    process: Process,
    /// Pages that were not touched yet: these may need tables.
    fresh: &'a mut PageSet,
    /// Pages that were, but are shared: a store may need a copy.
    copies: u64,
    last_copied: Option<u64>,
}

impl<'a> Touched<'a> {
    fn new(model: &'a Model, process: Process, fresh: &'a mut PageSet) -> Touched<'a> {
        fresh.clear();
        Touched {
            model,
            process,
            fresh,
            copies: 0,
            last_copied: None,
        }
    }

    fn at(&mut self, address: Address, length: u64, access: Access) {
        self.bytes(self.model.resolve(self.process, address), length, access);
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

    fn budget(&self, more: u64) -> Budget {
        let frames = self.fresh.count() + self.fresh.tables() + self.copies + more;
        Budget::take(frames, Clause::TouchTakesOne)
    }
}
