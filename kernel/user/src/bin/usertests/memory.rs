//! Sbrk in every form, and addresses that are out of bounds.

use core::sync::atomic::{AtomicU8, Ordering};

use user::abi::SystemCall;
use user::abi::layout::{MAX_VIRTUAL, RAM_START, TRAMPOLINE, TRAPFRAME};
use user::abi::limits::GROWING_STACK_PAGES;
use user::abi::open::{CREATE, READ_WRITE};
use user::testing::child::{dies, passes, status_of};
use user::testing::files::exists;
use user::testing::memory::{
    PAGE, call, eager, fetch, grow, heap_end, holds, lazy, load, page_of, shrink, stack, store,
    text,
};
use user::testing::usage::count_frames;
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "memory",
    quick: rules![
        break_moves_byte_by_byte,
        break_is_inherited,
        a_hundred_megabytes,
        all_memory_twice,
        too_much_is_refused,
        too_much_is_not_had,
        less_than_nothing,
        break_below_the_program,
        break_within_a_page,
        break_by_the_smallest_int,
        system_calls_use_the_heap,
        unset_data_is_zero,
        kernel_memory_is_guarded,
        addresses_beyond_the_last,
        stores_out_of_bounds,
        loads_out_of_bounds,
        jumps_out_of_bounds,
        a_page_below_the_stack,
        a_gigabyte_of_holes,
        holes_given_back,
        holes_as_strings,
    ],
    slow: rules![],
};

const GIGABYTE: u64 = 1 << 30;

fn break_moves_byte_by_byte() -> Verdict {
    let start = heap_end();
    for place in start..start + 5000 {
        ensure_equal!(eager(1), place);
        store(place, 1);
    }
    ensure_equal!(eager(-5000), start + 5000);
    ensure_equal!(heap_end(), start);
    Ok(())
}

fn break_is_inherited() -> Verdict {
    let start = grow(1);
    ensure_equal!(eager(10), start + PAGE);
    passes(|| {
        ensure_equal!(eager(1), start + PAGE + 10);
        ensure_equal!(eager(1), start + PAGE + 11);
        Ok(())
    })?;
    ensure_equal!(heap_end(), start + PAGE + 10);
    Ok(())
}

fn a_hundred_megabytes() -> Verdict {
    const SIZE: u64 = 100 << 20;
    let start = heap_end();
    ensure_equal!(eager((SIZE - start) as i64), start);
    let last = SIZE - 1;
    store(last, 99);
    ensure_equal!(eager(-(PAGE as i64)), SIZE);
    ensure_equal!(heap_end(), SIZE - PAGE);
    ensure_equal!(eager(PAGE as i64), SIZE - PAGE);
    ensure_equal!(load(last), 0);
    ensure_equal!(eager(-((SIZE - start) as i64)), SIZE);
    ensure_equal!(heap_end(), start);
    Ok(())
}

fn all_memory_twice() -> Verdict {
    let first = count_frames();
    ensure!(first > 1000);
    ensure_equal!(count_frames(), first);
    Ok(())
}

fn too_much_is_refused() -> Verdict {
    let start = heap_end();
    ensure_equal!(eager(GIGABYTE as i64), -1);
    ensure_equal!(heap_end(), start);
    // A small growth still works afterwards.
    ensure_equal!(eager(PAGE as i64), start);
    store(start, 1);
    Ok(())
}

/// A lazy kernel may promise it, but it kills a process that touches all of it.
fn too_much_is_not_had() -> Verdict {
    let status = status_of(|| {
        let Some(start) = lazy(GIGABYTE as i64) else {
            return -1;
        };
        for page in 0..GIGABYTE / PAGE {
            store(start + page * PAGE, 99);
        }
        0
    });
    ensure_equal!(status?, -1);
    Ok(())
}

/// Taking away more than the whole address space has changes nothing, and does not fail.
fn less_than_nothing() -> Verdict {
    let start = heap_end();
    ensure_equal!(eager(-(start as i64) - 1), start);
    ensure_equal!(heap_end(), start);
    Ok(())
}

/// A program may be allowed to give back its own text, and is then killed; or it is refused, and
/// lives.
fn break_below_the_program() -> Verdict {
    for break_at in [0, 3500] {
        let status = status_of(|| {
            eager(break_at - heap_end() as i64);
            0
        })?;
        ensure!(status == 0 || status == -1);
    }
    // Too little to free a page.
    passes(|| {
        let start = grow(1);
        eager(2048);
        eager(-10);
        store(start + PAGE + 2037, 1);
        Ok(())
    })
}

/// The last page is in use as long as the break is above its start.
fn break_within_a_page() -> Verdict {
    let start = grow(1);
    eager(10);
    eager(-20);
    let place = heap_end() - 64;
    ensure_equal!(place, start + PAGE - 74);
    store(place, b'x');
    store(place + 1, 0);
    let mode = (CREATE | READ_WRITE).into();
    let file = call(SystemCall::Open, [place, mode, 0]) as u64;
    ensure_equal!(call(SystemCall::Write, [file, place, 1]), 1);
    let file = call(SystemCall::Open, [place, mode, 0]) as u64;
    store(place, 0);
    ensure_equal!(call(SystemCall::Read, [file, place, 1]), 1);
    ensure_equal!(load(place), b'x');
    ensure!(exists(c"x"));
    Ok(())
}

