//! Every operation of one process after every operation of another one, on pages that they share.

use super::script::{Ending, Script};
use super::uses::{AT_HAND, Paths, Use, uses};
use crate::case::{Case, Family, Kind, Process};

const ACTOR: Process = Process::FIRST;

/// Pages that the two share in a case.
const PAGES: usize = 20;

/// New processes that a pair may need.
const PROCESSES: usize = 4;

/// All ordered pairs. Those that need no new process come first, because most of them fit into one case; those of
/// files come last, because a system call that takes a path costs a C kernel as much as a hundred loads.
pub(super) fn cases() -> Vec<Case> {
    let kinds = Kind::ALL.into_iter();
    let kinds: Vec<(Kind, &Use)> = kinds
        .filter_map(|kind| Some((kind, uses(kind).first()?)))
        .collect();
    let pairs = kinds
        .iter()
        .flat_map(|first| kinds.iter().map(move |second| [*first, *second]));
    let mut pairs: Vec<[(Kind, &Use); 2]> = pairs.collect();
    pairs.sort_by_key(|pair| pair.iter().map(|(kind, one)| cost(*kind, one)).max());
    let mut script = Script::new();
    let mut left = &pairs[..];
    while !left.is_empty() {
        let done = try_some(left, &mut script);
        left = &left[done..];
    }
    script.into_cases()
}

/// How much a kind of operation costs in a pair: 0 to 2.
fn cost(kind: Kind, one: &Use) -> u32 {
    let needs_processes = one.before.contains("child") || one.line.contains("child");
    match kind.family() {
        Family::Path => 2,
        Family::Process => 1,
        _ if needs_processes || kind == Kind::Fetch => 1,
        _ => 0,
    }
}

/// One case: as many pairs as it has room for. Returns how many.
fn try_some(pairs: &[[(Kind, &Use); 2]], script: &mut Script) -> usize {
    let at = |nth: usize, which: usize| format!("heap[{}]+{:#x}", nth + 1, 0x20 + 0x40 * which);
    script.begin();
    script.add(ACTOR, AT_HAND);
    script.add(
        ACTOR,
        &format!("sbrk +{}p; touch-write heap[1] {PAGES}", PAGES + 1),
    );
    for (nth, pair) in pairs.iter().take(PAGES).enumerate() {
        // What two do to directories matters if both do something there.
        let both = pair.iter().all(|(_, one)| one.path(Paths::Whole).is_some());
        let paths = if both { Paths::Whole } else { Paths::Brief };
        for (which, (_, one)) in pair.iter().enumerate() {
            if let Some(path) = one.path(paths) {
                script.add(ACTOR, &format!("string {} \"{path}\"", at(nth, which)));
            }
        }
    }
    let other = script.name();
    script.add_with(ACTOR, other, "child = fork");
    for (nth, pair) in pairs.iter().enumerate() {
        if nth == PAGES || script.is_full(PROCESSES) {
            return nth;
        }
        for (which, (process, (_, one))) in [ACTOR, other].into_iter().zip(pair).enumerate() {
            try_one(process, one, &at(nth, which), script);
        }
    }
    pairs.len()
}

/// A process tries an operation, or a child of it does if the process would end.
fn try_one(process: Process, one: &Use, address: &str, script: &mut Script) {
    let line = one.line.replace('@', address);
    if script.ending(process, &line) == Ending::Stays {
        script.try_at(process, one, address);
    } else {
        script.in_child(process, &[one.before, &line, one.after]);
    }
}
