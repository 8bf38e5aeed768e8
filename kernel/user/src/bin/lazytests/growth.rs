//! The heap: what growing, touching and shrinking it costs.

use user::abi::layout::{MAX_VIRTUAL, TRAPFRAME};
use user::abi::sbrk;
use user::testing::child::{dies, passes};
use user::testing::memory::{PAGE, eager, fill, grow, heap_end, holds, lazy, load, shrink, store};
use user::testing::usage::Account;
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "growth",
    quick: rules![
        growth_takes_no_frame,
        bytes_share_a_page,
        each_page_touched_takes_one_frame,
        strides_cost_what_arithmetic_says,
        loads_and_stores_are_told_apart,
        far_pages_take_tables,
        a_huge_hole,
        the_heap_reaches_the_trapframe,
        old_break_is_returned,
        pages_given_back_are_free,
        pages_given_back_read_zero,
        a_partial_page_keeps_its_rest,
        the_last_page_is_whole,
        breaks_out_of_bounds_are_refused,
        eager_growth_takes_all_at_once,
        eager_growth_is_all_or_nothing,
        eager_and_lazy_mix,
        flavours_do_not_matter_downwards,
    ],
    slow: rules![],
};

const GIGABYTE: u64 = 1 << 30;

fn growth_takes_no_frame() -> Verdict {
    let account = Account::open();
    for amount in [1, PAGE, 100 * PAGE, GIGABYTE, 100 * GIGABYTE] {
        let before = heap_end();
        ensure_equal!(lazy(amount as i64), before);
        ensure_equal!(account.frames(), 0);
    }
    ensure_equal!(account.change().mapped, 0);
    Ok(())
}

fn bytes_share_a_page() -> Verdict {
    let account = Account::open();
    let start = need!(lazy(1));
    ensure_equal!(lazy(100), start + 1);
    store(start, 1);
    store(start + 100, 2);
    let change = account.change();
    ensure_equal!(change.frames, 1);
    ensure_equal!(change.stores, 1);
    ensure_equal!(change.mapped, 1);
    // The rest of it, and the first byte of the next one.
    ensure_equal!(lazy(PAGE as i64 - 101), start + 101);
    fill(start, PAGE, 3);
    ensure_equal!(account.frames(), 1);
    ensure_equal!(lazy(1), start + PAGE);
    store(start + PAGE, 4);
    ensure_equal!(account.frames(), 2);
    Ok(())
}

fn each_page_touched_takes_one_frame() -> Verdict {
    const PAGES: u64 = 100;
    let heap = grow(PAGES);
    let account = Account::open();
    // In an order that is neither up nor down.
    for number in 0..PAGES {
        store(heap + number * 37 % PAGES * PAGE, 1);
        ensure_equal!(account.frames(), number + 1);
    }
    fill(heap, PAGES * PAGE, 2);
    let change = account.change();
    ensure_equal!(change.frames, PAGES);
    ensure_equal!(change.stores, PAGES);
    ensure_equal!(change.mapped, PAGES);
    Ok(())
}

/// Touches memory as the program `lazy` does: `count` places, `stride` bytes apart.
fn strides_cost_what_arithmetic_says() -> Verdict {
    for (stride, count) in [
        (1u64, 5000),
        (1024, 10),
        (2048, 9),
        (4096, 10),
        (8192, 10),
        (4097, 20),
    ] {
        passes(|| {
            let heap = grow((stride * count).div_ceil(PAGE));
            let account = Account::open();
            let mut touched = 0;
            let mut last = None;
            for place in (0..count).map(|number| heap + number * stride) {
                store(place, 1);
                touched += u64::from(last != Some(place / PAGE));
                last = Some(place / PAGE);
            }
            ensure_equal!(account.change().stores, touched);
            ensure_equal!(account.frames(), touched);
            Ok(())
        })?;
    }
    Ok(())
}

fn loads_and_stores_are_told_apart() -> Verdict {
    let heap = grow(3);
    let account = Account::open();
    ensure_equal!(load(heap), 0);
    ensure_equal!(account.change().loads, 1);
    ensure_equal!(account.change().stores, 0);
    // A page that was only read counts like any other.
    store(heap, 1);
    ensure_equal!(account.frames(), 1);
    store(heap + PAGE, 1);
    ensure_equal!(load(heap + PAGE), 1);
    let change = account.change();
    ensure_equal!(change.loads, 1);
    ensure_equal!(change.fetches + change.system_calls, 0);
    ensure_equal!(change.frames, 2);
    Ok(())
}