/// The call may return anything, but the memory must not change.
fn break_by_the_smallest_int() -> Verdict {
    let start = grow(1);
    eager(PAGE as i64);
    eager(i64::from(i32::MIN) + 4);
    let last = heap_end() - 1;
    ensure!(last >= start);
    store(last, load(last).wrapping_add(1));
    ensure_equal!(load(last), 1);
    Ok(())
}

fn system_calls_use_the_heap() -> Verdict {
    let place = need!(eager(PAGE as i64));
    let file = need!(system::open(c"file", CREATE | READ_WRITE)) as u64;
    ensure_equal!(call(SystemCall::Write, [file, place, PAGE]), PAGE);
    let place = need!(eager(PAGE as i64));
    ensure_equal!(call(SystemCall::Pipe, [place, 0, 0]), 0);
    ensure!(load(place) < load(place + 4));
    Ok(())
}

static UNSET: [AtomicU8; 10_000] = [const { AtomicU8::new(0) }; 10_000];

fn unset_data_is_zero() -> Verdict {
    ensure!(UNSET.iter().all(|byte| byte.load(Ordering::Relaxed) == 0));
    UNSET[9_999].store(1, Ordering::Relaxed);
    ensure_equal!(UNSET[9_999].load(Ordering::Relaxed), 1);
    Ok(())
}

fn kernel_memory_is_guarded() -> Verdict {
    for place in (RAM_START..RAM_START + 2_000_000).step_by(50_000) {
        ensure!(dies(|| _ = load(place)));
    }
    Ok(())
}

fn addresses_beyond_the_last() -> Verdict {
    for shift in MAX_VIRTUAL.trailing_zeros()..64 {
        ensure!(dies(|| store(1 << shift, 99)));
    }
    Ok(())
}

fn stores_out_of_bounds() -> Verdict {
    for place in [
        0,
        text(),
        heap_end(),
        RAM_START,
        TRAPFRAME,
        TRAMPOLINE,
        MAX_VIRTUAL,
        u64::MAX,
    ] {
        ensure!(dies(|| store(place, 10)));
    }
    Ok(())
}

fn loads_out_of_bounds() -> Verdict {
    for place in [
        heap_end(),
        RAM_START,
        TRAPFRAME,
        TRAMPOLINE,
        MAX_VIRTUAL,
        u64::MAX,
    ] {
        ensure!(dies(|| _ = load(place)));
    }
    Ok(())
}

fn jumps_out_of_bounds() -> Verdict {
    let heap = grow(1);
    // Two times `ret`, as the compressed instruction.
    for (at, byte) in (heap..).zip([0x82, 0x80, 0x82, 0x80]) {
        store(at, byte);
    }
    for place in [
        heap,
        page_of(stack()),
        heap_end(),
        RAM_START,
        TRAPFRAME,
        TRAMPOLINE,
        MAX_VIRTUAL,
    ] {
        ensure!(dies(|| fetch(place)));
    }
    Ok(())
}

/// However many pages the stack has, there is one below it that kills.
fn a_page_below_the_stack() -> Verdict {
    let top = page_of(stack());
    ensure!(dies(|| {
        for page in 1..=GROWING_STACK_PAGES {
            load(top - page * PAGE);
        }
    }));
    Ok(())
}

fn a_gigabyte_of_holes() -> Verdict {
    let start = need!(lazy(GIGABYTE as i64));
    let places = || (start + PAGE..start + GIGABYTE).step_by(64 * PAGE as usize);
    for (number, place) in places().enumerate() {
        store(place, number as u8);
        store(place + 1, (number >> 8) as u8);
    }
    for (number, place) in places().enumerate() {
        ensure_equal!(load(place), number as u8);
        ensure_equal!(load(place + 1), (number >> 8) as u8);
        ensure_equal!(load(place + 2), 0);
    }
    Ok(())
}

fn holes_given_back() -> Verdict {
    let start = need!(lazy(GIGABYTE as i64));
    for place in (start + PAGE..start + GIGABYTE).step_by(4096 * PAGE as usize) {
        store(place, 1);
        ensure!(dies(|| {
            lazy(-(GIGABYTE as i64));
            store(place, 2);
        }));
        ensure_equal!(load(place), 1);
    }
    Ok(())
}

fn holes_as_strings() -> Verdict {
    let start = grow(4);
    // An empty name; or a kernel that does not look into holes, as the C kernel. It must survive.
    let answer = call(SystemCall::Open, [start + 2 * PAGE, 0, 0]);
    ensure!((-1..16).contains(&answer));
    ensure!(holds(start + 2 * PAGE, 10, 0));
    shrink(4);
    ensure_equal!(heap_end(), start);
    Ok(())
}
