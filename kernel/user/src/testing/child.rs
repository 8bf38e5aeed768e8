//! Children that do a part of a rule.

use super::{Failure, Verdict};
use crate::{ensure, ensure_equal, need, println, system};

/// The exit status of a process that the kernel killed.
pub const KILLED: i32 = -1;

/// A child that is at work.
#[must_use]
pub struct Child {
    /// Its pid.
    pub pid: i32,
}

impl Child {
    /// Ends it and reaps it.
    ///
    /// # Errors
    /// It was not killed, or another child was reaped.
    pub fn kill(self) -> Verdict {
        ensure!(system::kill(self.pid).is_some());
        ensure!(system::wait() == Some((self.pid, KILLED)));
        Ok(())
    }
}

/// Runs `work` in a child, whose exit status says whether it succeeded.
///
/// # Errors
/// There can be no child.
pub fn spawn(work: impl FnOnce() -> Verdict) -> Result<Child, Failure> {
    match need!(system::fork()) {
        0 => {
            let Err(failure) = work() else {
                system::exit(0)
            };
            println!("  in a child: {failure}");
            system::exit(1)
        }
        pid => Ok(Child { pid }),
    }
}

/// Waits for `count` children, whose work must have succeeded.
///
/// # Errors
/// There are fewer children, or the work of one failed.
pub fn all_pass(count: usize) -> Verdict {
    // All are reaped before one of them is judged.
    let mut failed = 0;
    for _ in 0..count {
        let (_, status) = need!(system::wait());
        failed += usize::from(status != 0);
    }
    ensure_equal!(failed, 0);
    Ok(())
}

/// Runs `work` in a child and waits for it: the work must succeed.
///
/// # Errors
/// There can be no child, or its work failed.
pub fn passes(work: impl FnOnce() -> Verdict) -> Verdict {
    let child = spawn(work)?;
    ensure!(system::wait() == Some((child.pid, 0)));
    Ok(())
}

/// Runs `work` in a child, waits for it, and returns its exit status, which is what `work`
/// returned.
///
/// # Errors
/// There can be no child, or another child was reaped.
pub fn status_of(work: impl FnOnce() -> i32) -> Result<i32, Failure> {
    match need!(system::fork()) {
        0 => system::exit(work()),
        child => {
            let (ended, status) = need!(system::wait());
            ensure_equal!(ended, child);
            Ok(status)
        }
    }
}

/// Whether a child that does `work` is killed for it.
pub fn dies(work: impl FnOnce()) -> bool {
    let status = status_of(|| {
        work();
        0
    });
    matches!(status, Ok(KILLED))
}

/// Sleeps until somebody ends this process.
pub fn sleep_until_killed() -> ! {
    loop {
        // Sleep until the kill arrives.
        let _ = system::pause(1000);
    }
}
