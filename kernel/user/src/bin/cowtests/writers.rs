//! Several processes that write shared pages at the same time, on as many harts as there are.

use user::testing::child::{self, passes, spawn};
use user::testing::memory::{PAGE, fill, grow, holds, load, store};
use user::testing::random::Random;
use user::testing::usage::Account;
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, rules, system};

pub const GROUP: Group = Group {
    name: "writers",
    quick: rules![
        each_has_its_own_copy,
        parent_and_child_write_at_once,
        readers_beside_writers,
        forks_beside_writers,
        writers_are_killed,
    ],
    slow: rules![],
};

const PAGES: u64 = 40;

/// Children and their parent store to all pages, each at its own offset; none sees another's bytes.
fn each_has_its_own_copy() -> Verdict {
    const WRITERS: u8 = 6;
    let heap = grow(PAGES);
    let account = Account::open();
    let place = |page: u64, writer: u8| heap + page * PAGE + u64::from(writer);
    let write = |value: u8| (0..PAGES).for_each(|page| store(place(page, value), value));
    let is_alone = |value: u8| {
        (0..PAGES).all(|page| {
            (0..=WRITERS).all(|other| {
                let expected = if other == value { value } else { 0 };
                load(place(page, other)) == expected
            })
        })
    };
    fill(heap, PAGE, 0);
    for writer in 1..=WRITERS {
        let _ = spawn(|| {
            write(writer);
            ensure!(is_alone(writer));
            Ok(())
        })?;
    }
    child::all_pass(WRITERS.into())?;
    ensure!(is_alone(0));
    // It holds a frame for each of its pages, and no more.
    ensure_equal!(account.frames(), PAGES);
    Ok(())
}

/// Two holders of a page store to it. One copies the page and the other takes it over, or both
/// copy it. No value and no frame is lost, no matter which process is first.
fn parent_and_child_write_at_once() -> Verdict {
    let heap = grow(PAGES);
    fill(heap, PAGES * PAGE, 0);
    let account = Account::open();
    for round in 1..60 {
        let child = spawn(|| {
            for page in 0..PAGES {
                store(heap + page * PAGE + 1, round);
            }
            for page in 0..PAGES {
                ensure_equal!(load(heap + page * PAGE), round - 1);
                ensure_equal!(load(heap + page * PAGE + 1), round);
            }
            Ok(())
        })?;
        // From the other end, so that they meet in the middle.
        for page in (0..PAGES).rev() {
            // The child was made before this: it must not see it.
            store(heap + page * PAGE + 2, round);
        }
        ensure!(system::wait() == Some((child.pid, 0)));
        for page in 0..PAGES {
            ensure_equal!(load(heap + page * PAGE + 1), 0);
            store(heap + page * PAGE, round);
        }
        ensure_equal!(account.frames(), 0);
    }
    Ok(())
}

fn readers_beside_writers() -> Verdict {
    let heap = grow(PAGES);
    fill(heap, PAGES * PAGE, 1);
    for number in 0..4 {
        let _ = spawn(|| {
            for _ in 0..5 {
                if number % 2 == 0 {
                    ensure!(holds(heap, PAGES * PAGE, 1));
                } else {
                    passes(|| {
                        fill(heap, PAGES * PAGE, 2);
                        ensure!(holds(heap, PAGES * PAGE, 2));
                        Ok(())
                    })?;
                }
            }
            Ok(())
        })?;
    }
    child::all_pass(4)?;
    ensure!(holds(heap, PAGES * PAGE, 1));
    Ok(())
}

/// A process forks again and again while its children store where it has just stored.
fn forks_beside_writers() -> Verdict {
    const CHILDREN: u8 = 30;
    let heap = grow(PAGES);
    for number in 0..CHILDREN {
        fill(heap, PAGES * 64, number);
        let _ = spawn(|| {
            ensure!(holds(heap, PAGES * 64, number));
            fill(heap, PAGES * PAGE, number + 100);
            ensure!(holds(heap, PAGES * PAGE, number + 100));
            Ok(())
        })?;
    }
    child::all_pass(CHILDREN.into())?;
    ensure!(holds(heap, PAGES * 64, CHILDREN - 1));
    Ok(())
}

/// Writers are killed at any point: all frames that they held come back.
fn writers_are_killed() -> Verdict {
    let heap = grow(PAGES);
    fill(heap, PAGES * PAGE, 1);
    let account = Account::open();
    let mut random = Random::new(7);
    for _ in 0..30 {
        let child = spawn(|| {
            loop {
                // Its own child may outlive it, but not for long.
                let other = system::fork();
                fill(heap, PAGES * PAGE, 2);
                match other {
                    Some(0) => system::exit(0),
                    _ => _ = system::wait(),
                }
            }
        })?;
        for _ in 0..random.below(20_000) {
            core::hint::spin_loop();
        }
        child.kill()?;
    }
    // Orphans may still be at work.
    for _ in 0..100 {
        if account.frames() == 0 {
            break;
        }
        ensure_equal!(system::pause(1), 0);
    }
    ensure!(holds(heap, PAGES * PAGE, 1));
    fill(heap, PAGES * PAGE, 3);
    ensure_equal!(account.frames(), 0);
    Ok(())
}
