//! What happens to a finding.
//!
//! The judge makes a finding. A session (`crate::fuzzing`) or a command asks this room what to do with
//! it. Each step looks at it more closely, and each type contains the one before:
//!
//! 1. **Finding** ([`oracle::Finding`]): what is wrong with one case, in the words of the judge.
//! 2. **Identity** ([`identity`](Identity)): what distinguishes it from others. It decides at three levels
//!    whether two findings are the same. A smaller case and a second run must show the same *bucket*. The
//!    *name* is bucket and cause: a session reports each name once, and it is the name of the file. The
//!    *bug* is one row of a table.
//! 3. **Smaller** ([`minimise`]): the smallest case of the same bucket, with the proof that it is
//!    minimal and, for each operation, why it is needed.
//! 4. **Explained** ([`ending`], [`explain`]): whether the kernel is slow, hangs, or has killed the
//!    process, which operation did the harm, and where in the kernel. Now it is a [`Report`].
//! 5. **File** ([`finding_file`]): the case, with what is known about it as comments, for people to read, to
//!    repeat and to keep. With its path it is a [`Found`].
//! 6. **Row** ([`rows`]): all findings of one bug. The smallest case represents the others. `severity` says
//!    how bad the bug is, and `doubts` why a reasonable author may disagree.
//!
//! The oracle defines the name and the verdict of a rule. The table `operations` holds what triage has to
//! know about each kind of operation. [`crate::export`] is a separate room, because a case without a finding
//! can become a test program as well.

mod doubts;
pub mod ending;
pub mod explain;
pub mod finding_file;
mod found;
mod identity;
pub mod minimise;
pub(crate) mod operations;
mod report;
pub mod rows;
mod severity;
#[cfg(test)]
pub(crate) mod specimens;
mod standing;
mod upstream;

pub use found::Found;
pub use identity::{Identity, Name};
pub use report::{Discovery, Explaining, Report};
pub use standing::Standing;
pub use upstream::Upstream;
