//! Where the kernel decided wrongly, and what it decided.
//!
//! Two findings are one bug if the kernel went wrong in the same function and in the same direction, whatever the
//! operations met that show it.

use super::{Answer, Bug};
use crate::triage::explain::Explanation;
use oracle::{Clause, Finding};

/// A wrong decision of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The function that decided.
    function: String,
    wrong: Wrong,
}

/// What was wrong with a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// An answer, or whether the process is killed.
    Answer(Answer),
    /// Something else, which breaks this rule.
    Other(Clause),
}

impl Wrong {
    fn is_opposite_of(self, other: Wrong) -> bool {
        let both = [Answer::Refused, Answer::Granted].map(Wrong::Answer);
        self != other && both.contains(&self) && both.contains(&other)
    }
}

impl Bug {
    /// The same bug at the place that the explanation of `finding` points to, if it points to one.
    pub(in crate::triage::identity) fn located(
        self,
        finding: &Finding,
        explanation: &Explanation,
    ) -> Bug {
        let first = explanation.root.as_ref().unwrap_or(finding);
        let function = match first.clause {
            // What took a frame is known as well as what decided.
            _ if explanation.cause.is_some() => None,
            Clause::FramesComeBack => explanation.function(),
            _ if explanation.left_by.is_some() => explanation.function(),
            _ => explanation.parts_in.as_deref(),
        };
        let place = function.map(|function| Place {
            function: function.to_owned(),
            wrong: self.wrong(first.clause),
        });
        Bug { place, ..self }
    }

    fn wrong(&self, clause: Clause) -> Wrong {
        match clause {
            Clause::InnocentLive => Wrong::Answer(Answer::Refused),
            Clause::ForbiddenAccessKills => Wrong::Answer(Answer::Granted),
            Clause::ReturnedValue | Clause::Blocks | Clause::ProgramStarts => {
                Wrong::Answer(self.answer)
            }
            clause => Wrong::Other(clause),
        }
    }

    /// Whether the kernel went wrong at the same place. To refuse and to grant there are two bugs.
    pub(super) fn is_at_the_place_of(&self, other: &Bug) -> bool {
        let both = self.place.as_ref().zip(other.place.as_ref());
        both.is_some_and(|(one, other)| {
            one.function == other.function && !one.wrong.is_opposite_of(other.wrong)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::triage::ending::Ending;
    use crate::triage::explain::Explanation;
    use crate::triage::identity::{Identity, Name};
    use crate::triage::specimens::{Does, finding};

    /// The finding of that case, whose step leaves the way of right ones in `function`.
    fn identity(text: &str, does: Does, function: &str) -> Identity {
        let (_, finding) = finding(text, does);
        let explanation = Explanation {
            parts_in: Some(function.to_owned()),
            ..Explanation::default()
        };
        let name = Name::of(&finding, None);
        Identity::of(name, &finding, &explanation, Ending::default())
    }

    #[test]
    fn what_goes_wrong_in_one_function_is_one_bug() {
        let refused = || Does::Returns(u64::MAX);
        let open = identity("a: sbrk +1p\na: open heap[0]", refused(), "stretch");
        let pipe = identity("a: sbrk +1p\na: pipe heap[0]", refused(), "stretch");
        let other = identity("a: sbrk +1p\na: pipe heap[0]", refused(), "pipe_alloc");
        assert!(open.is_same_bug(&pipe));
        assert!(!open.is_same_bug(&other));
    }

    #[test]
    fn to_refuse_and_to_grant_are_two_bugs() {
        let refused = identity("a: sbrk +1p", Does::Returns(u64::MAX), "sbrk");
        let granted = identity("a: kill pid 0", Does::Returns(0), "sbrk");
        assert!(!refused.is_same_bug(&granted));
    }
}
