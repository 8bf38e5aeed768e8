//! `kill`: of processes that run, and of those that sleep in any system call.

use user::abi::limits::PIPE_BYTES;
use user::abi::open::{CREATE, READ_ONLY, READ_WRITE};
use user::testing::child::{self, Child, KILLED, spawn, status_of};
use user::testing::files::create;
use user::testing::memory::buffer;
use user::testing::{Failure, Verdict};
use user::{ensure, ensure_equal, need, system};

pub(super) fn kill_of_nobody() -> Verdict {
    let child = spawn(|| Ok(()))?;
    ensure!(system::wait() == Some((child.pid, 0)));
    ensure_equal!(system::kill(child.pid), -1);
    ensure_equal!(system::kill(-1), -1);
    ensure_equal!(system::kill(i32::MAX), -1);
    Ok(())
}

/// The call must not return.
pub(super) fn kill_of_itself() -> Verdict {
    let status = status_of(|| {
        let own = system::getpid();
        let _ = system::kill(own);
        7
    });
    ensure_equal!(status?, KILLED);
    Ok(())
}

pub(super) fn kill_of_the_busy() -> Verdict {
    for calls in [false, true].into_iter().cycle().take(10) {
        let child = spawn(|| {
            loop {
                if calls {
                    let _ = system::getpid();
                } else {
                    core::hint::spin_loop();
                }
            }
        })?;
        ensure_equal!(system::pause(1), 0);
        child.kill()?;
    }
    Ok(())
}

/// Starts a child that says that it runs and then sleeps in `work`, and waits until it sleeps.
fn asleep_in(work: impl FnOnce()) -> Result<Child, Failure> {
    let (read_end, write_end) = need!(system::pipe());
    let child = spawn(|| {
        ensure_equal!(system::write(write_end, b"x"), 1);
        work();
        Ok(())
    })?;
    ensure_equal!(system::read(read_end, &mut [0]), 1);
    ensure_equal!(system::pause(1), 0);
    system::close(read_end);
    system::close(write_end);
    Ok(child)
}

pub(super) fn kill_of_a_pipe_reader() -> Verdict {
    let (read_end, _write_end) = need!(system::pipe());
    asleep_in(|| _ = system::read(read_end, &mut [0]))?.kill()
}

pub(super) fn kill_of_a_pipe_writer() -> Verdict {
    let (_read_end, write_end) = need!(system::pipe());
    let bytes = buffer(PIPE_BYTES + 1);
    asleep_in(|| _ = system::write(write_end, bytes))?.kill()
}

pub(super) fn kill_of_a_console_reader() -> Verdict {
    ensure_equal!(system::mknod(c"console", user::abi::limits::CONSOLE, 0), 0);
    let console = need!(system::open(c"console", READ_ONLY));
    asleep_in(|| _ = system::read(console, &mut [0]))?.kill()
}

pub(super) fn kill_of_a_waiter() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    let waiter = asleep_in(|| {
        if let Ok(grandchild) = spawn(|| child::sleep_until_killed()) {
            system::write(write_end, &grandchild.pid.to_le_bytes());
            system::wait();
        }
    })?;
    let bytes = &mut [0; 4];
    ensure_equal!(system::read(read_end, bytes), 4);
    waiter.kill()?;
    // The grandchild lives on.
    ensure_equal!(system::kill(i32::from_le_bytes(*bytes)), 0);
    Ok(())
}

pub(super) fn kill_of_a_pauser() -> Verdict {
    let start = system::uptime();
    asleep_in(|| _ = system::pause(10_000))?.kill()?;
    ensure!(system::uptime() < start + 5_000);
    Ok(())
}

/// Its children keep going, and end on their own.
pub(super) fn kill_of_a_parent() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    let parent = asleep_in(|| {
        for _ in 0..3 {
            let _ = spawn(|| {
                ensure_equal!(system::pause(3), 0);
                ensure_equal!(system::write(write_end, b"x"), 1);
                Ok(())
            });
        }
        child::sleep_until_killed()
    })?;
    parent.kill()?;
    system::close(write_end);
    let mut arrived = 0;
    while need!(system::read(read_end, &mut [0])) == 1 {
        arrived += 1;
    }
    ensure_equal!(arrived, 3);
    Ok(())
}

/// A child that makes, writes and removes a file without end is killed at any point of that.
pub(super) fn kill_beside_system_calls() -> Verdict {
    for ticks in 0..6 {
        let child = spawn(|| {
            let bytes = buffer(3000);
            loop {
                let file = need!(system::open(c"file", CREATE | READ_WRITE));
                ensure_equal!(system::write(file, bytes), bytes.len());
                ensure_equal!(system::close(file), 0);
                ensure_equal!(system::unlink(c"file"), 0);
            }
        })?;
        ensure_equal!(system::pause(ticks % 3), 0);
        child.kill()?;
        // Everything that it held is free for others.
        create(c"file", b"mine")?;
        ensure_equal!(system::unlink(c"file"), 0);
    }
    Ok(())
}
