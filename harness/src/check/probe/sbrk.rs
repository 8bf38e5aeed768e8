//! How `sbrk` reads its arguments, and what it refuses.

use super::prober::{FAILED, Prober};
use super::{Shown, answer, clear};
use abi::SystemCall;
use oracle::dialect::{BelowZero, Bound, Growth};
use oracle::layout::PAGE_SIZE;

/// A growth by this many pages shows whether the kernel allocates at once.
const PAGES: u64 = 8;
/// `sbrk`'s second argument for a growth that allocates at once.
const EAGER: u64 = 1;

pub(super) fn below_heap(prober: &mut Prober) -> Shown<Bound> {
    prober.reset();
    let returned = prober.call(SystemCall::Sbrk, [PAGE_SIZE.wrapping_neg(), 0, 0]);
    clear(match (returned.value(), prober.program_break()) {
        (Some(FAILED), _) => Some((Bound::Refused, "giving back the stack returns -1")),
        (_, Some(at)) if at == prober.layout.heap - PAGE_SIZE => {
            Some((Bound::Granted, "a program can give back its stack"))
        }
        _ => None,
    })
}

pub(super) fn below_zero(prober: &mut Prober) -> Shown<BelowZero> {
    prober.reset();
    let heap = prober.layout.heap;
    let below = (heap + PAGE_SIZE).wrapping_neg();
    let returned = prober.call(SystemCall::Sbrk, [below, 0, 0]);
    clear(match (returned.value(), prober.program_break()) {
        (Some(FAILED), _) => Some((BelowZero::Refused, "asking for a break below 0 returns -1")),
        (Some(_), Some(at)) if at == heap => Some((
            BelowZero::Ignored,
            "asking for a break below 0 changes nothing",
        )),
        _ => None,
    })
}

pub(super) fn growth(prober: &mut Prober) -> Shown<Growth> {
    if pages_of_growth(prober, 0) == 0 {
        answer(Growth::OnTouch, "a growth maps no page")
    } else {
        answer(
            Growth::AtOnce,
            "a growth maps pages that no program has touched",
        )
    }
}

pub(super) fn eager_flavour(prober: &mut Prober) -> Shown<bool> {
    if prober.dialect.sbrk.growth == Growth::AtOnce {
        return answer(false, "every growth allocates at once");
    }
    if pages_of_growth(prober, EAGER) == 0 {
        answer(false, "with flavour 1, a growth maps no page either")
    } else {
        answer(true, "with flavour 1, a growth maps its pages")
    }
}

/// The number of heap pages that are mapped after a growth of that flavour.
fn pages_of_growth(prober: &mut Prober, flavour: u64) -> usize {
    prober.reset();
    prober.call(SystemCall::Sbrk, [PAGES * PAGE_SIZE, flavour, 0]);
    prober.heap_pages()
}
