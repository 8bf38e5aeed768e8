//! Tables of the kernel, and a disk, that are nearly full: calls that take one or two entries then find none, one, or
//! two.

use super::script::Script;
use crate::case::{Case, Process};

const ACTOR: Process = Process::FIRST;

/// Descriptors of a process, and open files of the system, in xv6.
const DESCRIPTORS: usize = abi::limits::OPEN_FILES_PER_PROCESS;
const FILES: usize = abi::limits::OPEN_FILES;

/// What takes entries of both tables: one, one without a file, and two.
const TAKERS: [&str; 4] = [
    "open heap[0]+0x400",
    "dup 0",
    "pipe heap[0]+0x40",
    "open heap[0]+0x440 create",
];

/// Calls that free entries and find them again. In the end the process holds none: what a refused call has lost is then
/// missing.
const AGAIN: &str = "close 0; open heap[0]+0x400; close 0; pipe heap[0]+0x40; close 1; pipe heap[0]+0x40; close 0; close 1; \
    close 2; close 3; pipe heap[0]+0x40; read 0 heap[0]+0x80 0";

/// The first page of the heap is good memory with two paths in it.
const AT_HAND: &str = "sbrk +1p; string heap[0]+0x400 \"init\"; string heap[0]+0x440 \"new\"";

pub(super) fn cases() -> Vec<Case> {
    let mut script = Script::new();
    of_descriptors(&mut script);
    of_files(&mut script);
    of_blocks(&mut script);
    script.into_cases()
}

/// A process with no descriptor left, one, and two.
fn of_descriptors(script: &mut Script) {
    for left in 0..=2 {
        script.begin();
        script.add(ACTOR, AT_HAND);
        script.add(ACTOR, "open heap[0]+0x400");
        for _ in 1..DESCRIPTORS - left {
            script.add(ACTOR, "dup 0");
        }
        for taker in TAKERS {
            script.add(ACTOR, taker);
        }
        script.add(ACTOR, AGAIN);
    }
}

/// Processes that hold all open files of the system but none, one, two and three.
fn of_files(script: &mut Script) {
    for left in 0..=3 {
        script.begin();
        script.add(ACTOR, AT_HAND);
        let mut holders = vec![ACTOR];
        while !script.is_full(1) {
            let child = script.name();
            script.add_with(ACTOR, child, "child = fork");
            holders.push(child);
        }
        let last = holders.pop().unwrap_or(ACTOR);
        let mut wanted = FILES - left;
        for holder in holders {
            let pipes = (wanted / 2).min((DESCRIPTORS - 2) / 2);
            for _ in 0..pipes {
                script.add(holder, "pipe heap[0]+0x40");
            }
            wanted -= 2 * pipes;
        }
        for _ in 0..wanted {
            script.add(last, "open heap[0]+0x400");
        }
        for taker in TAKERS {
            script.add(last, taker);
        }
        script.add(last, AGAIN);
    }
}

/// Calls that take blocks of the disk: for the bytes of a file, for its block of addresses, and for a directory.
const WRITERS: &str = "open heap[0]+0x440 read-write create; write 0 heap[0] 2048; close 0; mkdir heap[0]+0x480; \
    link heap[0]+0x400 heap[0]+0x4c0; unlink heap[0]+0x440; unlink heap[0]+0x4c0; open heap[0]+0x4c0 read-write create; \
    write 0 heap[0] 13312; close 0; unlink heap[0]+0x4c0; mkdir heap[0]+0x440";

/// Their paths: of a file that is there, and of three that are not.
const PATHS: &str = "sbrk +8p; string heap[0]+0x400 \"init\"; string heap[0]+0x440 \"new\"; \
    string heap[0]+0x480 \"dir\"; string heap[0]+0x4c0 \"other\"";

/// A disk with so many free blocks. With 14, the last one goes to a file's block of addresses.
fn of_blocks(script: &mut Script) {
    for left in [0, 1, 2, 3, 14] {
        script.begin();
        script.add(ACTOR, &format!("blocks {left}"));
        script.add(ACTOR, PATHS);
        script.add(ACTOR, WRITERS);
    }
}
