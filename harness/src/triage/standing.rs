//! How a row compares with the last check of the same kernel.

use serde::Serialize;
use std::fmt;

/// How a row compares with the last check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A case of it was there before.
    StillThere,
    /// The last check never got into the situation that it shows in.
    NewNotReached,
    /// The last check got into that situation, and nothing was wrong.
    NewWasRight,
    /// It is new, and nobody knows whether the last check got into its situation.
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
