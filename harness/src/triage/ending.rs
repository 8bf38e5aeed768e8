//! What happens to an operation that does not come back in time: the kernel walks through a hole, the kernel hangs, or
//! the process is dead.
//!
//! A kernel that walks through a hole in the address space page by page comes to an end, and the time grows with the
//! hole. That is not lazy, but it breaks nothing.

use crate::runner::{Runner, Walk};
use oracle::{Clause, Finding};
use serde::Serialize;

/// How the operation of a finding ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// It came back.
    #[default]
    CameBack,
    /// It comes back after all.
    Late(Slow),
    /// Its process is dead.
    Dead,
    /// Its process lives, but the operation never comes back.
    Never,
}

impl Ending {
    /// How the operation of `finding` ended, right after `runner` has run the case that shows it.
    pub(super) fn of(runner: &mut Runner, finding: &Finding) -> Ending {
        match finding.clause {
            Clause::ComesBack if runner.has_died(finding) => Ending::Dead,
            Clause::ComesBack => Ending::Never,
            Clause::EndsInTime => match runner.walk() {
                Some(walk) => Ending::Late(Slow::from(walk)),
                None => Ending::Never,
            },
            _ => Ending::CameBack,
        }
    }

    /// How late the operation comes back, if it does.
    pub fn slow(self) -> Option<Slow> {
        match self {
            Ending::Late(slow) => Some(slow),
            Ending::CameBack | Ending::Dead | Ending::Never => None,
        }
    }

    /// Whether the process that does not come back is dead; otherwise it sleeps for ever.
    pub fn is_dead(self) -> bool {
        self == Ending::Dead
    }
}

/// Why an operation that comes back is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Slow {
    /// Instructions for each page of the hole.
    pub instructions: u64,
    /// Pages that nobody has touched.
    pub pages: u64,
}

impl From<Walk> for Slow {
    fn from(walk: Walk) -> Slow {
        Slow {
            instructions: walk.instructions,
            pages: walk.pages,
        }
    }
}

impl std::fmt::Display for Slow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Slow {
            instructions,
            pages,
        } = self;
        write!(
            f,
            "its time grows by {instructions} instructions for each of {pages} pages that nobody has touched"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Slow;

    #[test]
    fn a_walk_says_what_a_page_costs() {
        let slow = Slow {
            instructions: 100,
            pages: 10,
        };
        assert_eq!(
            slow.to_string(),
            "its time grows by 100 instructions for each of 10 pages that nobody has touched"
        );
    }
}
