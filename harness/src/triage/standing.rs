//! How a row compares with the last check of the same kernel.

use serde::Serialize;
use std::fmt;

/// How a row compares with the last check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// One of its cases was there before.
    StillThere,
    /// The last check did not reach the situation in which it shows.
    NewNotReached,
    /// The last check reached that situation, and nothing was wrong.
    NewWasRight,
    /// It is new, and it is not known whether the last check reached its situation.
    New,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Standing::StillThere => "still there",
            Standing::NewNotReached => "new: the last check did not reach this situation",
            Standing::NewWasRight => {
                "new: the last check reached this situation and saw nothing wrong there"
            }
            Standing::New => "new: it is not known whether the last check reached this situation",
        })
    }
}
