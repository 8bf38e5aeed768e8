//! Every operation with every state of the page that each of its addresses names.

use super::grounds::{By, GROUNDS, Ground};
use super::script::{Ending, Script};
use super::uses::{AT_HAND, Use, of_addresses, of_no_address};
use crate::case::{Case, Process};
use std::collections::VecDeque;

const ACTOR: Process = Process::FIRST;

/// Bytes before the end of the page where an access is to cross it.
const BYTES: usize = 2;

/// New processes that a use may need: a child, and a child of the child.
const PROCESSES: usize = 2;

pub(super) fn cases() -> Vec<Case> {
    let mut script = Script::new();
    for ground in GROUNDS {
        let mut left: VecDeque<&Use> = of_addresses().collect();
        while !left.is_empty() {
            try_some(ground, &mut left, &mut script);
        }
    }
    script.into_cases()
}

/// One case: what tries no address.
pub(super) fn without_a_page() -> Vec<Case> {
    let mut script = Script::new();
    script.begin();
    script.add(ACTOR, AT_HAND);
    for one in of_no_address() {
        if script.ending(ACTOR, one.line) == Ending::Stays {
            script.try_at(ACTOR, one, "");
        } else {
            script.in_child(ACTOR, &[one.before, one.line, one.after]);
        }
    }
    script.into_cases()
}

/// One case: tries as many uses as it has room for, at least one, and takes them out of `left`.
fn try_some(ground: &Ground, left: &mut VecDeque<&Use>, script: &mut Script) {
    script.begin();
    if let Some(program) = ground.program {
        script.add(
            ACTOR,
            &format!("string data[0] \"{program}\"; exec data[0] data[1]+0x800"),
        );
    }
    script.add(ACTOR, AT_HAND);
    let tried: Vec<(&Use, String)> = left
        .iter()
        .take(ground.room)
        .enumerate()
        .map(|(nth, one)| {
            let path = ground.paths.and_then(|paths| one.path(paths));
            let bytes = path.map_or(BYTES, str::len);
            (*one, (ground.address)(nth, bytes))
        })
        .collect();
    let in_children = ground.by == By::Child;
    if !in_children {
        tried
            .iter()
            .for_each(|(one, _)| script.add(ACTOR, one.before));
    }
    script.add(ACTOR, ground.before);
    for (one, address) in &tried {
        if let Some(path) = ground.paths.and_then(|paths| one.path(paths)) {
            let end = if ground.crosses() {
                " unterminated"
            } else {
                ""
            };
            script.add(ACTOR, &format!("string {address} \"{path}\"{end}"));
        }
    }
    script.add(ACTOR, ground.after);
    let mut finale = None;
    for (one, address) in tried {
        let line = one.line.replace('@', &address);
        let ending = script.ending(ACTOR, &line);
        let departs = ending != Ending::Stays;
        if departs && ground.by == By::Itself {
            // The first such use is the last of this case. The others come first in another one.
            match finale {
                None => {
                    left.pop_front();
                    finale = Some(line);
                }
                Some(_) => left.rotate_left(1),
            }
        } else if in_children || departs {
            if script.is_full(PROCESSES) {
                break;
            }
            left.pop_front();
            let before = if in_children { one.before } else { "" };
            script.in_child(ACTOR, &[before, &line, one.after]);
        } else {
            left.pop_front();
            script.add(ACTOR, &line);
            script.add(ACTOR, one.after);
        }
    }
    if let Some(line) = finale {
        script.add(ACTOR, &line);
    }
}
