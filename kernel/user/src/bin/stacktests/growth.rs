//! Pages of the stack come one by one, when they are touched.

use user::abi::limits::GROWING_STACK_PAGES;
use user::testing::child::{KILLED, dies, passes, status_of};
use user::testing::memory::{PAGE, fill, grow, heap_end, holds, load, page_of, stack, store};
use user::testing::scarcity::leave_frames;
use user::testing::usage::{Account, settle, stack_top};
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, rules};

pub const GROUP: Group = Group {
    name: "growth",
    quick: rules![
        each_page_takes_one_frame,
        pages_come_in_any_order,
        new_pages_are_zero,
        calls_go_ten_pages_deep,
        endless_recursion_is_killed,
        the_heap_begins_above,
        children_share_what_has_grown,
        children_grow_on_their_own,
        no_frame_to_grow,
    ],
    slow: rules![],
};

/// The lowest page that a stack can have.
pub fn bottom() -> u64 {
    stack_top() - GROWING_STACK_PAGES * PAGE
}

/// Pages that nothing has touched yet, from the lowest one up: below those that [`settle`] touches.
pub fn untouched() -> impl DoubleEndedIterator<Item = u64> + Clone {
    let lowest = bottom();
    let pages = (page_of(stack()) - 2 * PAGE - lowest) / PAGE;
    (0..pages).map(move |page| lowest + page * PAGE)
}

fn each_page_takes_one_frame() -> Verdict {
    let account = Account::open();
    let pages = untouched();
    ensure!(pages.clone().count() >= 6);
    for (number, page) in pages.rev().enumerate() {
        store(page + PAGE - 1, 1);
        let change = account.change();
        ensure_equal!(change.frames, number + 1);
        ensure_equal!(change.stores, number + 1);
        fill(page, PAGE, 2);
        ensure_equal!(account.frames(), number + 1);
    }
    ensure_equal!(account.change().loads, 0);
    Ok(())
}

fn pages_come_in_any_order() -> Verdict {
    let account = Account::open();
    // The lowest one first, then every other one, then the rest.
    for (number, page) in untouched()
        .step_by(2)
        .chain(untouched().skip(1).step_by(2))
        .enumerate()
    {
        store(page, 1);
        ensure_equal!(account.frames(), number + 1);
    }
    for page in untouched() {
        ensure_equal!(load(page), 1);
    }
    Ok(())
}

fn new_pages_are_zero() -> Verdict {
    for page in untouched() {
        ensure!(holds(page, PAGE, 0));
    }
    Ok(())
}

/// Uses half a kilobyte of stack for each level.
#[inline(never)]
fn descend(levels: u32) -> u64 {
    let mut room = [0u8; 512];
    core::hint::black_box(&mut room)[0] = 1;
    match levels {
        0 => stack(),
        levels => descend(levels - 1).min(u64::from(room[0]) << 40),
    }
}

fn calls_go_ten_pages_deep() -> Verdict {
    let account = Account::open();
    // Nine pages at least, ten at most.
    let mut levels = 1;
    while descend(levels) > bottom() + PAGE {
        levels += 1;
    }
    ensure!(descend(levels) >= bottom());
    ensure_equal!(account.frames(), untouched().count());
    Ok(())
}

fn endless_recursion_is_killed() -> Verdict {
    ensure!(dies(|| _ = descend(u32::MAX)));
    Ok(())
}

fn the_heap_begins_above() -> Verdict {
    ensure_equal!(heap_end(), stack_top());
    // Without a page of the heap, the byte above the stack is out of reach.
    ensure!(dies(|| _ = load(stack_top())));
    let heap = grow(1);
    ensure_equal!(heap, stack_top());
    store(heap, 1);
    ensure_equal!(load(heap), 1);
    Ok(())
}

fn children_share_what_has_grown() -> Verdict {
    let pages = untouched();
    for page in pages.clone() {
        fill(page, PAGE, 3);
    }
    passes(|| {
        let account = Account::open();
        for page in pages.clone() {
            ensure!(holds(page, PAGE, 3));
        }
        ensure_equal!(account.frames(), 0);
        for (number, page) in pages.clone().enumerate() {
            store(page, 4);
            ensure_equal!(account.frames(), number + 1);
        }
        Ok(())
    })?;
    for page in pages {
        ensure!(holds(page, PAGE, 3));
    }
    Ok(())
}

fn children_grow_on_their_own() -> Verdict {
    let account = Account::open();
    passes(|| {
        for page in untouched() {
            fill(page, PAGE, 5);
        }
        Ok(())
    })?;
    ensure_equal!(account.frames(), 0);
    new_pages_are_zero()
}

fn no_frame_to_grow() -> Verdict {
    let status = status_of(|| {
        settle();
        leave_frames(1);
        for (number, page) in untouched().enumerate() {
            if number > 1 {
                return 1;
            }
            store(page, 1);
        }
        0
    })?;
    ensure_equal!(status, KILLED);
    Ok(())
}
