//! Power cuts at each write of a change of files, and again while the kernel recovers from one.

use super::script::Script;
use crate::case::{Case, Process};

const ACTOR: Process = Process::FIRST;

/// Paths to a new file, to a second name of it and to a directory, and a buffer of two pages.
const AT_HAND: &str = "sbrk +3p; string heap[0] \"new\"; string heap[0]+0x40 \"other\"; string heap[0]+0x80 \"dir\"; \
    touch-write heap[1] 16 stride 0x200";

/// A change of files.
struct Change {
    /// What comes before it.
    before: &'static str,
    line: &'static str,
    /// How many writes it takes in xv6: each block to the log and to its place, and the header of the log twice.
    writes: u8,
}

const CREATE: Change = Change {
    before: "",
    line: "open heap[0] write create",
    writes: 6,
};

const WRITE: Change = Change {
    before: "open heap[0] write create",
    line: "write 0 heap[1] 3000",
    writes: 12,
};

const MKDIR: Change = Change {
    before: "open heap[0] write create; write 0 heap[1] 100",
    line: "mkdir heap[0]+0x80",
    writes: 10,
};

const CHANGES: [Change; 9] = [
    WRITE,
    CREATE,
    MKDIR,
    // In place of what was there.
    Change {
        before: "open heap[0] write create; write 0 heap[1] 2000; open heap[0] write",
        line: "write 1 heap[1]+0x200 1500",
        writes: 8,
    },
    Change {
        before: "open heap[0] write create; write 0 heap[1] 100; close 0",
        line: "unlink heap[0]",
        writes: 8,
    },
    Change {
        before: "open heap[0] write create; write 0 heap[1] 100; close 0",
        line: "link heap[0] heap[0]+0x40",
        writes: 6,
    },
    Change {
        before: "open heap[0] write create; write 0 heap[1] 2000; close 0",
        line: "open heap[0] write truncate",
        writes: 6,
    },
    // The last one to hold a file without a name.
    Change {
        before: "open heap[0] write create; write 0 heap[1] 100; unlink heap[0]",
        line: "close 0",
        writes: 6,
    },
    // Two transactions.
    Change {
        before: "open heap[0] write create",
        line: "write 0 heap[1] 5000",
        writes: 22,
    },
];

/// The write that commits a change of so many writes: the header of the log, after half of the blocks.
fn commit(writes: u8) -> u8 {
    writes / 2
}

pub(super) fn cases() -> Vec<Case> {
    let mut script = Script::new();
    for change in CHANGES {
        for write in 0..=change.writes {
            add(
                &mut script,
                &change,
                &format!("power cut after write {write}"),
            );
        }
    }
    for change in [WRITE, CREATE] {
        for write in 1..=change.writes {
            add(
                &mut script,
                &change,
                &format!("power cut after write {write} alone"),
            );
        }
    }
    for write in 1..=WRITE.writes {
        add(&mut script, &WRITE, &format!("power cut in write {write}"));
    }
    for change in [WRITE, MKDIR] {
        let first = commit(change.writes);
        for second in 1..=first {
            let cuts = format!("power cut after write {first}; power cut after write {second}");
            add(&mut script, &change, &cuts);
        }
    }
    script.into_cases()
}

/// A case of its own: a power cut ends a case.
fn add(script: &mut Script, change: &Change, cuts: &str) {
    script.begin();
    for lines in [AT_HAND, change.before, cuts, change.line] {
        script.add(ACTOR, lines);
    }
}
