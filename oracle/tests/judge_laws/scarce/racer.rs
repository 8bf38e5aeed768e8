//! An operation as steps of a kernel; steps of other operations may come between them.

use super::ScarceKernel;
use super::touches::{self, Touch};
use oracle::case::{Family, Kind};
use oracle::model::{FAILED, Model};
use oracle::{Call, Dialect, Judge, Operation, Step};
use std::collections::VecDeque;

const PAGE_SIZE: u64 = 4096;
/// Frames that a fork or an `exec` takes for the kernel's own use.
const FRAMES_OF_A_SPACE: usize = 3;

/// One step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Does the page need a frame?
    Look(Touch),
    /// Ask for it.
    Ask(Touch),
    /// Map it, and release the frame that was shared.
    Give(Touch),
    /// Ask for a frame that the kernel keeps.
    AskForKernel,
    /// Unmap a page.
    Release(u64),
    /// Take effect, as far as others can see.
    Act,
}

/// A process in the middle of its operation.
#[derive(Clone, Debug)]
pub(super) struct Racer {
    pub(super) index: usize,
    pub(super) operation: Operation,
    pub(super) step: Step,
    /// What it touches.
    pub(super) touches: Vec<Touch>,
    /// What is left to do.
    pub(super) work: VecDeque<Work>,
}

impl Racer {
    pub(super) fn new(
        index: usize,
        operation: &Operation,
        step: &Step,
        kernel: &mut ScarceKernel,
        judge: &Judge,
    ) -> Racer {
        let touches = touches::of(&kernel.model, judge, operation);
        let work = steps_of(operation, &touches, kernel);
        Racer {
            index,
            operation: *operation,
            step: *step,
            touches,
            work,
        }
    }
}

fn steps_of(operation: &Operation, touches: &[Touch], kernel: &mut ScarceKernel) -> VecDeque<Work> {
    let asks = |count: usize| std::iter::repeat_n(Work::AskForKernel, count);
    let process = operation.process;
    let mut work: VecDeque<Work> = VecDeque::new();
    match operation.call.kind() {
        Kind::Fork | Kind::Exec => work.extend(asks(FRAMES_OF_A_SPACE)),
        Kind::Pipe => work.extend(asks(1)),
        Kind::Exit => work.extend(
            kernel
                .frames
                .mapped(process, 0)
                .into_iter()
                .map(Work::Release),
        ),
        _ => {}
    }
    // A sleeper may look at its memory before it sleeps, or only when it wakes.
    if !touches::falls_asleep(&kernel.model, operation) || kernel.chance.below(2) == 0 {
        work.extend(touches.iter().copied().map(Work::Look));
    }
    if let Call::Sbrk { flavour, .. } = operation.call {
        let before = kernel.model.program_break(process);
        let after = touches::break_after(&kernel.model, operation);
        if after < before {
            let first = after.div_ceil(PAGE_SIZE);
            let gone = kernel.frames.mapped(process, first).into_iter();
            work.extend(gone.map(Work::Release));
        }
        if after > before && kernel.dialect.sbrk.is_eager(flavour) {
            work.extend(asks((after - before).div_ceil(PAGE_SIZE) as usize));
        }
    }
    // Frames may be given back before or after the others see the effect.
    let gives_back = work.iter().all(|step| matches!(step, Work::Release(_)));
    if gives_back && kernel.chance.below(2) == 0 {
        work.push_front(Work::Act);
    } else {
        work.push_back(Work::Act);
    }
    work
}

/// What an operation returns that finds no frame for `touch`; `None`: it dies.
pub(super) fn refused_value(
    dialect: &Dialect,
    model: &Model,
    operation: &Operation,
    touch: &Touch,
) -> Option<u64> {
    let kind = operation.call.kind();
    if kind.family() == Family::Access {
        return None;
    }
    let moves_on = touches::moves_a_part(model, operation);
    let first = match kind {
        Kind::Read => dialect.pipe.read_to_bad_first_byte,
        _ => dialect.pipe.write_to_bad_first_byte,
    };
    Some(match touch.before {
        _ if !moves_on => FAILED,
        0 => i64::from(first) as u64,
        moved => moved,
    })
}
