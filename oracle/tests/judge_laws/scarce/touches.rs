//! The pages that an operation touches, in order, on a kernel that maps a page when it is touched.

use oracle::case::{Access, Bytes, Reach};
use oracle::model::{Answer, FAILED, Model, Outcome, Witness};
use oracle::{Call, Case, Judge, Operation, Process, ProcessState};

const PAGE_SIZE: u64 = 4096;

/// A page that is touched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    pub(super) page: u64,
    pub(super) access: Access,
    /// Bytes of the same buffer that lie in the pages before it.
    pub(super) before: u64,
}

impl Touch {
    /// What the kernel keeps a frame for.
    pub(super) const NONE: Touch = Touch {
        page: 0,
        access: Access::Load,
        before: 0,
    };
}

/// What `operation` does if nothing else happens meanwhile.
pub(super) fn answer(model: &Model, operation: &Operation) -> Option<u64> {
    let mut alone = model.clone();
    let replies = alone.perform(0, operation, &Witness::ideal());
    let own = replies.iter().rev();
    let mut own = own.filter(|reply| reply.process == operation.process);
    match own.next()?.outcome {
        Outcome::Returns(Answer::Exactly(value)) => Some(value),
        _ => None,
    }
}

/// Whether `operation` makes its process sleep, if nothing else happens meanwhile.
pub(super) fn falls_asleep(model: &Model, operation: &Operation) -> bool {
    let mut alone = model.clone();
    alone.perform(0, operation, &Witness::ideal());
    alone.state_of(operation.process) == ProcessState::Blocked
}

/// The program break after `operation`, if nothing else happens meanwhile.
pub(super) fn break_after(model: &Model, operation: &Operation) -> u64 {
    let mut alone = model.clone();
    alone.perform(0, operation, &Witness::ideal());
    alone.program_break(operation.process)
}

/// Whether a descriptor leads to a file: `fstat` succeeds.
fn is_file(model: &Model, process: Process, fd: i8) -> bool {
    let text = format!("faultline 1\n{process}: fstat {fd} stack[0]\n");
    let case = Case::parse(&text).expect("it is a case");
    answer(model, &case.operations[0]) == Some(0)
}

/// Whether an operation may move a part of its bytes.
pub(super) fn moves_a_part(model: &Model, operation: &Operation) -> bool {
    match operation.call {
        Call::Read { fd, .. } => !is_file(model, operation.process, fd),
        Call::Write { fd, .. } => {
            !is_file(model, operation.process, fd) && answer(model, operation) != Some(FAILED)
        }
        _ => false,
    }
}

/// What `operation` touches, up to the first page that it must not touch.
pub(super) fn of(model: &Model, judge: &Judge, operation: &Operation) -> Vec<Touch> {
    let process = operation.process;
    let mut touches = Vec::new();
    for reach in operation.call.reaches() {
        let length = bytes(model, judge, operation, &reach);
        for step in 0..u64::from(reach.count.get()) {
            let first = model.resolve(process, reach.address);
            let start = first.wrapping_add(step * reach.stride.bytes());
            if !add(judge, process, start, length, reach.access, &mut touches) {
                return touches;
            }
        }
    }
    touches
}

/// Adds the pages of `length` bytes at `start`; false if one of them must not be touched.
fn add(
    judge: &Judge,
    process: Process,
    start: u64,
    length: u64,
    access: Access,
    touches: &mut Vec<Touch>,
) -> bool {
    let mut done = 0;
    while done < length {
        let Some(at) = start.checked_add(done) else {
            return false;
        };
        let permissions = judge.memory_of(process).permissions(at);
        if !permissions.is_some_and(|granted| granted.contains(access.needs())) {
            return false;
        }
        touches.push(Touch {
            page: at / PAGE_SIZE,
            access,
            before: done,
        });
        done += PAGE_SIZE - at % PAGE_SIZE;
    }
    true
}

fn bytes(model: &Model, judge: &Judge, operation: &Operation, reach: &Reach) -> u64 {
    match reach.bytes {
        Bytes::Exactly(bytes) => bytes,
        Bytes::Buffer(length) => u64::try_from(length).unwrap_or(0),
        Bytes::ReadFrom { length, .. } => match answer(model, operation) {
            Some(value) => u64::try_from(value as i64).unwrap_or(0),
            None => u64::try_from(length).unwrap_or(0),
        },
        Bytes::Path | Bytes::NewPath => {
            let mut path = [1; Reach::PATH_BYTES as usize];
            let start = model.resolve(operation.process, reach.address);
            judge.memory_of(operation.process).read(start, &mut path);
            let end = path.iter().position(|byte| *byte == 0);
            end.map_or(Reach::PATH_BYTES, |end| end as u64 + 1)
        }
    }
}
