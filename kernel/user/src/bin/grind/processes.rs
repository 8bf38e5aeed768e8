//! Children, pipes between them, and programs.

use core::ffi::CStr;

use user::testing::child::{KILLED, spawn};
use user::testing::files::read_fully;
use user::testing::random::Random;
use user::testing::{Failure, Verdict};
use user::{ensure, ensure_equal, need, system};

use crate::pipe_with;
use crate::worker::Worker;

/// Bytes through a pipe come out as they went in.
pub fn pipe(random: &mut Random) -> Verdict {
    let mut bytes = [0; 100];
    bytes.fill(random.number() as u8);
    let length = 1 + random.below(99) as usize;
    let read_end = pipe_with(&bytes[..length])?;
    let mut out = [0; 101];
    ensure_equal!(read_fully(read_end, &mut out), length);
    ensure!(out[..length] == bytes[..length]);
    ensure!(system::close(read_end).is_some());
    Ok(())
}

/// A child knows what its parent knows, does a few things, and exits with 0 if all went well.
pub fn child_that_exits(worker: &mut Worker) -> Verdict {
    let seed = worker.random.number();
    let child = spawn(|| {
        worker.random = Random::new(seed);
        worker.may_fork = false;
        worker.heap.check()?;
        worker.heap.spoil();
        for _ in 0..worker.random.below(5) {
            work_in_child(worker)?;
        }
        worker.heap.check()
    })?;
    ensure!(system::wait() == Some((child.pid, 0)));
    worker.heap.check()
}

/// A random thing for a child. The diary belongs to the parent, so the child does not change it.
fn work_in_child(worker: &mut Worker) -> Verdict {
    match worker.random.below(4) {
        0 => worker.heap.grow(&mut worker.random),
        1 => worker.heap.shrink(&mut worker.random),
        2 => pipe(&mut worker.random),
        _ => crate::files::play(&mut worker.random),
    }
}

/// A child that works until it is killed, at any point.
pub fn child_that_is_killed(worker: &mut Worker) -> Verdict {
    let seed = worker.random.number();
    let child = spawn(|| {
        worker.random = Random::new(seed);
        worker.may_fork = false;
        worker.heap.spoil();
        loop {
            work_in_child(worker)?;
        }
    })?;
    for _ in 0..worker.random.below(20) {
        let _ = system::uptime();
    }
    ensure!(system::kill(child.pid).is_some());
    ensure!(system::wait() == Some((child.pid, KILLED)));
    worker.heap.check()
}

/// A child that ends before its own children.
pub fn orphans(random: &mut Random) -> Verdict {
    let count = random.below(4);
    let child = spawn(|| {
        for _ in 0..count {
            if system::fork() == Some(0) {
                let _ = system::getpid();
                system::exit(7);
            }
        }
        Ok(())
    })?;
    ensure!(system::wait() == Some((child.pid, 0)));
    Ok(())
}

/// Starts a program with these descriptors for input and output.
fn start(input: i32, output: i32, others: &[i32], path: &CStr, words: &[&CStr]) -> Verdict {
    let _ = spawn(|| {
        for (descriptor, place) in [(input, 0), (output, 1)] {
            if descriptor != place {
                system::close(place);
                ensure_equal!(system::dup(descriptor), place);
            }
        }
        for &other in others {
            system::close(other);
        }
        system::exec(path, words);
        ensure!(false);
        Ok(())
    })?;
    Ok(())
}

/// `echo hi there | cat`, as a shell does it.
pub fn programs() -> Verdict {
    let (first_out, first_in) = need!(system::pipe());
    let (second_out, second_in) = need!(system::pipe());
    let all = [first_out, first_in, second_out, second_in];
    start(0, first_in, &all, c"/echo", &[c"echo", c"hi", c"there"])?;
    start(first_out, second_in, &all, c"/cat", &[c"cat"])?;
    for end in [first_out, first_in, second_in] {
        ensure!(system::close(end).is_some());
    }
    let mut bytes = [0; 32];
    let length = need!(read_fully(second_out, &mut bytes));
    ensure!(bytes[..length] == *b"hi there\n");
    ensure!(system::close(second_out).is_some());
    ends_well()?;
    ends_well()
}

fn ends_well() -> Result<(), Failure> {
    ensure_equal!(need!(system::wait()).1, 0);
    Ok(())
}

/// An `exec` of something that is not a program fails and changes nothing.
pub fn no_programs() -> Verdict {
    for path in [c"/", c"missing", c"diary000", c"a", c""] {
        system::exec(path, &[c"x", c"y"]);
    }
    Ok(())
}
