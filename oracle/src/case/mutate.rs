//! Mutating cases operation by operation, for a fuzz engine's custom mutator.

use super::choices::{Choices, Seeded};
use super::generate::{address, amount, call, idiom, open_mode, someone, value};
use super::repair::Companion;
use super::{Call, Case, Operation, Process, Text, Width};

/// Changes `case` in one or a few places, by `seed`: the same seed does the same. The result is
/// repaired and has at most [`Case::MAX_OPERATIONS`] operations.
pub fn mutate(case: &mut Case, seed: u64) {
    let choices = &mut Seeded(seed);
    let times = 1 + choices.below(3);
    for _ in 0..times {
        mutate_once(case, choices);
    }
    case.repair();
}

/// A case that begins as `first` and goes on as `second`, by `seed`, repaired.
pub fn cross_over(first: &Case, second: &Case, seed: u64) -> Case {
    let choices = &mut Seeded(seed);
    let cut = |case: &Case, choices: &mut Seeded| {
        choices.below(case.operations.len() as u32 + 1) as usize
    };
    let (head, tail) = (cut(first, choices), cut(second, choices));
    let operations = first.operations[..head]
        .iter()
        .chain(&second.operations[tail..]);
    let mut case = Case {
        operations: operations.copied().take(Case::MAX_OPERATIONS).collect(),
    };
    case.repair();
    case
}

fn mutate_once(case: &mut Case, choices: &mut Seeded) {
    let operations = &mut case.operations;
    let count = operations.len() as u32;
    if count == 0 {
        return insert(case, choices);
    }
    let at = choices.below(count) as usize;
    match choices.below(16) {
        0..=3 => insert(case, choices),
        4 => {
            let end = (at + 1 + choices.below(4) as usize).min(operations.len());
            operations.drain(at..end);
        }
        5 => {
            let copied = operations[at];
            let to = choices.below(count + 1) as usize;
            operations.insert(to, copied);
        }
        6 => operations.swap(at, choices.below(count) as usize),
        7 => {
            let moved = operations.remove(at);
            operations.insert(choices.below(count) as usize, moved);
        }
        8 => operations[at].process = Process::from_bits(choices.below(8) as u8),
        9 => {
            let process = operations[at].process;
            let new = Companion::with(|companion| call(companion, process, choices));
            operations[at] = Operation::new(process, new);
        }
        _ => change(&mut operations[at].call, choices),
    }
}

/// Puts a few operations that belong together in front of one, or at the end.
fn insert(case: &mut Case, choices: &mut Seeded) {
    let at = choices.below(case.operations.len() as u32 + 1) as usize;
    let new = Companion::with(|companion| {
        for operation in &case.operations[..at] {
            companion.admit(*operation, false);
        }
        let process = someone(companion, choices);
        let calls = idiom(companion, process, choices);
        calls
            .into_iter()
            .map(move |call| Operation::new(process, call))
    });
    case.operations.splice(at..at, new);
    case.operations.truncate(Case::MAX_OPERATIONS);
}

/// Changes one thing about a call.
fn change(call: &mut Call, choices: &mut Seeded) {
    match call {
        Call::Sbrk {
            amount: by,
            flavour: _,
        } => *by = amount(choices),
        Call::Load { width, .. } if choices.one_in(3) => *width = choices.pick(&Width::ALL),
        Call::Store {
            width, value: what, ..
        } if choices.one_in(2) => {
            *width = choices.pick(&Width::ALL);
            *what = value(choices);
        }
        Call::Touch { write, .. } if choices.one_in(3) => *write = !*write,
        Call::Read { length, .. } | Call::Write { length, .. } if choices.one_in(2) => {
            *length = choices.below(1024) as i16;
        }
        Call::Read { fd, .. }
        | Call::Write { fd, .. }
        | Call::Close { fd }
        | Call::Dup { fd }
        | Call::Fstat { fd, .. }
            if choices.one_in(2) =>
        {
            *fd = choices.below(6) as i8 - 1;
        }
        Call::Wait { status } if choices.one_in(2) => {
            *status = match status {
                Some(_) => None,
                None => Some(address(choices)),
            };
        }
        Call::String {
            text, terminated, ..
        } if choices.one_in(2) => match choices.below(3) {
            0 => *terminated = !*terminated,
            _ => *text = Text::from_code(choices.below(u32::from(Text::COUNT)) as u8),
        },
        Call::Open { mode, .. } if choices.one_in(4) => *mode = open_mode(choices),
        call @ (Call::Point { .. } | Call::Exec { .. }) if choices.one_in(2) => {
            *call = call.with_second_address(address(choices));
        }
        Call::Exit { status } => *status = choices.below(512) as i32 - 256,
        Call::Frames { free } => *free = choices.below(16) as u16,
        other => *other = other.with_address(address(choices)),
    }
}
