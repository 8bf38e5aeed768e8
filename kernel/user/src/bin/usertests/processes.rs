//! Fork, exit, wait, kill, pause: processes and the tree of them.

mod kill;

use core::arch::asm;

use user::abi::SystemCall;
use user::abi::open::READ_ONLY;
use user::testing::child::{self, spawn, status_of};
use user::testing::files::{contains, create, exists};
use user::testing::memory::call;
use user::testing::{Failure, Group, Verdict};
use user::{ensure, ensure_equal, need, raw, rules, system};

use kill::{
    kill_beside_system_calls, kill_of_a_console_reader, kill_of_a_parent, kill_of_a_pauser,
    kill_of_a_pipe_reader, kill_of_a_pipe_writer, kill_of_a_waiter, kill_of_itself, kill_of_nobody,
    kill_of_the_busy,
};

pub const GROUP: Group = Group {
    name: "processes",
    quick: rules![
        exit_statuses_arrive,
        wait_for_nobody,
        wait_without_a_pointer,
        wait_for_several,
        pids_differ,
        registers_are_kept,
        unknown_calls_are_refused,
        children_inherit_files_and_directory,
        exit_closes_files,
        kill_of_nobody,
        kill_of_itself,
        kill_of_the_busy,
        kill_of_a_pipe_reader,
        kill_of_a_pipe_writer,
        kill_of_a_console_reader,
        kill_of_a_waiter,
        kill_of_a_pauser,
        kill_of_a_parent,
        kill_beside_system_calls,
        preemption,
        pause_lasts,
        pause_wakes_in_order,
        exit_beside_wait,
        two_children_at_once,
        forks_at_once,
        orphans_are_reaped,
        orphans_of_orphans,
        forks_until_told,
    ],
    slow: rules![orphans_without_end],
};

fn exit_statuses_arrive() -> Verdict {
    for status in [0, 1, 255, 256, 747, i32::MAX, i32::MIN, -1, -2] {
        ensure_equal!(status_of(|| status)?, status);
    }
    Ok(())
}

fn wait_for_nobody() -> Verdict {
    ensure!(system::wait().is_none());
    let child = spawn(|| {
        // The brother is not its child.
        ensure!(system::wait().is_none());
        Ok(())
    })?;
    ensure!(system::wait() == Some((child.pid, 0)));
    ensure!(system::wait().is_none());
    Ok(())
}

fn wait_without_a_pointer() -> Verdict {
    let child = spawn(|| Ok(()))?;
    ensure_equal!(call(SystemCall::Wait, [0; 3]), child.pid);
    Ok(())
}

fn wait_for_several() -> Verdict {
    const CHILDREN: usize = 10;
    let mut pids = [0; CHILDREN];
    for (number, pid) in pids.iter_mut().enumerate() {
        *pid = match need!(system::fork()) {
            0 => system::exit(100 + number as i32),
            pid => pid,
        };
    }
    for _ in 0..CHILDREN {
        let (pid, status) = need!(system::wait());
        let number = need!(pids.iter().position(|&other| other == pid));
        ensure_equal!(status, 100 + number);
        pids[number] = 0;
    }
    ensure!(system::wait().is_none());
    Ok(())
}

fn pids_differ() -> Verdict {
    let own = system::getpid();
    let (read_end, write_end) = need!(system::pipe());
    let child = spawn(|| {
        let pid = system::getpid();
        ensure_equal!(system::write(write_end, &pid.to_le_bytes()), 4);
        Ok(())
    })?;
    let bytes = &mut [0; 4];
    ensure_equal!(system::read(read_end, bytes), 4);
    ensure_equal!(i32::from_le_bytes(*bytes), child.pid);
    ensure!(child.pid != own);
    ensure_equal!(system::getpid(), own);
    ensure!(system::wait() == Some((child.pid, 0)));
    Ok(())
}

