//! What happens to a finding.
//!
//! The judge makes a finding; a session (`crate::fuzzing`) or a command asks this room what to do with
//! it. On its way it is looked at more and more closely, and each type contains the one before:
//!
//! 1. **Finding** ([`oracle::Finding`]): what is wrong with one case, in the words of the judge.
//! 2. **Identity** ([`identity`](Identity)): what tells it from others. Every question whether two
//!    findings are the same is answered there, at three grains: the *bucket* (a smaller case and a
//!    second run have to show it), the *name* (bucket and cause: a session reports it once, and the file
//!    is called by it) and the *bug* (one row of a table).
//! 3. **Smaller** ([`minimise`]): the smallest case of the same bucket, with the proof that it is
//!    minimal and, for each operation, why it is needed.
//! 4. **Explained** ([`ending`], [`explain`]): whether the kernel is slow, hangs, or has killed the
//!    process; which operation did the harm, and where in the kernel. With this it is a [`Report`].
//! 5. **File** ([`finding_file`]): the case with what is known of it as comments, for people to read, to
//!    repeat and to keep. With its path it is a [`Found`].
//! 6. **Row** ([`rows`]): all that was found of one bug. Its smallest case speaks for the others;
//!    `severity` says how bad it is, and `doubts` why a reasonable author may disagree.
//!
//! What a rule is called and which verdict it earns is the oracle's; what triage has to know of a kind of
//! operation stands in one table, `operations`. [`crate::export`] is a room beside this one: a case
//! without a finding can become a test program as well.

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

pub use found::Found;
pub use identity::{Identity, Name};
pub use report::{Discovery, Explaining, Report};
