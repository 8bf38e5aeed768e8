//! How `exec` starts programs, and which files it accepts.
//!
//! A kernel that refuses a specimen by mistake looks like a kernel with the stricter rule.

use super::heap::executes;
use super::prober::{ASKED, Prober};
use super::{Shown, UNCLEAR, answer};
use oracle::dialect::{Loading, SegmentPermissions, SegmentRule, StackRequest};
use oracle::layout::PAGE_SIZE;

pub(super) fn loading(prober: &mut Prober) -> Shown<Loading> {
    if prober.start("init").is_none() {
        return Shown::Nothing(UNCLEAR);
    }
    let untouched = prober.layout.text.end - PAGE_SIZE;
    let mut mappings = prober.mappings(Some(ASKED)).into_iter();
    if mappings.any(|page| page.address == untouched) {
        answer(
            Loading::AtOnce,
            "a new program has pages that it did not touch",
        )
    } else {
        answer(
            Loading::OnDemand,
            "a new program has no page that it did not touch",
        )
    }
}

pub(super) fn stack(prober: &mut Prober) -> Shown<StackRequest> {
    match prober.start("grow") {
        None => Shown::Nothing(UNCLEAR),
        Some(pointer) if pointer > prober.layout.stack.end => answer(
            StackRequest::Granted,
            "a program that asks for a larger stack gets one",
        ),
        Some(_) => answer(
            StackRequest::Ignored,
            "a program that asks for a larger stack gets the usual one",
        ),
    }
}

pub(super) fn stack_pages(prober: &mut Prober) -> Shown<u64> {
    let stack = &prober.layout.stack;
    answer(
        (stack.end - stack.start) / PAGE_SIZE,
        "there are this many pages between the first program's guard page and its heap",
    )
}

/// A kernel may allow a store to code by mistake if a fork has shared the page, and it may make a page of data executable
/// by mistake. A kernel that does not check permissions allows both.
pub(super) fn permissions(prober: &mut Prober) -> Shown<SegmentPermissions> {
    prober.reset();
    let executes_data = executes(prober, prober.layout.data.end - PAGE_SIZE);
    prober.reset();
    let last_of_code = prober.layout.text.end - 1;
    let stores_to_code = prober.store(ASKED, last_of_code).comes_back();
    match (executes_data, stores_to_code) {
        (true, true) => answer(
            SegmentPermissions::All,
            "a program can execute its data and store to its code, so its permissions are not checked",
        ),
        (true, false) => answer(
            SegmentPermissions::AsAsked,
            "a program cannot store to its code",
        ),
        (false, _) => answer(
            SegmentPermissions::AsAsked,
            "a program cannot execute its data",
        ),
    }
}

pub(super) fn segments(prober: &mut Prober) -> Shown<SegmentRule> {
    if prober.start("overlap").is_some() {
        answer(
            SegmentRule::Contiguous,
            "a program whose segments overlap starts",
        )
    } else {
        answer(
            SegmentRule::Separate,
            "`exec` refuses a program whose segments overlap",
        )
    }
}

pub(super) fn shared_pages(prober: &mut Prober) -> Shown<u64> {
    answer(
        prober.shared_pages,
        "there are this many user pages below the trapframe of a program that asked for none",
    )
}
