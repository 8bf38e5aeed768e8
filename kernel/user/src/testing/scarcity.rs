//! A system without free frames, or with few: a process takes them all as its heap.

use super::Failure;
use super::child::{self, Child, spawn};
use super::memory::{PAGE, eager, grow, shrink, store};
use super::usage::usage;
use crate::{ensure_equal, need, system};

/// Pages that may stay free of what a heap can take: the next page may need tables of its own.
const RESERVE: u64 = 4;

/// Leaves exactly `count` frames free in the whole system; this process holds the others until it
/// ends. To be called once.
pub fn leave_frames(count: u64) {
    let reserve = grow(RESERVE);
    take_all();
    while usage().free_frames < count {
        shrink(1);
    }
    // What is still too many: pages whose tables are there.
    let mut pages = (0..RESERVE).map(|page| reserve + page * PAGE);
    while usage().free_frames > count
        && let Some(page) = pages.next()
    {
        store(page, 1);
    }
}

/// Starts a child that leaves exactly `count` frames free, and holds the others until it is killed.
///
/// # Errors
/// There can be no child.
pub fn hoard_all_but(count: u64) -> Result<Child, Failure> {
    let (ready, tell) = need!(system::pipe());
    let hoarder = spawn(|| {
        leave_frames(count);
        ensure_equal!(system::write(tell, b"x"), 1);
        child::sleep_until_killed()
    })?;
    system::close(tell);
    ensure_equal!(system::read(ready, &mut [0]), 1);
    system::close(ready);
    Ok(hoarder)
}

/// Takes frames, many at a time first, until there is none for one page more.
fn take_all() {
    for step in (0..15).rev() {
        while eager((PAGE << step) as i64).is_some() {}
    }
}
