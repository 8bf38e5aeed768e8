//! What the heap's pages are like.

use super::pipe::{WRITE_END, new_pipe};
use super::prober::{ASKED, Prober};
use super::{Shown, answer};
use abi::SystemCall;
use oracle::dialect::Tail;
use oracle::layout::{PAGE_SIZE, RETURN};
use oracle::{Action, Width};

pub(super) fn executable(prober: &mut Prober) -> Shown<bool> {
    prober.reset();
    prober.call(SystemCall::Sbrk, [PAGE_SIZE, 0, 0]);
    if executes(prober, prober.layout.heap) {
        answer(
            true,
            "a program can jump to a return instruction in its heap",
        )
    } else {
        answer(
            false,
            "a program that jumps to a return instruction in its heap is killed",
        )
    }
}

/// Stores a return instruction and jumps to it. Returns whether the program comes back.
pub(super) fn executes(prober: &mut Prober, address: u64) -> bool {
    prober.act(Action::Store {
        address,
        width: Width::Two,
        value: RETURN.into(),
    });
    prober.act(Action::Fetch { address }).comes_back()
}

pub(super) fn tail(prober: &mut Prober) -> Shown<Tail> {
    prober.reset();
    prober.call(SystemCall::Sbrk, [1, 0, 0]);
    let beyond = prober.layout.heap + PAGE_SIZE / 2;
    if !prober.load(beyond).comes_back() {
        let because =
            "the kernel kills a program that loads from beyond the break in the page of the break";
        return answer(Tail::MayFault, because);
    }
    // In a kernel whose fork shares pages, this store faults.
    prober.fork(Prober::child());
    if !prober.store(Prober::child(), beyond).comes_back() {
        let because = "after a fork, the kernel kills a program that stores beyond the break in the page \
                       of the break";
        return answer(Tail::MayFault, because);
    }
    if refuses_tail(prober) {
        let because = "a program may use the bytes beyond the break in the page of the break, but a system \
                       call refuses them";
        return answer(Tail::ForPrograms, because);
    }
    let because = "a program may load from beyond the break in the page of the break, and may store there \
                   after a fork";
    answer(Tail::Accessible, because)
}

/// Whether `write` or `exec` refuses addresses between the break and the end of its page. For `exec` the array
/// of arguments is there.
fn refuses_tail(prober: &mut Prober) -> bool {
    let heap = prober.layout.heap;
    new_pipe(prober);
    prober.call(SystemCall::Sbrk, [1, 0, 0]);
    prober.make_private(ASKED, heap);
    let written = prober.call(SystemCall::Write, [WRITE_END, heap + PAGE_SIZE / 2, 1]);
    if written.value() != Some(1) {
        return true;
    }
    let started = prober.start_with("init", |prober| {
        prober.call(SystemCall::Sbrk, [1, 0, 0]);
        heap
    });
    started.is_none() && prober.start("init").is_some()
}