/// A page that needs two new tables.
fn far_pages_take_tables() -> Verdict {
    let heap = grow(3 * GIGABYTE / PAGE);
    let account = Account::open();
    let far = heap + 2 * GIGABYTE;
    store(far, 1);
    ensure_equal!(account.frames(), 3);
    store(far + PAGE, 1);
    ensure_equal!(account.frames(), 4);
    // The tables are freed with their pages, or kept for the next time, but not taken again.
    shrink(3 * GIGABYTE / PAGE);
    ensure!((0..=2).contains(&account.frames()));
    grow(3 * GIGABYTE / PAGE);
    store(far, 1);
    ensure_equal!(account.frames(), 3);
    ensure_equal!(load(far + PAGE), 0);
    Ok(())
}

fn a_huge_hole() -> Verdict {
    let half = MAX_VIRTUAL / 2;
    let heap = need!(lazy(half as i64));
    store(heap + half - 1, 1);
    passes(|| {
        ensure_equal!(load(heap + half - 1), 1);
        ensure_equal!(load(heap + half / 2), 0);
        Ok(())
    })?;
    ensure_equal!(lazy(-(half as i64)), heap + half);
    ensure_equal!(heap_end(), heap);
    Ok(())
}

/// The last page shares its tables with trapframe and trampoline.
fn the_heap_reaches_the_trapframe() -> Verdict {
    let room = (TRAPFRAME - heap_end()) as i64;
    let last = TRAPFRAME - 1;
    need!(lazy(room));
    ensure_equal!(lazy(1), -1);
    store(last, 1);
    passes(|| {
        store(last, 2);
        store(last - PAGE, 3);
        ensure_equal!(load(last), 2);
        ensure_equal!(load(last - PAGE), 3);
        Ok(())
    })?;
    ensure_equal!(load(last), 1);
    ensure_equal!(load(last - PAGE), 0);
    ensure_equal!(lazy(-room), TRAPFRAME);
    need!(lazy(room));
    ensure_equal!(load(last), 0);
    ensure!(dies(|| _ = load(TRAPFRAME)));
    Ok(())
}

fn old_break_is_returned() -> Verdict {
    let start = heap_end();
    ensure_equal!(lazy(1), start);
    ensure_equal!(lazy(100), start + 1);
    ensure_equal!(lazy(-101), start + 101);
    ensure_equal!(lazy(5 << 30), start);
    ensure_equal!(lazy(0), start + (5 << 30));
    ensure_equal!(lazy(-(5 << 30)), start + (5 << 30));
    ensure_equal!(heap_end(), start);
    Ok(())
}

fn pages_given_back_are_free() -> Verdict {
    let heap = grow(10);
    let account = Account::open();
    for page in [0, 3, 4, 9] {
        store(heap + page * PAGE, 1);
    }
    ensure_equal!(account.frames(), 4);
    shrink(1);
    ensure_equal!(account.frames(), 3);
    shrink(4);
    ensure_equal!(account.frames(), 3);
    shrink(5);
    ensure_equal!(account.frames(), 0);
    ensure_equal!(account.change().mapped, 0);
    ensure_equal!(heap_end(), heap);
    Ok(())
}

fn pages_given_back_read_zero() -> Verdict {
    let heap = grow(5);
    fill(heap, 5 * PAGE, 1);
    shrink(3);
    ensure!(dies(|| _ = load(heap + 2 * PAGE)));
    grow(3);
    ensure!(holds(heap, 2 * PAGE, 1));
    ensure!(holds(heap + 2 * PAGE, 3 * PAGE, 0));
    shrink(5);
    grow(5);
    ensure!(holds(heap, 5 * PAGE, 0));
    Ok(())
}

