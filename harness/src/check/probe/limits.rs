//! Sizes of the kernel's tables, as pipes and programs show them.

use super::pipe::{NO_PIPE, READ_END, new_pipe};
use super::prober::{ASKED, FAILED, Prober};
use super::{Shown, UNCLEAR, answer};
use abi::SystemCall;
use oracle::Process;

/// Every kernel starts a program with this many segments.
const FEW_SEGMENTS: u16 = 8;

pub(super) fn files_per_process(prober: &mut Prober) -> Shown<u8> {
    if !new_pipe(prober) {
        return Shown::Nothing(NO_PIPE);
    }
    let most = u64::from(prober.dialect.limits.files_per_process);
    let copies = (2..most).take_while(|_| {
        let copy = prober.call(SystemCall::Dup, [READ_END, 0, 0]);
        copy.value().is_some_and(|fd| fd != FAILED)
    });
    let files = 2 + copies.count() as u8;
    answer(
        files,
        "a process could open this many (no more than 16 are tried)",
    )
}

pub(super) fn files(prober: &mut Prober) -> Shown<u16> {
    if !new_pipe(prober) {
        return Shown::Nothing(NO_PIPE);
    }
    prober.reset();
    let children = Process::all()
        .skip(1)
        .take_while(|child| prober.fork(*child).comes_back());
    let everyone: Vec<Process> = std::iter::once(ASKED).chain(children).collect();
    let pipes_each = prober.dialect.limits.files_per_process / 2;
    let mut files = 0u16;
    for process in &everyone {
        for _ in 0..pipes_each {
            let ends = [prober.layout.data.start, 0, 0];
            prober.make_private(*process, ends[0]);
            if prober.call_of(*process, SystemCall::Pipe, ends).value() == Some(0) {
                files += 2;
            }
        }
    }
    let possible = everyone.len() as u16 * u16::from(pipes_each * 2);
    if files == 0 {
        // The kernel has just made a pipe: it refuses these for another reason.
        Shown::Nothing(UNCLEAR)
    } else if files < possible {
        answer(files, "this many were open when `pipe` failed")
    } else {
        answer(u16::MAX, "`pipe` never failed for this reason")
    }
}

pub(super) fn segments(prober: &mut Prober) -> Shown<u16> {
    if prober.start("nine").is_some() {
        answer(u16::MAX, "a program with nine segments starts")
    } else {
        answer(FEW_SEGMENTS, "`exec` refuses a program with nine segments")
    }
}