/// A system call changes `a0` and nothing else.
fn registers_are_kept() -> Verdict {
    let changed: u64;
    // SAFETY: `getpid` and `pause` touch no memory; all registers that change are named.
    unsafe {
        asm!(
            "li t0, 0x5a5", "li t1, 0x1a1", "li t2, 0x2a2", "li t3, 0x3a3", "li t4, 0x4a4",
            "li t5, 0x6a6", "li t6, 0x7a7", "li a1, 0x1b1", "li a2, 0x2b2", "li a3, 0x3b3",
            "li a4, 0x4b4", "li a5, 0x5b5", "li a6, 0x6b6",
            "li a7, {getpid}",
            "ecall",
            "li a0, 1",
            "li a7, {pause}",
            "ecall",
            "addi t0, t0, -0x5a5", "addi t1, t1, -0x1a1", "addi t2, t2, -0x2a2",
            "addi t3, t3, -0x3a3", "addi t4, t4, -0x4a4", "addi t5, t5, -0x6a6",
            "addi t6, t6, -0x7a7", "addi a1, a1, -0x1b1", "addi a2, a2, -0x2b2",
            "addi a3, a3, -0x3b3", "addi a4, a4, -0x4b4", "addi a5, a5, -0x5b5",
            "addi a6, a6, -0x6b6", "addi a7, a7, -{pause}",
            "or a0, a0, t0", "or a0, a0, t1", "or a0, a0, t2", "or a0, a0, t3", "or a0, a0, t4",
            "or a0, a0, t5", "or a0, a0, t6", "or a0, a0, a1", "or a0, a0, a2", "or a0, a0, a3",
            "or a0, a0, a4", "or a0, a0, a5", "or a0, a0, a6", "or a0, a0, a7",
            getpid = const SystemCall::Getpid as u64,
            pause = const SystemCall::Pause as u64,
            out("a0") changed, out("a1") _, out("a2") _, out("a3") _, out("a4") _, out("a5") _,
            out("a6") _, out("a7") _, out("t0") _, out("t1") _, out("t2") _, out("t3") _,
            out("t4") _, out("t5") _, out("t6") _,
        );
    }
    ensure_equal!(changed, 0);
    Ok(())
}

fn unknown_calls_are_refused() -> Verdict {
    for number in [0, 99, 1 << 31, 1 << 32, u64::MAX] {
        // SAFETY: there are no such calls.
        ensure_equal!(unsafe { raw::call(number, [1, 2, 3]) }, -1);
    }
    Ok(())
}

fn children_inherit_files_and_directory() -> Verdict {
    ensure_equal!(system::mkdir(c"inner"), 0);
    ensure_equal!(system::chdir(c"inner"), 0);
    create(c"file", b"abc")?;
    let file = need!(system::open(c"file", READ_ONLY));
    child::passes(|| {
        contains(c"file", b"abc")?;
        ensure_equal!(system::read(file, &mut [0]), 1);
        // Its own descriptors and directory do not affect its parent's.
        ensure_equal!(system::close(file), 0);
        ensure_equal!(system::chdir(c"/"), 0);
        Ok(())
    })?;
    let bytes = &mut [0; 8];
    ensure_equal!(system::read(file, bytes), 2);
    contains(c"file", b"abc")
}

fn exit_closes_files() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    for ends in [|| system::exit(0), || child::sleep_until_killed()] {
        let child = spawn(|| {
            ensure_equal!(system::write(write_end, b"x"), 1);
            let () = ends();
            Ok(())
        })?;
        ensure_equal!(system::read(read_end, &mut [0]), 1);
        // It may have ended on its own.
        let _ = system::kill(child.pid);
        ensure_equal!(need!(system::wait()).0, child.pid);
    }
    system::close(write_end);
    ensure_equal!(system::read(read_end, &mut [0]), 0);
    Ok(())
}

/// Processes that never rest do not keep the others from running.
fn preemption() -> Verdict {
    let spin = || {
        spawn(|| {
            loop {
                core::hint::spin_loop();
            }
        })
    };
    let spinners = [spin()?, spin()?];
    let (read_end, write_end) = need!(system::pipe());
    let third = spawn(|| {
        ensure_equal!(system::write(write_end, b"x"), 1);
        loop {
            core::hint::spin_loop();
        }
    })?;
    ensure_equal!(system::read(read_end, &mut [0]), 1);
    for child in spinners {
        child.kill()?;
    }
    third.kill()
}

