//! The edges of address spaces: the ends of page tables of each level, 4 GiB, and the last addresses.

use super::script::Script;
use crate::case::{Case, Process};

const ACTOR: Process = Process::FIRST;

/// Powers of two at which page tables of the last two levels end, 4 GiB, and half of what a program can have.
const POWERS: [u32; 4] = [21, 30, 32, 37];

/// The heap grows so that an edge, 2^N, lies inside it, and everything is done on both sides. The first six pages of an
/// address space are not heap.
const AROUND: &str = "sbrk +2^N; sbrk -4p; store8 break[-3]+0xffc 0x77; load8 break[-3]+0xffc; \
    load8 anywhere[N]; store8 anywhere[N]+0x8 0x55; touch-write break[-4] 4; pipe anywhere[N]+0x20; \
    write 1 break[-3]+0xff8 16; read 0 break[-3]+0xf00 8; read 0 break[-3]+0xffc 8; \
    child = fork; child: load8 break[-3]+0xffc; child: store8 break[-3]+0xffc 0x11; child: load8 anywhere[N]; \
    load8 break[-3]+0xffc; child: sbrk -3p; child: sbrk +3p; child: load8 break[-3]+0xffc; child: exit 0; wait; \
    sbrk -2p; sbrk +2p; load8 break[-2]; sbrk -3p; sbrk +1; load1 break[-1]; sbrk to heap; sbrk +1p; load8 heap[0]";

/// Moves of the break within a page, and by pages that are in use.
const BREAKS: [&str; 2] = [
    "sbrk +1; load1 break[-1]+0xfff; store1 break[0]-1 7; sbrk +0xffe; store1 break[0]-1 8; sbrk +1; sbrk +1; \
     store1 break[0]-1 9; sbrk -1; sbrk -1; store1 break[0]-1 10; sbrk +2p; load8 heap[0]; load8 heap[1]; \
     sbrk to heap; sbrk +1p; load8 heap[0]",
    "sbrk +3p; store8 heap[1]+0x10 7; store8 heap[2] 7; sbrk -1p; sbrk -0x800; sbrk +0x800; load8 heap[1]+0x10; \
     sbrk +1p; load8 heap[2]; child = fork; child: sbrk -2p; child: sbrk +2p; child: load8 heap[1]+0x10; \
     child: exit 0; wait; load8 heap[1]+0x10; sbrk -2p eager; sbrk +2p eager; load8 heap[1]+0x10",
];

/// Moves of the break to the last address and beyond it, below address 0, and by amounts that an `int` cuts.
const ENDS: [&str; 4] = [
    "sbrk to maxva; sbrk to maxva-1; sbrk to trapframe+1; sbrk to trapframe+1p; sbrk +0; sbrk +2^63; sbrk -2^63; \
     sbrk +2^62; sbrk +2^40; sbrk +2^39; sbrk +2^38; sbrk +0; sbrk +1p; store8 heap[0] 1",
    "sbrk +1p; store8 heap[0] 1; sbrk -2^31; sbrk -2^32; sbrk -2^38; sbrk -2^62; sbrk +0; load8 heap[0]",
    "sbrk +2^31-1; sbrk to heap; sbrk +2^31; sbrk to heap; sbrk +2^32-1; sbrk to heap; sbrk +2^32; sbrk to heap; \
     sbrk +2^32+1; sbrk to heap; sbrk +1p; store8 heap[0] 1",
    "sbrk to trapframe; store8 break[-1] 1; load8 break[-1]; load8 break[-1]+0xff8; sbrk +1; sbrk +1p; sbrk -1; \
     sbrk +1; sbrk -1p; child = fork; child: load8 break[-1]; child: store8 break[-1] 2; child: exit 0; wait; \
     sbrk to trapframe; load8 break[-1]; sbrk to heap",
];

/// The edges that a small heap meets, and the amounts that are refused.
pub(super) fn near() -> Vec<Case> {
    let around = around(POWERS[0]);
    let all = BREAKS
        .into_iter()
        .chain([&*around])
        .chain(ENDS[..2].iter().copied());
    cases(all)
}

/// The edges that only a vast heap meets. A kernel that walks through the heap page by page takes long.
pub(super) fn far() -> Vec<Case> {
    let around: Vec<String> = POWERS[1..].iter().map(|power| around(*power)).collect();
    let all = around.iter().map(String::as_str);
    cases(ENDS[2..].iter().copied().chain(all))
}

fn around(power: u32) -> String {
    AROUND.replace('N', &power.to_string())
}

fn cases<'a>(all: impl Iterator<Item = &'a str>) -> Vec<Case> {
    let mut script = Script::new();
    for lines in all {
        script.begin();
        script.add(ACTOR, lines);
    }
    script.into_cases()
}
