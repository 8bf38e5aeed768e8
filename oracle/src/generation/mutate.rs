//! Mutating cases operation by operation, for a fuzz engine's custom mutator.

use super::choices::{Choices, Seeded};
use super::repair::{Companion, repair};
use super::{Profile, Scene, someone};
use crate::case::{Address, Call, Case, Operation, Process};

/// Operations of a case that is always shortened when it is mutated; shorter ones less often.
const LONG: u32 = 128;

/// The most operations that one mutation takes out, moves, or repeats.
const RUN: u32 = 4;

/// Changes `case` in one or a few places, chosen by `seed` and the preferences of `profile`: the same
/// seed makes the same changes. The result is repaired and has at most [`Case::MAX_OPERATIONS`] operations.
pub fn mutate(case: &mut Case, seed: u64, profile: Profile) {
    let choices = &mut Seeded(seed);
    let times = 1 + choices.below(3);
    for _ in 0..times {
        Companion::with(|companion| mutate_once(case, companion, choices, profile));
    }
    shorten(case, choices);
    repair(case);
}

/// A case that begins as `first` and continues as `second`, chosen by `seed` and repaired.
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
    repair(&mut case);
    case
}

/// `companion` is at the start of a case.
fn mutate_once(case: &mut Case, companion: &mut Companion, choices: &mut Seeded, profile: Profile) {
    let operations = &mut case.operations;
    let count = operations.len() as u32;
    if count == 0 {
        return insert(case, companion, choices, profile);
    }
    let at = choices.below(count) as usize;
    let run = at..(at + 1 + choices.below(RUN) as usize).min(operations.len());
    match choices.below(22) {
        0..=3 => insert(case, companion, choices, profile),
        4..=6 => {
            operations.drain(run);
        }
        // Repeated in its place: twice, or a few times more.
        7 => {
            let copied = operations[run.clone()].to_vec();
            let times = 1 + choices.below(3) as usize;
            operations.splice(at..at, copied.repeat(times));
        }
        // Repeated somewhere else.
        8 => {
            let copied = operations[run].to_vec();
            let to = choices.below(count + 1) as usize;
            operations.splice(to..to, copied);
        }
        9 => operations.swap(at, choices.below(count) as usize),
        10 => {
            let moved: Vec<Operation> = operations.drain(run).collect();
            let to = choices.below(operations.len() as u32 + 1) as usize;
            operations.splice(to..to, moved);
        }
        11 | 12 => operations[at].process = Process::from_bits(choices.below(8) as u8),
        13 => {
            let process = operations[at].process;
            let scene = &mut Scene::new(companion, process, choices, profile);
            let new = if scene.one_in(4) {
                scene.any_call()
            } else {
                scene.operation()
            };
            operations[at] = Operation::new(process, new);
        }
        14 | 15 => {
            let pages = choices.below(7) as i16 - 3;
            change_address(&mut operations[at].call, choices, |old| {
                Address::new(old.region(), old.page() + pages, old.offset())
            });
        }
        16 => {
            let process = operations[at].process;
            let offset = Scene::new(companion, process, choices, profile).offset();
            change_address(&mut operations[at].call, choices, |old| {
                Address::new(old.region(), old.page(), offset)
            });
        }
        17 => {
            let bytes = choices.below(17) as i16 - 8;
            change_address(&mut operations[at].call, choices, |old| {
                let offset = old.offset().wrapping_add_signed(bytes);
                Address::new(old.region(), old.page(), offset)
            });
        }
        _ => {
            let process = operations[at].process;
            let scene = &mut Scene::new(companion, process, choices, profile);
            scene.change(&mut operations[at].call);
        }
    }
    case.operations.truncate(Case::MAX_OPERATIONS);
}

/// Removes a part of a case, the more often the longer it is: mutations add more than they remove,
/// and a long case runs slowly and hides what matters.
fn shorten(case: &mut Case, choices: &mut Seeded) {
    let count = case.operations.len();
    if choices.below(LONG) < count as u32 {
        let length = 1 + choices.below(count as u32 / 4 + 1) as usize;
        let start = choices.below((count - length.min(count)) as u32 + 1) as usize;
        case.operations.drain(start..(start + length).min(count));
    }
}

/// Inserts a few operations that belong together before another one, or at the end.
fn insert(case: &mut Case, companion: &mut Companion, choices: &mut Seeded, profile: Profile) {
    let at = choices.below(case.operations.len() as u32 + 1) as usize;
    for operation in &case.operations[..at] {
        companion.admit(*operation, false);
    }
    let process = someone(companion, choices);
    let mut scene = Scene::new(companion, process, choices, profile);
    scene.idiom();
    case.operations.splice(at..at, scene.into_operations());
    case.operations.truncate(Case::MAX_OPERATIONS);
}

/// Changes one of a call's addresses. Changes nothing if it has no address.
fn change_address(call: &mut Call, choices: &mut Seeded, change: impl Fn(Address) -> Address) {
    match (call.address(), call.second_address()) {
        (_, Some(second)) if choices.one_in(2) => *call = call.with_second_address(change(second)),
        (Some(first), _) => *call = call.with_address(change(first)),
        _ => {}
    }
}
