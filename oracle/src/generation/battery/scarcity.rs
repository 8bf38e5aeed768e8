//! Every operation that may need frames, with each of its first requests for one refused, and with few frames left.

use super::script::Script;
use super::uses::{AT_HAND, Use, of_addresses};
use crate::case::{Case, Process};

const ACTOR: Process = Process::FIRST;

/// What needs many frames, and how many of its requests are refused, one at a time. More are made by no small program.
const LARGE: [(&str, usize); 5] = [
    (
        "child = fork; child: store8 heap[0] 1; child: exit 0; wait",
        14,
    ),
    ("exec heap[0]+0x400 heap[0]+0x900", 14),
    ("sbrk +6p eager; sbrk -6p", 7),
    ("pipe heap[0]+0x40; close 3; close 4", 2),
    ("sbrk +520p; store1 break[-1] 1; sbrk -520p", 3),
];

/// Requests refused to an operation that touches a page or two.
const OF_PAGES: usize = 2;

/// Uses in one case that have pages of their own.
const PAGES: usize = 8;

/// Frames left for what needs many.
const LEFT: [u16; 6] = [0, 1, 2, 3, 5, 8];

pub(super) fn cases() -> Vec<Case> {
    let mut script = Script::new();
    of_pages("sbrk +17p", "", &mut script);
    of_pages(
        "sbrk +17p; touch-write heap[1] 16",
        "child = fork",
        &mut script,
    );
    begin_large(&mut script);
    for (lines, requests) in LARGE {
        let refused = (1..=requests).map(|nth| format!("frames fail {nth}"));
        let left = LEFT.map(|free| format!("frames {free}"));
        for scarcity in refused.chain(left) {
            large(&scarcity, lines, &mut script);
        }
    }
    script.into_cases()
}

/// Tries every address in pages that `before` and `after` make, each with one request refused. Whoever is refused a
/// frame may be killed, so a child does it.
fn of_pages(before: &str, after: &str, script: &mut Script) {
    let all: Vec<(&Use, usize)> = (1..=OF_PAGES)
        .flat_map(|nth| of_addresses().map(move |one| (one, nth)))
        .collect();
    let mut page = 0;
    for (one, nth) in all {
        if page == 0 || page == PAGES || script.is_full(2) {
            script.begin();
            script.add(ACTOR, AT_HAND);
            script.add(ACTOR, before);
            script.add(ACTOR, after);
            page = 0;
        }
        page += 1;
        // It reaches into the next page, so every other page is left for that.
        let address = format!("heap[{}]+0xffe", 2 * page - 1);
        let line = one.line.replace('@', &address);
        let (fail, all) = (format!("frames fail {nth}"), "frames all");
        script.in_child(ACTOR, &[one.before, &fail, &line, all]);
    }
}

/// Begins a case with good memory, and with data in it that a fork has to share or to copy.
fn begin_large(script: &mut Script) {
    script.begin();
    script.add(ACTOR, AT_HAND);
    script.add(ACTOR, "touch-write heap[0]+0xa00 8 stride 0x8");
}

/// A child does something large when frames are scarce.
fn large(scarcity: &str, lines: &str, script: &mut Script) {
    if script.is_full(2) {
        begin_large(script);
    }
    if lines.contains("fork") {
        script.add(ACTOR, scarcity);
        script.add(ACTOR, lines);
        script.add(ACTOR, "frames all");
    } else {
        script.in_child(ACTOR, &[scarcity, lines, "frames all"]);
    }
}
