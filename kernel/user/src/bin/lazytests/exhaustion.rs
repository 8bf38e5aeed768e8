//! More memory touched than there is: the process that needs one frame too many is killed, or its
//! system call fails, and all frames come back.

use user::abi::SystemCall;
use user::testing::child::{KILLED, dies, passes, status_of};
use user::testing::memory::{PAGE, call, eager, grow, holds, load, store};
use user::testing::scarcity::{Hoarder, compete, leave_frames};
use user::testing::usage::{Account, free_frames, settle};
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "exhaustion",
    quick: rules![
        every_frame_can_be_touched,
        only_a_process_that_needs_a_frame_is_killed,
        no_frame_for_a_table,
        system_calls_fail_for_want_of_a_frame,
        eager_growth_takes_the_last_frames,
        frames_are_used_again,
        several_want_the_last,
    ],
    slow: rules![],
};

/// Touches one page after the other; the last one kills.
fn every_frame_can_be_touched() -> Verdict {
    let pages = free_frames() + 10;
    let account = Account::open();
    ensure!(dies(|| {
        let heap = grow(pages);
        for page in 0..pages {
            store(heap + page * PAGE, 1);
        }
    }));
    ensure_equal!(account.frames(), 0);
    Ok(())
}

fn only_a_process_that_needs_a_frame_is_killed() -> Verdict {
    let _hoarder = Hoarder::leaving(16)?;
    let own = grow(1);
    store(own, 1);
    let status = status_of(|| {
        let heap = grow(40);
        for page in 0..40 {
            store(heap + page * PAGE, 2);
        }
        0
    });
    ensure_equal!(status?, KILLED);
    // This process keeps its pages, and frames are free again.
    ensure_equal!(load(own), 1);
    passes(|| {
        ensure_equal!(load(grow(1)), 0);
        Ok(())
    })?;
    Ok(())
}

/// A page far away needs three frames. With fewer, the touch kills, and no frame is lost.
fn no_frame_for_a_table() -> Verdict {
    let far = 1u64 << 34;
    for left in [0, 1, 2] {
        let status = status_of(|| {
            let heap = grow(far / PAGE);
            settle();
            leave_frames(left);
            // Below what holds the others.
            store(heap + far / 2, 1);
            0
        });
        ensure_equal!(status?, KILLED);
    }
    let status = status_of(|| {
        let heap = grow(far / PAGE);
        settle();
        leave_frames(3);
        store(heap + far / 2, 1);
        i32::from(free_frames() != 0)
    });
    ensure_equal!(status?, 0);
    Ok(())
}

fn system_calls_fail_for_want_of_a_frame() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    passes(|| {
        let heap = grow(4);
        let file = need!(system::open(c"/init", 0)) as u64;
        settle();
        leave_frames(0);
        let account = Account::of_now();
        ensure_equal!(call(SystemCall::Read, [file, heap, 10]), -1);
        ensure_equal!(call(SystemCall::Fstat, [file, heap, 0]), -1);
        ensure_equal!(call(SystemCall::Pipe, [heap, 0, 0]), -1);
        ensure_equal!(call(SystemCall::Memory, [heap, 0, 0]), -1);
        ensure_equal!(system::write(write_end, b"kept"), 4);
        ensure_equal!(call(SystemCall::Read, [read_end as u64, heap, 4]), -1);
        ensure_equal!(account.frames(), 0);
        // The bytes are still in the pipe, the offset of the file is where it was.
        let bytes = &mut [0; 4];
        ensure_equal!(system::read(read_end, bytes), 4);
        ensure!(*bytes == *b"kept");
        ensure_equal!(system::read(file as i32, bytes), 4);
        ensure!(*bytes == *b"\x7fELF");
        Ok(())
    })
}

fn eager_growth_takes_the_last_frames() -> Verdict {
    passes(|| {
        settle();
        leave_frames(10);
        // The tables for these are there, or take one more.
        ensure_equal!(eager(11 * PAGE as i64), -1);
        ensure_equal!(free_frames(), 10);
        let heap = need!(eager(9 * PAGE as i64));
        ensure!(free_frames() <= 1);
        ensure!(holds(heap, 9 * PAGE, 0));
        Ok(())
    })
}

/// Touches more pages than RAM has, a fifth at a time: every page reads as zero.
fn frames_are_used_again() -> Verdict {
    let pages = free_frames() / 5;
    let account = Account::open();
    for _ in 0..6 {
        passes(|| {
            let heap = grow(pages);
            for page in 0..pages {
                ensure_equal!(load(heap + page * PAGE + page % PAGE), 0);
                store(heap + page * PAGE + page % PAGE, 1);
                store(heap + page * PAGE + 8, 2);
            }
            Ok(())
        })?;
        ensure_equal!(account.frames(), 0);
    }
    Ok(())
}

/// Some are killed, and then there is enough for the others.
fn several_want_the_last() -> Verdict {
    const CHILDREN: usize = 6;
    const PAGES: u64 = 20;
    // For all tables and stacks, and for the pages of three.
    let _hoarder = Hoarder::leaving(CHILDREN as u64 * 8 + 3 * PAGES)?;
    compete(CHILDREN, || {
        let heap = grow(PAGES);
        for page in 0..PAGES {
            store(heap + page * PAGE, 1);
        }
        ensure_equal!(load(heap), 1);
        Ok(())
    })
}
