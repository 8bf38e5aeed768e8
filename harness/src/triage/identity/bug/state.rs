//! Bugs that make memory wrong, whatever shows it later.

use super::{Answer, Bug};
use crate::triage::identity::family::Family;
use oracle::{Clause, Finding, Spoiled};

impl Bug {
    /// The bug of what was wrong first, or of a finding that says by itself what is wrong with memory. `function`
    /// is where the kernel did that.
    pub(in crate::triage::identity) fn of_state(finding: &Finding, function: Option<&str>) -> Bug {
        let is_of_bytes = matches!(finding.clause, Clause::PageContent | Clause::FreshPageZero);
        let never_cleared = is_unzeroed(finding) || finding.spoiled() == Some(Spoiled::Tail);
        Bug {
            clause: if is_of_bytes && never_cleared {
                Clause::FreshPageZero
            } else {
                finding.clause
            },
            family: Family::Any,
            page: None,
            fate: None,
            answer: Answer::Other,
            words: function.filter(|_| is_of_bytes).map(str::to_owned),
            spoiled: None,
            place: None,
        }
    }

    /// Whether both are likely to be one bug. Where the kernel made bytes wrong is not always known.
    pub(in crate::triage) fn is_same(&self, other: &Bug) -> bool {
        let is_of_bytes = matches!(self.clause, Clause::PageContent | Clause::FreshPageZero);
        let is_unknown = self.words.is_none() || other.words.is_none();
        let without_place = |bug: &Bug| Bug {
            place: None,
            ..bug.clone()
        };
        let like = |bug: &Bug| Bug {
            words: None,
            ..without_place(bug)
        };
        self.is_at_the_place_of(other)
            || without_place(self) == without_place(other)
            || (is_of_bytes && is_unknown && like(self) == like(other))
    }

    /// Whether the function in which it went wrong is part of the bug. For wrong bytes it is the one that stored them.
    pub(in crate::triage) fn has_place(&self) -> bool {
        self.words.is_some()
    }

    /// The rule that is broken first.
    pub(in crate::triage) fn clause(&self) -> Clause {
        self.clause
    }
}

/// Whether a finding is about bytes that had to be zero.
pub(super) fn is_unzeroed(finding: &Finding) -> bool {
    finding.clause == Clause::FreshPageZero || finding.spoiled() == Some(Spoiled::Zeros)
}
