//! Machines that vary, as the specification allows: a case for each variation, and some for code in used frames.

use super::script::Script;
use crate::case::{Case, Process, Variation};

const ACTOR: Process = Process::FIRST;

/// Holes are filled, shared pages copied and taken over, the heap shrinks and grows again, and programs start: each
/// changes entries that a hart may still use.
const STORY: [&str; 4] = [
    "sbrk +4p; load1 heap[0]; store1 heap[0] 1; store1 heap[1] 2; store1 data[0]+0x80 3",
    "child = fork; child: load1 heap[1]; store1 heap[1] 4; child: store1 heap[0] 5; store1 heap[0] 6; \
     child: load1 heap[2]; child: store1 heap[2] 7; sbrk -1p; sbrk +1p; store1 heap[3] 8; \
     child: string heap[3] \"odd\"; child: exec heap[3] data[1]; child: exit 0; wait",
    "store1 heap[1] 9; load1 heap[1]; child = fork; together 2 harts, order 1 2; store1 heap[0] 11; \
     child: load1 heap[0]; child: string stack[0] \"grow\"; child: exec stack[0] data[1]; child: exit 1",
    "string stack[0] \"grow\"; exec stack[0] data[1]; fetch text[1]+0x100; getpid",
];

/// Frames that a process may take before its next page of code is loaded, at most. So one of these pages comes into a
/// frame that had other code in it, whatever the order in which the kernel hands out free frames.
const MOST_FRAMES: usize = 8;

/// The cases for a machine that varies in one of the ways in `asked`.
pub(super) fn cases(asked: &[Variation]) -> Vec<Case> {
    let mut script = Script::new();
    for variation in asked {
        script.begin();
        script.add(ACTOR, &format!("machine {variation}"));
        STORY.iter().for_each(|lines| script.add(ACTOR, lines));
    }
    if asked.contains(&Variation::KeepsCode) {
        (0..=MOST_FRAMES).for_each(|frames| code_in_used_frames(&mut script, frames));
    }
    script.into_cases()
}

/// A program has run on two harts when another one, with other code, ends. Then a page of its code is loaded, and
/// executed on both harts. It takes `frames` frames in between.
fn code_in_used_frames(script: &mut Script, frames: usize) {
    script.begin();
    script.add(ACTOR, &format!("machine {}", Variation::KeepsCode));
    let program = script.name();
    script.add_with(ACTOR, program, "child = fork");
    script.add(
        program,
        "string stack[0] \"grow\"; exec stack[0] data[1]; sbrk +16p",
    );
    script.add_with(
        ACTOR,
        program,
        "together 2 harts, order 1 2; child: getpid; getpid",
    );
    script.in_child(
        ACTOR,
        &["string stack[0] \"grow\"; exec stack[0] data[1]; getpid"],
    );
    for page in 0..frames {
        script.add(program, &format!("store1 heap[{page}] 1"));
    }
    script.add_with(
        ACTOR,
        program,
        "child: fetch text[1]+0x100; together 2 harts, order 1 2; getpid; child: fetch text[1]+0x100",
    );
}
