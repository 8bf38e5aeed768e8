//! Accesses that kill, and only them.

use user::abi::layout::{MAX_VIRTUAL, RAM_START, TRAMPOLINE, TRAPFRAME};
use user::testing::child::{KILLED, dies, status_of};
use user::testing::memory::{
    NOBODY, PAGE, fetch, fill, grow, heap_end, load, page_of, stack, store, text,
};
use user::testing::usage::{Account, program_pages_end, stack_top};
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, rules, system};

pub const GROUP: Group = Group {
    name: "bounds",
    quick: rules![
        beyond_the_break,
        between_program_and_stack,
        addresses_of_nobody,
        text_is_read_and_executed_only,
        data_heap_and_stack_are_not_executed,
        a_kill_takes_nobody_along,
        a_kill_takes_no_frame,
        last_and_first_bytes,
    ],
    slow: rules![],
};

/// Whether each kind of access to `place` kills.
fn kills(place: u64) -> Verdict {
    ensure!(dies(|| _ = load(place)));
    ensure!(dies(|| store(place, 1)));
    ensure!(dies(|| fetch(place)));
    Ok(())
}

fn beyond_the_break() -> Verdict {
    kills(heap_end())?;
    let heap = grow(3);
    kills(heap + 3 * PAGE)?;
    kills(heap + 3 * PAGE + 100)?;
    kills(heap + 4 * PAGE)?;
    kills(heap + (1 << 30))?;
    kills(TRAPFRAME - 1)
}

/// From the program's last page up to the stack: the guard page.
fn between_program_and_stack() -> Verdict {
    let mut guards = 0;
    let mut place = program_pages_end().next_multiple_of(PAGE);
    while place < stack_top() && dies(|| _ = load(place)) {
        kills(place)?;
        kills(place + PAGE - 1)?;
        guards += 1;
        place += PAGE;
    }
    ensure_equal!(guards, 1);
    Ok(())
}

fn addresses_of_nobody() -> Verdict {
    for place in NOBODY {
        kills(place)?;
    }
    for place in [
        RAM_START + (64 << 20),
        TRAPFRAME + PAGE - 1,
        TRAMPOLINE + 8,
        MAX_VIRTUAL - 1,
        MAX_VIRTUAL + PAGE,
        u64::MAX << 39,
        u64::MAX - PAGE,
    ] {
        kills(place)?;
    }
    Ok(())
}

fn text_is_read_and_executed_only() -> Verdict {
    let own = text();
    let before = load(own);
    ensure!(dies(|| store(own, 0)));
    ensure!(dies(|| store(0, 0)));
    ensure_equal!(load(own), before);
    Ok(())
}

/// Even if an instruction is there: `ret` twice, in its compressed form.
fn data_heap_and_stack_are_not_executed() -> Verdict {
    let heap = grow(2);
    let put = |place: u64| {
        for (place, byte) in (place..).zip([0x82, 0x80, 0x82, 0x80]) {
            store(place, byte);
        }
    };
    put(heap);
    put(page_of(stack()) - PAGE);
    for place in [heap, heap + PAGE, page_of(stack()) - PAGE] {
        ensure!(dies(|| fetch(place)));
    }
    ensure!(dies(|| fetch(page_of(program_pages_end() - 1))));
    Ok(())
}

/// A child that is killed leaves parent, brother, and what they share, as they were.
fn a_kill_takes_nobody_along() -> Verdict {
    let heap = grow(4);
    fill(heap, 2 * PAGE, 9);
    let brother = user::testing::child::spawn(|| {
        ensure_equal!(system::pause(3), 0);
        fill(heap, 4 * PAGE, 8);
        Ok(())
    })?;
    let status = status_of(|| {
        // First it stores to pages that its brother and its parent share with it.
        fill(heap, 3 * PAGE, 7);
        store(heap_end(), 1);
        0
    });
    // Only this one of the two can have ended.
    ensure_equal!(status?, KILLED);
    ensure_equal!(load(heap), 9);
    ensure_equal!(load(heap + 3 * PAGE), 0);
    ensure!(system::wait() == Some((brother.pid, 0)));
    Ok(())
}

fn a_kill_takes_no_frame() -> Verdict {
    let account = Account::open();
    for _ in 0..10 {
        kills(heap_end())?;
        kills(text() | 1 << 40)?;
    }
    ensure_equal!(account.frames(), 0);
    Ok(())
}

fn last_and_first_bytes() -> Verdict {
    let heap = grow(1);
    ensure!(!dies(|| store(heap, 1)));
    ensure!(!dies(|| store(heap + PAGE - 1, 1)));
    ensure!(dies(|| store(heap + PAGE, 1)));
    ensure!(!dies(|| _ = load(heap - 1)));
    Ok(())
}
