//! Which process copies a page and when, and which process takes it over without a copy.

use core::sync::atomic::{AtomicU8, Ordering};

use user::testing::child::{self, Child, passes, spawn};
use user::testing::memory::{PAGE, fill, grow, holds, load, shrink, stack, store};
use user::testing::usage::Account;
use user::testing::{Failure, Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "copies",
    quick: rules![
        a_store_copies_one_page,
        a_load_copies_nothing,
        both_sides_keep_their_own,
        the_last_holder_takes_over,
        the_parent_takes_over_after_a_copy,
        two_children_copy_and_the_parent_does_not,
        an_orphan_takes_over,
        exec_lets_go,
        a_smaller_heap_lets_go,
        holes_are_filled_apart,
        stack_and_data_are_copied,
        many_holders_of_one_page,
        a_chain_of_generations,
    ],
    slow: rules![],
};

fn a_store_copies_one_page() -> Verdict {
    let heap = grow(10);
    fill(heap, 10 * PAGE, 7);
    passes(|| {
        let account = Account::open();
        store(heap + 3 * PAGE + 5, 8);
        let change = account.change();
        ensure_equal!(change.frames, 1);
        ensure_equal!(change.stores, 1);
        ensure_equal!(change.mapped, 0);
        // The child has its own copy now, so more stores to it cost nothing.
        fill(heap + 3 * PAGE, PAGE, 9);
        ensure_equal!(account.frames(), 1);
        ensure_equal!(account.change().stores, 1);
        // The rest of the page was copied too, and the other pages did not change.
        ensure!(holds(heap + 2 * PAGE, PAGE, 7) && holds(heap + 4 * PAGE, PAGE, 7));
        store(heap + 9 * PAGE, 8);
        ensure_equal!(account.frames(), 2);
        ensure!(holds(heap + 9 * PAGE + 1, PAGE - 1, 7));
        Ok(())
    })?;
    ensure!(holds(heap, 10 * PAGE, 7));
    Ok(())
}

fn a_load_copies_nothing() -> Verdict {
    let heap = grow(10);
    fill(heap, 10 * PAGE, 7);
    passes(|| {
        let account = Account::open();
        ensure!(holds(heap, 10 * PAGE, 7));
        let change = account.change();
        ensure_equal!(change.frames, 0);
        ensure_equal!(change.loads + change.stores, 0);
        Ok(())
    })
}

/// Child and parent write in turn; each sees its own.
fn both_sides_keep_their_own() -> Verdict {
    let heap = grow(2);
    store(heap, 1);
    let (read_end, write_end) = need!(system::pipe());
    let child = spawn(|| {
        store(heap, 2);
        store(heap + PAGE, 3);
        ensure_equal!(system::read(read_end, &mut [0]), 1);
        ensure_equal!(load(heap), 2);
        ensure_equal!(load(heap + PAGE), 3);
        Ok(())
    })?;
    store(heap, 9);
    ensure_equal!(system::write(write_end, b"x"), 1);
    ensure!(system::wait() == Some((child.pid, 0)));
    ensure_equal!(load(heap), 9);
    ensure_equal!(load(heap + PAGE), 0);
    Ok(())
}

fn the_last_holder_takes_over() -> Verdict {
    let heap = grow(10);
    fill(heap, 10 * PAGE, 7);
    passes(|| Ok(()))?;
    let account = Account::open();
    fill(heap, 10 * PAGE, 8);
    let change = account.change();
    ensure_equal!(change.frames, 0);
    ensure_equal!(change.stores, 10);
    Ok(())
}

/// Starts a child that does `work` and then lives on; returns when the work is done.
fn live_on_after(work: impl FnOnce() -> Verdict) -> Result<Child, Failure> {
    let (read_end, write_end) = need!(system::pipe());
    let child = spawn(|| {
        work()?;
        ensure_equal!(system::write(write_end, b"x"), 1);
        child::sleep_until_killed()
    })?;
    system::close(write_end);
    ensure_equal!(system::read(read_end, &mut [0]), 1);
    system::close(read_end);
    Ok(child)
}

fn the_parent_takes_over_after_a_copy() -> Verdict {
    let heap = grow(1);
    store(heap, 1);
    let child = live_on_after(|| {
        store(heap, 2);
        Ok(())
    })?;
    let account = Account::open();
    store(heap, 3);
    ensure_equal!(account.frames(), 0);
    ensure_equal!(account.change().stores, 1);
    child.kill()
}

fn two_children_copy_and_the_parent_does_not() -> Verdict {
    let heap = grow(1);
    store(heap, 1);
    let copy = || {
        let account = Account::open();
        store(heap, 2);
        ensure_equal!(account.frames(), 1);
        Ok(())
    };
    let first = live_on_after(copy)?;
    let account = Account::open();
    // The first child has a copy of its own, so only the second one shares the page.
    let second = live_on_after(copy)?;
    ensure!(account.frames() > 0);
    let account = Account::open();
    store(heap, 3);
    ensure_equal!(account.frames(), 0);
    ensure_equal!(load(heap), 3);
    ensure_equal!(system::kill(first.pid), 0);
    ensure_equal!(system::kill(second.pid), 0);
    ensure!(system::wait().is_some() && system::wait().is_some());
    Ok(())
}

/// The process that made the page has ended; its child stores to the page.
fn an_orphan_takes_over() -> Verdict {
    let (told, tell) = need!(system::pipe());
    passes(|| {
        let heap = grow(4);
        fill(heap, 4 * PAGE, 7);
        let (alive, until_the_end) = need!(system::pipe());
        let _ = spawn(|| {
            system::close(until_the_end);
            ensure_equal!(system::read(alive, &mut [0]), 0);
            // Its files are closed; now its memory is freed.
            ensure_equal!(system::pause(2), 0);
            let account = Account::open();
            fill(heap, 4 * PAGE, 8);
            let change = account.change();
            let held = change.frames == 0 && change.stores == 4;
            ensure_equal!(system::write(tell, &[u8::from(held)]), 1);
            Ok(())
        })?;
        Ok(())
    })?;
    let answer = &mut [0];
    ensure_equal!(system::read(told, answer), 1);
    ensure_equal!(answer[0], 1);
    Ok(())
}