fn pause_lasts() -> Verdict {
    for ticks in [0, 1, 3] {
        let start = system::uptime();
        ensure_equal!(system::pause(ticks), 0);
        ensure!(system::uptime() >= start + u64::from(ticks));
    }
    // A negative number of ticks counts as 0.
    let start = system::uptime();
    ensure_equal!(call(SystemCall::Pause, [u64::MAX, 0, 0]), 0);
    ensure!(system::uptime() < start + 100);
    Ok(())
}

fn pause_wakes_in_order() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    for ticks in [9, 1, 5] {
        let _ = spawn(|| {
            ensure_equal!(system::pause(ticks), 0);
            ensure_equal!(system::write(write_end, &[ticks as u8]), 1);
            Ok(())
        })?;
    }
    let bytes = &mut [0; 3];
    for byte in bytes.iter_mut() {
        ensure_equal!(system::read(read_end, core::slice::from_mut(byte)), 1);
    }
    ensure!(*bytes == [1, 5, 9]);
    child::all_pass(3)
}

fn exit_beside_wait() -> Verdict {
    for status in 0..100 {
        ensure_equal!(status_of(|| status)?, status);
    }
    Ok(())
}

fn two_children_at_once() -> Verdict {
    for _ in 0..300 {
        let _ = spawn(|| Ok(()))?;
        let _ = spawn(|| Ok(()))?;
        child::all_pass(2)?;
    }
    Ok(())
}

fn forks_at_once() -> Verdict {
    for _ in 0..2 {
        let _ = spawn(|| {
            for _ in 0..200 {
                child::passes(|| Ok(()))?;
            }
            Ok(())
        })?;
    }
    child::all_pass(2)
}

/// Children that leave children behind: the first process takes them over and reaps them, else
/// there would soon be no process left.
fn orphans_are_reaped() -> Verdict {
    for _ in 0..200 {
        child::passes(|| {
            let _ = spawn(|| Ok(()))?;
            Ok(())
        })?;
    }
    Ok(())
}

fn orphans_of_orphans() -> Verdict {
    leave_orphans(100)
}

fn orphans_without_end() -> Verdict {
    leave_orphans(800)
}

/// Each round leaves three processes, which end in any order; some of them have others for
/// children.
fn leave_orphans(rounds: usize) -> Verdict {
    for _ in 0..rounds {
        let child = need!(system::fork());
        if child == 0 {
            // Both may fail: the table is full before the first process has reaped the last ones.
            let _ = system::fork();
            let _ = system::fork();
            system::exit(0);
        }
        ensure!(system::wait() == Some((child, 0)));
    }
    Ok(())
}

/// All that can fork do so, until a file says stop.
fn forks_until_told() -> Verdict {
    let child = spawn(|| {
        while !exists(c"stop") {
            if system::fork().is_none() {
                create(c"stop", b"")?;
            }
        }
        Ok(())
    })?;
    ensure_equal!(system::pause(5), 0);
    // If there was room for all, no process has made the file.
    create(c"stop", b"")?;
    ensure!(system::wait() == Some((child.pid, 0)));
    // If as many processes fit as before, all have seen the file and ended.
    for _ in 0..100 {
        if fork_many(40)? == 40 {
            return Ok(());
        }
        ensure_equal!(system::pause(1), 0);
    }
    ensure!(false);
    Ok(())
}

/// Makes as many children as possible up to a limit, and reaps them. Returns how many there were.
fn fork_many(count: usize) -> Result<usize, Failure> {
    let (read_end, write_end) = need!(system::pipe());
    let mut made = 0;
    while made < count {
        match system::fork() {
            Some(0) => {
                system::close(write_end);
                system::read(read_end, &mut [0]);
                system::exit(0)
            }
            Some(_) => made += 1,
            None => break,
        }
    }
    system::close(write_end);
    child::all_pass(made)?;
    system::close(read_end);
    Ok(made)
}
