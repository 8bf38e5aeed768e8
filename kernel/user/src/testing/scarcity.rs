//! A system without free frames, or with few: a process takes them all as its heap.

use super::child::{self, Child, spawn};
use super::memory::{PAGE, eager, grow, shrink, store};
use super::usage::free_frames;
use super::{Failure, Verdict};
use crate::{ensure, ensure_equal, need, system};

/// How many frames a heap may fail to take, because the next page may need tables of its own.
const RESERVE: u64 = 4;

/// Leaves exactly `count` frames free in the whole system; this process holds the others until it
/// ends. To be called once.
pub fn leave_frames(count: u64) {
    let reserve = grow(RESERVE);
    take_all();
    while free_frames() < count {
        shrink(1);
    }
    // Takes the frames that are still too many, with pages whose tables are there.
    let mut pages = (0..RESERVE).map(|page| reserve + page * PAGE);
    while free_frames() > count
        && let Some(page) = pages.next()
    {
        store(page, 1);
    }
}

/// A child that holds frames, and gives them back when this is dropped.
#[must_use]
pub struct Hoarder {
    child: Child,
}

impl Hoarder {
    /// Starts a child that leaves exactly `count` frames free, and holds the others.
    ///
    /// # Errors
    /// There can be no child.
    pub fn leaving(count: u64) -> Result<Hoarder, Failure> {
        let (ready, tell) = need!(system::pipe());
        let child = spawn(|| {
            leave_frames(count);
            ensure_equal!(system::write(tell, b"x"), 1);
            child::sleep_until_killed()
        })?;
        system::close(tell);
        let hoarder = Hoarder { child };
        ensure_equal!(system::read(ready, &mut [0]), 1);
        system::close(ready);
        Ok(hoarder)
    }
}

impl Drop for Hoarder {
    fn drop(&mut self) {
        // If it is gone already, there is nothing to end and somebody else has reaped it.
        if system::kill(self.child.pid).is_some() {
            while system::wait().is_some_and(|(pid, _)| pid != self.child.pid) {}
        }
    }
}

/// Children do `work` at the same time. All of them together need more frames than there are: some
/// must be killed, and then there must be enough for the others.
///
/// # Errors
/// All are killed, or none is.
pub fn compete(children: usize, work: impl Fn() -> Verdict) -> Verdict {
    let (start, go) = need!(system::pipe());
    for _ in 0..children {
        let _ = spawn(|| {
            ensure_equal!(system::read(start, &mut [0]), 1);
            work()?;
            // They keep what they have until all have tried.
            ensure_equal!(system::pause(3), 0);
            Ok(())
        })?;
    }
    for _ in 0..children {
        ensure_equal!(system::write(go, b"x"), 1);
    }
    let (mut killed, mut passed) = (0, 0);
    for _ in 0..children {
        match need!(system::wait()).1 {
            child::KILLED => killed += 1,
            0 => passed += 1,
            _ => ensure!(false),
        }
    }
    ensure!(killed > 0 && passed > 0);
    Ok(())
}

/// Takes frames, many at a time first, until there is none for one page more.
fn take_all() {
    for step in (0..15).rev() {
        while eager((PAGE << step) as i64).is_some() {}
    }
}
