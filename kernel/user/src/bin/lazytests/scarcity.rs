//! Deeds done with no frame left, with one, with two, and so on: each may fail, or end the process
//! that does it, but none may lose a frame.

use user::abi::SystemCall;
use user::abi::layout::TRAPFRAME;
use user::abi::open::{CREATE, READ_WRITE};
use user::testing::memory::{PAGE, call, eager, fill, grow, heap_end, lazy, shrink, store};
use user::testing::scarcity::{Hoarder, leave_frames};
use user::testing::usage::{free_frames, settle, stack_top};
use user::testing::{Failure, Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "scarcity",
    quick: rules![
        fork,
        fork_and_copy,
        exec,
        exec_with_arguments,
        pipe_into_a_hole,
        read_into_a_hole,
        write_from_a_hole,
        wait_into_a_hole,
        fstat_into_a_hole,
        paths_in_holes,
        files_come_and_go,
        eager_growth,
        a_touch,
        a_touch_far_away,
        a_touch_of_the_last_page,
        a_stack_that_grows,
    ],
    slow: rules![],
};

/// Frames for the child that does the deed, and for those that it leaves unused.
const ROOM: u64 = 80;
/// Every deed is done with 0, 1, 2, … frames left: so many times.
const SCARCITY: u64 = 16;
/// The exit status of a deed that was done in part.
const WRONG: i32 = 99;
/// Times that the clock may tick until a process that has closed its files has ended.
const PATIENCE: u32 = 10;

/// Does `deed` again and again, each time with one more frame. It gets the address of a hole.
fn survives(deed: fn(u64)) -> Verdict {
    let _hoarder = Hoarder::leaving(ROOM)?;
    settle();
    let before = free_frames();
    let mut ended_well = 0;
    for left in 0..SCARCITY {
        ended_well += u32::from(do_with(left, deed)? == 0);
        // An orphan may have closed its files, and not yet given back its memory.
        for _ in 0..PATIENCE {
            if free_frames() != before {
                ensure_equal!(system::pause(1), 0);
            }
        }
        ensure_equal!(free_frames(), before);
    }
    // With the most frames it must be possible.
    ensure!(ended_well > 0);
    Ok(())
}

/// Does `deed` in a child while `left` frames are free. Returns its exit status when the child and
/// all of its children, some of them orphans, have ended.
fn do_with(left: u64, deed: fn(u64)) -> Result<i32, Failure> {
    let (read_end, write_end) = need!(system::pipe());
    let child = need!(system::fork());
    if child == 0 {
        let hole = grow(1);
        settle();
        leave_frames(left);
        deed(hole);
        system::exit(0);
    }
    // All of them hold the write end until they end.
    system::close(write_end);
    ensure_equal!(system::read(read_end, &mut [0]), 0);
    system::close(read_end);
    let (ended, status) = need!(system::wait());
    ensure_equal!(ended, child);
    ensure!(status != WRONG);
    Ok(status)
}

fn fork() -> Verdict {
    survives(|_| match system::fork() {
        Some(0) => system::exit(0),
        Some(_) => _ = system::wait(),
        None => {}
    })
}

/// Two processes that write the same pages, and one of them does not wait for the other.
fn fork_and_copy() -> Verdict {
    survives(|hole| {
        store(hole, 1);
        let _ = system::fork();
        fill(hole, PAGE, 2);
        let _ = system::fork();
        fill(hole, PAGE, 3);
    })
}

fn exec() -> Verdict {
    survives(|_| {
        system::close(1);
        system::exec(c"/echo", &[c"echo"]);
    })
}

fn exec_with_arguments() -> Verdict {
    survives(|_| {
        system::close(1);
        // The file does not exist, so `cat` ends at once.
        system::exec(
            c"/cat",
            &[c"cat", c"missing", c"missing too", c"and this one"],
        );
    })
}

fn pipe_into_a_hole() -> Verdict {
    survives(|hole| _ = call(SystemCall::Pipe, [hole, 0, 0]))
}

fn read_into_a_hole() -> Verdict {
    survives(|hole| {
        if let Some((read_end, write_end)) = system::pipe() {
            system::write(write_end, b"abc");
            call(SystemCall::Read, [read_end as u64, hole, 3]);
        }
    })
}

fn write_from_a_hole() -> Verdict {
    survives(|hole| {
        if let Some((_, write_end)) = system::pipe() {
            call(SystemCall::Write, [write_end as u64, hole, 3]);
        }
    })
}

fn wait_into_a_hole() -> Verdict {
    survives(|hole| {
        if system::fork() == Some(0) {
            system::exit(0);
        }
        call(SystemCall::Wait, [hole, 0, 0]);
    })
}

fn fstat_into_a_hole() -> Verdict {
    survives(|hole| {
        if let Some(file) = system::open(c"/init", 0) {
            call(SystemCall::Fstat, [file as u64, hole, 0]);
        }
    })
}

fn paths_in_holes() -> Verdict {
    survives(|hole| {
        call(SystemCall::Chdir, [hole, 0, 0]);
        call(SystemCall::Open, [hole, 0, 0]);
        call(SystemCall::Mkdir, [hole, 0, 0]);
        call(SystemCall::Link, [hole, hole, 0]);
        call(SystemCall::Exec, [hole, hole, 0]);
    })
}

fn files_come_and_go() -> Verdict {
    survives(|_| {
        if let Some(file) = system::open(c"file", CREATE | READ_WRITE) {
            system::write(file, b"content");
            system::close(file);
        }
        system::mkdir(c"directory");
        system::link(c"file", c"directory/file");
        system::unlink(c"directory/file");
        system::unlink(c"file");
        system::unlink(c"directory");
    })
}

fn eager_growth() -> Verdict {
    survives(|_| {
        let before = heap_end();
        // The second one must fail: it needs more frames than can be free.
        let first = eager((SCARCITY / 2 * PAGE) as i64);
        let second = eager((SCARCITY * PAGE) as i64);
        let in_part = second.is_some() || first.is_none() && heap_end() != before;
        if in_part {
            system::exit(WRONG);
        }
    })
}

fn a_touch() -> Verdict {
    survives(|hole| store(hole, 1))
}

/// A page that needs table pages of its own, which are given back with it or at the end.
fn a_touch_far_away() -> Verdict {
    const FAR: u64 = 600;
    survives(|_| {
        let heap = grow(FAR + 1);
        store(heap + FAR * PAGE, 1);
        shrink(FAR + 1);
    })
}

/// The page whose table pages it shares with the trapframe.
fn a_touch_of_the_last_page() -> Verdict {
    survives(|hole| {
        let room = (TRAPFRAME - heap_end()) as i64;
        lazy(room);
        if system::fork() != Some(0) {
            store(TRAPFRAME - PAGE, 1);
            lazy(-room);
        }
        store(hole, 1);
    })
}

fn a_stack_that_grows() -> Verdict {
    survives(|_| {
        for below in 1..=10 {
            store(stack_top() - below * PAGE, 1);
        }
    })
}
