//! What a fork costs: tables, and nothing for what is shared.

use user::testing::child::{self, Child, passes, spawn};
use user::testing::memory::{PAGE, fill, grow, load, shrink, store};
use user::testing::usage::{Account, program_pages_end, settle, usage};
use user::testing::{Failure, Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "fork",
    quick: rules![
        data_pages_cost_nothing,
        holes_cost_nothing,
        a_child_maps_what_its_parent_maps,
        text_is_shared,
        everything_comes_back,
        a_child_sees_what_its_parent_had,
        forks_of_forks,
    ],
    slow: rules![],
};

/// A child that has begun and sleeps.
fn sleeper() -> Result<Child, Failure> {
    let (read_end, write_end) = need!(system::pipe());
    let child = spawn(|| {
        ensure_equal!(system::write(write_end, b"x"), 1);
        child::sleep_until_killed()
    })?;
    ensure_equal!(system::read(read_end, &mut [0]), 1);
    system::close(read_end);
    system::close(write_end);
    Ok(child)
}

/// The frames that a fork takes.
fn cost() -> Result<i64, Failure> {
    let account = Account::open();
    let child = sleeper()?;
    let cost = account.frames();
    child.kill()?;
    ensure_equal!(account.frames(), 0);
    Ok(cost)
}

fn data_pages_cost_nothing() -> Verdict {
    let heap = grow(100);
    // Now the tables are there, but not the other pages.
    store(heap, 1);
    let few = cost()?;
    fill(heap, 100 * PAGE, 1);
    ensure_equal!(cost()?, few);
    // Three tables, and the pages of the stack that both have stored to since.
    ensure!((3..=6).contains(&few));
    Ok(())
}

fn holes_cost_nothing() -> Verdict {
    let without = cost()?;
    let heap = grow(1 << 18);
    ensure_equal!(cost()?, without);
    // A page in the next gigabyte takes two tables more, in the child as well.
    store(heap + (1 << 30) - PAGE, 1);
    ensure_equal!(cost()?, without + 2);
    Ok(())
}

fn a_child_maps_what_its_parent_maps() -> Verdict {
    let heap = grow(20);
    fill(heap, 10 * PAGE, 1);
    settle();
    let mapped = usage().mapped_pages;
    passes(|| {
        ensure_equal!(usage().mapped_pages, mapped);
        // Holes are holes in the child.
        load(heap + 15 * PAGE);
        ensure_equal!(usage().mapped_pages, mapped + 1);
        Ok(())
    })?;
    ensure_equal!(usage().mapped_pages, mapped);
    Ok(())
}

/// A child runs and reads its whole program without a frame of its own.
fn text_is_shared() -> Verdict {
    settle();
    passes(|| {
        let account = Account::open();
        for page in (0..program_pages_end()).step_by(PAGE as usize) {
            load(page);
        }
        let change = account.change();
        ensure_equal!(change.frames, 0);
        ensure_equal!(change.loads + change.stores + change.fetches, 0);
        Ok(())
    })
}

fn everything_comes_back() -> Verdict {
    let heap = grow(50);
    fill(heap, 50 * PAGE, 1);
    let account = Account::open();
    for round in 0..10 {
        passes(|| {
            fill(heap, (round + 1) * PAGE, 2);
            shrink(round);
            Ok(())
        })?;
        ensure_equal!(account.frames(), 0);
    }
    Ok(())
}

fn a_child_sees_what_its_parent_had() -> Verdict {
    let heap = grow(3);
    store(heap, 5);
    store(heap + 2 * PAGE, 6);
    passes(|| {
        ensure_equal!(load(heap), 5);
        ensure_equal!(load(heap + PAGE), 0);
        ensure_equal!(load(heap + 2 * PAGE), 6);
        Ok(())
    })?;
    ensure_equal!(load(heap + PAGE), 0);
    Ok(())
}

/// Every process of a chain has its own value in one page, and sees none of the others'.
fn forks_of_forks() -> Verdict {
    let heap = grow(1);
    fn next(heap: u64, depth: u8) -> Verdict {
        store(heap + u64::from(depth), depth);
        if depth < 10 {
            passes(|| next(heap, depth + 1))?;
        }
        ensure_equal!(load(heap + u64::from(depth)), depth);
        ensure_equal!(load(heap + u64::from(depth) + 1), 0);
        Ok(())
    }
    next(heap, 1)
}
