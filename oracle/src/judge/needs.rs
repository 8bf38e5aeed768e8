//! How many frames an operation needs. If that many are free, the kernel must not refuse it one.

use super::frames::{Touched, for_crowd, of_a_child, takes_more};
use super::{Judge, Observation, Planned, compare};
use crate::case::{Call, Cost, Family, Operation, Process};
use crate::dialect::Loading;
use crate::layout::{PAGE_SIZE, page_ceiling};
use crate::model::{Model, PageSet, Witness};
use abi::limits::ARGUMENTS;

impl Judge {
    /// What was seen of each process in the planned step, which the model has not performed yet. If a frame was refused
    /// although enough were free, that does not count as a lack of frames.
    pub(super) fn witness(&self, planned: &Planned, observation: &Observation) -> Witness {
        let mut witness = compare::witness(observation);
        witness.disk = self.disk_seen(planned, observation);
        if !observation.out_of_frames {
            return witness;
        }
        let needed = frames_needed(&self.model, &planned.operation);
        if let (Some(needed), Some(free)) = (needed, observation.available)
            && needed <= free
        {
            witness.out_of_frames = false;
            witness.refused_with = Some(free);
        }
        witness
    }
}

/// The most frames that a kernel needs at once for an operation that applies. `None` if that is not known, for example
/// because the operation wakes others, which need frames as well.
fn frames_needed(model: &Model, operation: &Operation) -> Option<u64> {
    let process = operation.process;
    let kind = operation.call.kind();
    let cost = kind.cost();
    let is_alone =
        kind.family() == Family::Access || matches!(cost, Cost::Growth | Cost::Child | Cost::Crowd);
    if takes_more(model, operation) || (model.is_any_blocked() && !is_alone) {
        return None;
    }
    let mut pages = PageSet::default();
    let mut touched = || {
        Touched::new(model, process, &mut pages)
            .by(operation)
            .frames()
    };
    match cost {
        Cost::Touched | Cost::Release | Cost::Victim => Some(touched()),
        Cost::OneMore => Some(touched() + 1),
        Cost::Growth => Some(for_growth(model, operation)),
        Cost::Child => Some(for_child(model, process)),
        // A kernel that loads programs on demand reserves frames for each member.
        Cost::Crowd if model.world.dialect.exec.loading == Loading::OnDemand => None,
        Cost::Crowd => Some(for_crowd(model, operation)),
        Cost::Program => Some(touched() + for_program(model, operation)?),
        Cost::Outside => None,
    }
}

/// A frame for each page that an eager growth adds, and page tables.
fn for_growth(model: &Model, operation: &Operation) -> u64 {
    let Call::Sbrk { amount, flavour } = operation.call else {
        return 0;
    };
    let process = operation.process;
    let before = model.program_break(process);
    let after = model.break_after(process, amount);
    if after <= before || !model.world.dialect.sbrk.is_eager(flavour) {
        return 0;
    }
    let mut pages = PageSet::default();
    pages.insert(page_ceiling(before) / PAGE_SIZE..page_ceiling(after) / PAGE_SIZE);
    pages.count() + pages.tables()
}

/// The frames that a child takes. A kernel that loads programs on demand may reserve frames for the pages that are not
/// loaded yet.
fn for_child(model: &Model, process: Process) -> u64 {
    let taken = of_a_child(model, process, &mut PageSet::default());
    match model.world.dialect.exec.loading {
        Loading::AtOnce => taken,
        Loading::OnDemand => taken + model.space(process).unloaded_pages(),
    }
}

/// The frames of the whole new program, which exists beside the old one, and a frame for each argument. `None` if no
/// program starts.
fn for_program(model: &Model, operation: &Operation) -> Option<u64> {
    let Call::Exec { address, .. } = operation.call else {
        return None;
    };
    let process = operation.process;
    let program = model.program_at(process, model.resolve(process, address))?;
    let mut pages = PageSet::default();
    pages.insert_image_of(&program);
    let overhead = model.world.dialect.fork.overhead_frames;
    Some(overhead + pages.count() + pages.tables() + ARGUMENTS as u64)
}