fn a_partial_page_keeps_its_rest() -> Verdict {
    let heap = grow(2);
    store(heap + 10, 3);
    store(heap + PAGE, 4);
    let account = Account::open();
    ensure_equal!(lazy(100 - 2 * PAGE as i64), heap + 2 * PAGE);
    ensure_equal!(account.frames(), -1);
    ensure!(dies(|| _ = load(heap + PAGE)));
    ensure_equal!(lazy(2 * PAGE as i64 - 100), heap + 100);
    ensure_equal!(load(heap + 10), 3);
    ensure_equal!(load(heap + PAGE), 0);
    ensure_equal!(account.frames(), 0);
    Ok(())
}

/// If the heap has one byte of a page, the whole page is accessible.
fn the_last_page_is_whole() -> Verdict {
    let start = need!(lazy(1));
    fill(start, PAGE, 5);
    ensure!(holds(start, PAGE, 5));
    ensure!(dies(|| _ = load(start + PAGE)));
    // It goes with its last byte.
    ensure_equal!(lazy(-1), start + 1);
    ensure!(dies(|| _ = load(start)));
    ensure_equal!(lazy(1), start);
    ensure!(holds(start, PAGE, 0));
    Ok(())
}

fn breaks_out_of_bounds_are_refused() -> Verdict {
    let start = heap_end();
    let room = (TRAPFRAME - start) as i64;
    for amount in [-1, -(start as i64), i64::MAX, room + 1, MAX_VIRTUAL as i64] {
        for flavour in [sbrk::LAZY, sbrk::EAGER] {
            ensure_equal!(system::sbrk(amount, flavour), -1);
            ensure_equal!(heap_end(), start);
        }
    }
    ensure_equal!(lazy(room), start);
    ensure_equal!(lazy(1), -1);
    ensure_equal!(lazy(-room), TRAPFRAME);
    Ok(())
}

fn eager_growth_takes_all_at_once() -> Verdict {
    let account = Account::open();
    let heap = need!(eager(3 * PAGE as i64 + 1));
    ensure_equal!(account.frames(), 4);
    ensure_equal!(account.change().mapped, 4);
    ensure!(holds(heap, 4 * PAGE, 0));
    fill(heap, 4 * PAGE, 1);
    let change = account.change();
    ensure_equal!(change.frames, 4);
    ensure_equal!(change.loads + change.stores + change.system_calls, 0);
    ensure_equal!(eager(-(3 * PAGE as i64) - 1), heap + 3 * PAGE + 1);
    ensure_equal!(account.frames(), 0);
    Ok(())
}

fn eager_growth_is_all_or_nothing() -> Verdict {
    let heap = grow(0);
    let account = Account::open();
    // More than the machine has.
    ensure_equal!(eager(GIGABYTE as i64), -1);
    ensure_equal!(account.frames(), 0);
    ensure_equal!(heap_end(), heap);
    ensure!(dies(|| _ = load(heap)));
    Ok(())
}

/// Eager growth does not fill the holes below it.
fn eager_and_lazy_mix() -> Verdict {
    let heap = grow(2);
    let account = Account::open();
    ensure_equal!(eager(2 * PAGE as i64), heap + 2 * PAGE);
    ensure_equal!(account.frames(), 2);
    let above = grow(2);
    ensure_equal!(account.frames(), 2);
    fill(heap, 6 * PAGE, 1);
    ensure_equal!(account.frames(), 6);
    ensure_equal!(account.change().stores, 4);
    ensure_equal!(above, heap + 4 * PAGE);
    // From the middle of a page that is a hole: eager growth does not fill that page.
    let place = need!(lazy(10));
    ensure_equal!(eager(10), place + 10);
    store(place + 15, 1);
    ensure_equal!(account.frames(), 7);
    Ok(())
}

fn flavours_do_not_matter_downwards() -> Verdict {
    let heap = grow(4);
    let account = Account::open();
    fill(heap, 4 * PAGE, 1);
    ensure_equal!(eager(-(PAGE as i64)), heap + 4 * PAGE);
    ensure_equal!(lazy(-(PAGE as i64)), heap + 3 * PAGE);
    ensure_equal!(account.frames(), 2);
    // Any flavour but the eager one is lazy.
    ensure_equal!(system::sbrk(PAGE as i64, 77), heap + 2 * PAGE);
    ensure_equal!(account.frames(), 2);
    Ok(())
}
