//! How an answer is wrong, and to whom wrong bytes belong.

use crate::model::{Answer, FAILED};

/// Which bytes of a program's memory are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spoiled {
    /// Bytes of the acting process that had to be zero.
    Zeros,
    /// Other bytes of the acting process.
    Own,
    /// Bytes of a process that did not act.
    Others,
    /// Beyond the program break, in its page.
    Tail,
}

/// How the answer of a system call is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mismatch {
    /// It is -1 and had to be something else.
    Refused,
    /// It had to be -1.
    Granted,
    /// It is a larger number than it had to be.
    More,
    /// It is a smaller number than it had to be, and not negative.
    Less,
    /// It is wrong in another way.
    Other,
}

impl Mismatch {
    /// How `seen` differs from `wanted`.
    pub(super) fn of(wanted: Answer, seen: u64) -> Mismatch {
        match wanted {
            Answer::Exactly(FAILED) => Mismatch::Granted,
            _ if seen == FAILED => Mismatch::Refused,
            Answer::Exactly(wanted) if seen as i64 > wanted as i64 => Mismatch::More,
            Answer::Exactly(wanted) if seen < wanted => Mismatch::Less,
            _ => Mismatch::Other,
        }
    }
}
