//! Bugs that make memory wrong, whatever shows it later.

use super::{Answer, Bug};
use crate::triage::explain::{Cause, Explanation};
use crate::triage::identity::family::Family;
use oracle::{Clause, Finding, Spoiled};

impl Bug {
    /// The bug of what was wrong first, or of a finding that says by itself what is wrong with memory. `function`
    /// is where the kernel did that.
    pub(in crate::triage::identity) fn of_state(
        finding: &Finding,
        explanation: &Explanation,
    ) -> Bug {
        let is_of_bytes = matches!(finding.clause, Clause::PageContent | Clause::FreshPageZero);
        let is_never_cleared = is_unzeroed(finding, explanation)
            || (finding.spoiled() == Some(Spoiled::Tail) && explanation.left_by.is_none());
        let clause = match finding.clause {
            Clause::PageContent if is_never_cleared => Clause::FreshPageZero,
            Clause::FreshPageZero if !is_never_cleared => Clause::PageContent,
            clause => clause,
        };
        let function = explanation.function().filter(|_| is_of_bytes);
        Bug {
            clause,
            family: Family::Any,
            page: None,
            fate: None,
            answer: Answer::Other,
            words: function.map(str::to_owned),
            spoiled: None,
            cause: None,
            place: None,
        }
    }

    /// The bug that an experiment has shown, whatever operation shows it.
    pub(in crate::triage::identity) fn of_cause(cause: Cause, explanation: &Explanation) -> Bug {
        let function = explanation.function().map(str::to_owned);
        Bug {
            // Old translations make memory look wrong. What a failed call changes can look like anything.
            clause: match cause {
                Cause::OldTranslation => Clause::PageContent,
                Cause::FailedCall(_) => Clause::ReturnedValue,
            },
            family: Family::Any,
            page: None,
            fate: None,
            answer: Answer::Other,
            words: function.filter(|_| cause == Cause::OldTranslation),
            spoiled: None,
            cause: Some(cause),
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

    /// The rule that is broken first. If an experiment has shown the cause, that is not known.
    pub(in crate::triage) fn clause(&self) -> Clause {
        self.clause
    }
}

/// Whether a finding is about bytes that had to be zero, and that no system call has stored.
pub(super) fn is_unzeroed(finding: &Finding, explanation: &Explanation) -> bool {
    let had_to_be_zero =
        finding.clause == Clause::FreshPageZero || finding.spoiled() == Some(Spoiled::Zeros);
    had_to_be_zero && explanation.left_by.is_none()
}
