//! Copy-on-write without a frame to copy to.

use user::abi::SystemCall;
use user::testing::child::{KILLED, dies, passes, status_of};
use user::testing::memory::{PAGE, call, fill, grow, holds, load, store};
use user::testing::scarcity::{Hoarder, compete, leave_frames};
use user::testing::usage::{Account, free_frames, settle};
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "exhaustion",
    quick: rules![
        only_the_writer_is_killed,
        the_last_holder_needs_no_frame,
        system_calls_fail,
        fork_fails,
        the_last_frames_are_for_the_first,
    ],
    slow: rules![],
};

fn only_the_writer_is_killed() -> Verdict {
    let heap = grow(3);
    fill(heap, 3 * PAGE, 1);
    let status = status_of(|| {
        settle();
        leave_frames(1);
        // One frame is free for the first copy, and none for the second.
        store(heap, 2);
        store(heap + PAGE, 2);
        0
    })?;
    ensure_equal!(status, KILLED);
    ensure!(holds(heap, 3 * PAGE, 1));
    fill(heap, 3 * PAGE, 3);
    Ok(())
}

/// Even without a single frame, a page that nobody else holds becomes writable.
fn the_last_holder_needs_no_frame() -> Verdict {
    let heap = grow(3);
    fill(heap, 3 * PAGE, 1);
    // The pages are shared until the child ends.
    passes(|| Ok(()))?;
    settle();
    leave_frames(0);
    ensure_equal!(free_frames(), 0);
    fill(heap, 3 * PAGE, 2);
    ensure!(holds(heap, 3 * PAGE, 2));
    Ok(())
}

fn system_calls_fail() -> Verdict {
    let heap = grow(3);
    fill(heap, 3 * PAGE, 1);
    let (read_end, write_end) = need!(system::pipe());
    passes(|| {
        settle();
        leave_frames(0);
        let file = need!(system::open(c"/init", 0));
        ensure_equal!(call(SystemCall::Read, [file as u64, heap, 10]), -1);
        ensure_equal!(system::write(write_end, b"0123456789"), 10);
        ensure_equal!(call(SystemCall::Read, [read_end as u64, heap, 10]), -1);
        ensure_equal!(call(SystemCall::Pipe, [heap, 0, 0]), -1);
        ensure_equal!(call(SystemCall::Fstat, [file as u64, heap, 0]), -1);
        ensure_equal!(load(heap), 1);
        // A call that copies no page works.
        ensure_equal!(call(SystemCall::Write, [write_end as u64, heap, 3]), 3);
        Ok(())
    })?;
    ensure!(holds(heap, 3 * PAGE, 1));
    Ok(())
}

/// With too few frames for the child's tables, fork fails and loses no frame.
fn fork_fails() -> Verdict {
    passes(|| {
        let heap = grow(10);
        fill(heap, 10 * PAGE, 1);
        settle();
        leave_frames(2);
        let account = Account::of_now();
        for _ in 0..10 {
            ensure!(system::fork().is_none());
            ensure_equal!(account.frames(), 0);
        }
        ensure!(holds(heap, 10 * PAGE, 1));
        Ok(())
    })
}

/// Children that need more frames than there are: some are killed, the others get their frames, and
/// all frames come back.
fn the_last_frames_are_for_the_first() -> Verdict {
    const CHILDREN: usize = 5;
    const PAGES: u64 = 20;
    // For the pages of the parent and of some children, and for all tables and stacks.
    let _hoarder = Hoarder::leaving(PAGES + 2 * PAGES + CHILDREN as u64 * 8)?;
    let heap = grow(PAGES);
    fill(heap, PAGES * PAGE, 1);
    compete(CHILDREN, || {
        fill(heap, PAGES * PAGE, 2);
        ensure!(holds(heap, PAGES * PAGE, 2));
        Ok(())
    })?;
    ensure!(holds(heap, PAGES * PAGE, 1));
    ensure!(!dies(|| fill(heap, PAGES * PAGE, 2)));
    Ok(())
}