fn exec_lets_go() -> Verdict {
    let heap = grow(5);
    fill(heap, 5 * PAGE, 7);
    let (read_end, write_end) = need!(system::pipe());
    let child = spawn(|| {
        // It reads until the parent closes the pipe.
        system::close(0);
        ensure_equal!(system::dup(read_end), 0);
        system::close(write_end);
        system::exec(c"/cat", &[c"cat"]);
        ensure!(false);
        Ok(())
    })?;
    // Time to begin.
    ensure_equal!(system::pause(2), 0);
    let account = Account::open();
    fill(heap, 5 * PAGE, 8);
    ensure_equal!(account.frames(), 0);
    system::close(write_end);
    ensure!(system::wait() == Some((child.pid, 0)));
    Ok(())
}

fn a_smaller_heap_lets_go() -> Verdict {
    let heap = grow(4);
    fill(heap, 4 * PAGE, 7);
    let child = live_on_after(|| {
        shrink(3);
        Ok(())
    })?;
    let account = Account::open();
    fill(heap + PAGE, 3 * PAGE, 8);
    ensure_equal!(account.frames(), 0);
    // The first page has two holders.
    store(heap, 8);
    ensure_equal!(account.frames(), 1);
    child.kill()
}

/// A page that was not touched before the fork has no frame: each process gets its own.
fn holes_are_filled_apart() -> Verdict {
    let heap = grow(2);
    let child = live_on_after(|| {
        let account = Account::open();
        ensure_equal!(load(heap), 0);
        store(heap + PAGE, 5);
        ensure_equal!(account.frames(), 2);
        Ok(())
    })?;
    let account = Account::open();
    ensure_equal!(load(heap), 0);
    ensure_equal!(load(heap + PAGE), 0);
    ensure_equal!(account.frames(), 2);
    ensure_equal!(account.change().loads, 2);
    child.kill()
}

/// A page of data, away from what the program itself uses.
#[repr(align(4096))]
struct OwnPage([AtomicU8; PAGE as usize]);

static SET: OwnPage = OwnPage([const { AtomicU8::new(1) }; PAGE as usize]);

fn stack_and_data_are_copied() -> Verdict {
    let data = |value| SET.0[9].store(value, Ordering::Relaxed);
    let mut on_stack = 4u8;
    let place = (&raw mut on_stack).expose_provenance() as u64;
    data(2);
    passes(|| {
        let account = Account::open();
        data(3);
        ensure_equal!(account.frames(), 1);
        ensure_equal!(account.change().stores, 1);
        ensure_equal!(SET.0[8].load(Ordering::Relaxed), 1);
        ensure_equal!(load(place), 4);
        store(place, 5);
        ensure_equal!(load(place), 5);
        Ok(())
    })?;
    ensure_equal!(SET.0[9].load(Ordering::Relaxed), 2);
    ensure_equal!(load(place), 4);
    ensure!(place.abs_diff(stack()) < PAGE);
    Ok(())
}

fn many_holders_of_one_page() -> Verdict {
    const CHILDREN: u8 = 40;
    let heap = grow(1);
    store(heap, 100);
    let (start, go) = need!(system::pipe());
    let (told, tell) = need!(system::pipe());
    let (hold, release) = need!(system::pipe());
    for child in 0..CHILDREN {
        let _ = spawn(|| {
            system::close(release);
            ensure_equal!(system::read(start, &mut [0]), 1);
            let account = Account::open();
            store(heap, child);
            let frames = account.frames();
            ensure_equal!(system::write(tell, &[frames as u8]), 1);
            // All of them live until all have written.
            ensure_equal!(system::read(hold, &mut [0]), 0);
            ensure_equal!(load(heap), child);
            Ok(())
        })?;
    }
    for _ in 0..CHILDREN {
        // One after the other, so that each counts its own.
        ensure_equal!(system::write(go, b"x"), 1);
        let frames = &mut [0];
        ensure_equal!(system::read(told, frames), 1);
        ensure_equal!(frames[0], 1);
    }
    let account = Account::open();
    ensure_equal!(load(heap), 100);
    store(heap, 101);
    ensure_equal!(account.frames(), 0);
    system::close(release);
    child::all_pass(CHILDREN.into())
}

/// Each generation stores to one more of the pages that the first one made. When all have
/// ended, the first one takes all pages over.
fn a_chain_of_generations() -> Verdict {
    const DEPTH: u64 = 8;
    let heap = grow(DEPTH);
    fill(heap, DEPTH * PAGE, 1);
    fn generation(heap: u64, depth: u64) -> Verdict {
        let account = Account::open();
        store(heap + depth * PAGE, 2);
        ensure_equal!(account.frames(), 1);
        if depth + 1 < DEPTH {
            passes(|| generation(heap, depth + 1))?;
        }
        // Its ancestors have stored to the pages before this one, and no process to those after it.
        ensure_equal!(load(heap + depth * PAGE), 2);
        if depth + 1 < DEPTH {
            ensure_equal!(load(heap + (depth + 1) * PAGE), 1);
        }
        Ok(())
    }
    passes(|| generation(heap, 0))?;
    let account = Account::open();
    fill(heap, DEPTH * PAGE, 3);
    ensure_equal!(account.frames(), 0);
    ensure_equal!(account.change().stores, DEPTH);
    Ok(())
}
