//! Crowds: memory that more processes share than a small counter counts, process identifiers that are equal in their last
//! bits, and a full table of processes.

use super::script::Script;
use crate::case::{Case, Process};

const ACTOR: Process = Process::FIRST;

/// More than xv6's table of processes has room for.
const FULL: u8 = 64;

/// With the parent and the child these are 16, 17, 32, 33 and 62 sharers.
const SHARERS: [u8; 5] = [14, 15, 30, 31, 60];

/// A page that all share: its parent stores to it, and a child of another name, before and after the crowd is gone.
const SHARED: &str = "store1 heap[0] 2; child: store1 heap[0] 3; load1 heap[0]; disperse heap[0]; \
    store1 heap[1] 4; child: load1 heap[1]; load1 heap[0]; child: load1 heap[0]";

/// The table is full: forks fail, and what needs no process works. A child that ends makes room for one process.
const FULL_TABLE: &str = "other = fork; other = fork; child: other = fork; pipe heap[0]+0x40; close 0; close 1; \
    child: exec heap[0]+0x400 heap[1]; kill child; wait; other = fork; other: getpid; other: exit 0; wait; \
    disperse heap[0]";

/// Processes whose identifiers are 32 or 64 apart: each is killed, and the others live.
const KILLED: &str =
    "crowd 31; other = fork; kill child; wait; other: getpid; kill other; wait; disperse heap[0]";

/// A page with bytes and a path in it, and another one.
const AT_HAND: &str = "sbrk +2p; store1 heap[0] 1; store1 heap[1] 1; string heap[0]+0x400 \"init\"";

pub(super) fn cases() -> Vec<Case> {
    let mut script = Script::new();
    for members in SHARERS {
        in_company(&mut script, &format!("crowd {members}; {SHARED}"));
    }
    in_company(&mut script, &format!("crowd {FULL}; {FULL_TABLE}"));
    in_company(&mut script, KILLED);
    in_company(&mut script, "child: crowd 40; child: exit 0; wait");
    in_company(
        &mut script,
        &format!("frames 20; crowd {FULL}; frames all; disperse heap[0]"),
    );
    script.into_cases()
}

/// A case of a process and a child of it.
fn in_company(script: &mut Script, lines: &str) {
    script.begin();
    script.add(ACTOR, AT_HAND);
    let (child, other) = (script.name(), script.name());
    script.add_with(ACTOR, child, "child = fork");
    script.add_with(ACTOR, child, &lines.replace("other", &other.to_string()));
}
