//! Bugs that make memory wrong, whatever shows it later.

use super::page::to_be_brought_in;
use super::{Answer, Bug, stop};
use crate::triage::explain::{Cause, Explanation};
use crate::triage::identity::family::Family;
use oracle::{Clause, Finding, PageState, Spoiled};

impl Bug {
    /// The bug of what was wrong first, or of a finding that says by itself what is wrong with memory. `function`
    /// is where the kernel did that.
    pub(in crate::triage::identity) fn of_state(
        finding: &Finding,
        explanation: &Explanation,
    ) -> Bug {
        let is_of_bytes = is_about_bytes(finding);
        let is_never_cleared = is_unzeroed(finding, explanation);
        let clause = match finding.clause {
            Clause::PageContent | Clause::LoadedValue if is_never_cleared => Clause::FreshPageZero,
            Clause::FreshPageZero if !is_never_cleared => Clause::PageContent,
            clause => clause,
        };
        let words = match finding.clause {
            Clause::NoPanic => Some(stop(finding)),
            _ if is_of_bytes => explanation.storer().map(str::to_owned),
            _ => None,
        };
        Bug {
            clause,
            family: Family::Any,
            page: None,
            fate: None,
            answer: Answer::Other,
            words,
            spoiled: None,
            cause: None,
            place: None,
            is_older: explanation.is_older(),
            stored_in: explanation.storer().map(str::to_owned),
        }
    }

    /// The bug that an experiment has shown, whatever operation shows it.
    pub(in crate::triage::identity) fn of_cause(
        cause: Cause,
        finding: &Finding,
        explanation: &Explanation,
    ) -> Bug {
        let function = match cause {
            // If no store shows the change, the function that it shows in is accidental.
            Cause::OldTranslation => explanation.storer(),
            // What took the frames that were lost: other calls may take them there too.
            Cause::FailedCall(_) => explanation.storer(),
            Cause::HighHalf | Cause::KilledSleeper | Cause::RefusedFrame(_) => None,
        };
        Bug {
            // Old translations make memory look wrong. What a failed call changes can look like anything.
            clause: match cause {
                Cause::OldTranslation => Clause::PageContent,
                Cause::FailedCall(_) => finding.clause,
                Cause::KilledSleeper => Clause::EverybodyReaped,
                Cause::HighHalf | Cause::RefusedFrame(_) => Clause::ReturnedValue,
            },
            family: Family::Any,
            page: None,
            fate: None,
            answer: match cause {
                Cause::RefusedFrame(_) => Answer::Granted,
                Cause::OldTranslation
                | Cause::FailedCall(_)
                | Cause::HighHalf
                | Cause::KilledSleeper => Answer::Other,
            },
            words: function.map(str::to_owned),
            spoiled: None,
            cause: Some(cause),
            place: None,
            is_older: false,
            stored_in: None,
        }
    }

    /// Whether both are likely to be one bug.
    pub(in crate::triage) fn is_same(&self, other: &Bug) -> bool {
        self.is_at_the_place_of(other)
            || self.follows_the_call_of(other)
            || self.loses_frames_of(other)
            || self.corrupts_memory_like(other)
            || self.ends_wrongly_like(other)
            || self.stops_like(other)
            || self.refuses_like(other)
            || other.refuses_like(self)
            || self.like() == other.like()
    }

    /// Whether both may be one bug that makes bytes wrong, because it is not known where one of them does that.
    pub(in crate::triage) fn may_be(&self, other: &Bug) -> bool {
        let is_of_bytes = matches!(self.clause, Clause::PageContent | Clause::FreshPageZero);
        let is_unknown = self.words.is_none() || other.words.is_none();
        // A system call that leaves wrong bytes in a page may also store nothing there.
        let like = |bug: &Bug| Bug {
            words: None,
            spoiled: bug.spoiled.filter(|spoiled| *spoiled != Spoiled::Own),
            ..bug.like()
        };
        is_of_bytes && is_unknown && like(self) == like(other)
    }

    /// What says that two bugs are one if they have it in common.
    fn like(&self) -> Bug {
        Bug {
            place: None,
            is_older: false,
            stored_in: None,
            ..self.clone()
        }
    }

    /// Whether both follow from a failed system call of the same name.
    fn follows_the_call_of(&self, other: &Bug) -> bool {
        matches!(self.cause, Some(Cause::FailedCall(_))) && self.cause == other.cause
    }

    /// Whether both show at the end of a case as too many free frames, as a process that nobody reaps, as slots that are
    /// lost or as promises that are left; with or without a call that fails before.
    fn ends_wrongly_like(&self, other: &Bug) -> bool {
        let is_of_the_end = matches!(
            self.clause,
            Clause::FramesNotInvented
                | Clause::EverybodyReaped
                | Clause::SlotsComeBack
                | Clause::PromisesEnd
        );
        is_of_the_end && self.clause == other.clause
    }

    /// Whether the program cannot use pages of a kind, and the other shows that system calls cannot use them either: both
    /// need the same of the page.
    fn refuses_like(&self, other: &Bug) -> bool {
        let page = |bug: &Bug| bug.page.map(|page| to_be_brought_in(page, Family::CopyOut));
        let kills = self.clause == Clause::InnocentLive && self.family == Family::Access;
        let refuses = other.clause == Clause::ReturnedValue && other.answer == Answer::Refused;
        let both = kills && refuses && other.family.copies();
        both && self.page.is_some() && page(self) == page(other)
    }

    /// Whether a frame had two users before the case began, as it has in every case.
    pub(in crate::triage) fn corrupts_every_case(&self) -> bool {
        self.is_older && self.corrupts()
    }

    fn corrupts(&self) -> bool {
        let is_of_two_users = matches!(
            self.clause,
            Clause::PageContent | Clause::WritableAlone | Clause::MappedNotFree
        );
        is_of_two_users && self.cause.is_none()
    }

    /// Whether both give a frame two users, in the same function; or those of one were there before its case began. They
    /// are in every case then, so nothing shows that there are two causes.
    fn corrupts_memory_like(&self, other: &Bug) -> bool {
        let is_one_function = self.stored_in.is_some() && self.stored_in == other.stored_in;
        (self.is_older || other.is_older || is_one_function) && self.corrupts() && other.corrupts()
    }

    /// Whether the kernel stops in the same place, and says the same. It may have had no time to say all of it.
    fn stops_like(&self, other: &Bug) -> bool {
        let Some((one, two)) = self.words.as_ref().zip(other.words.as_ref()) else {
            return false;
        };
        let stops = |bug: &Bug| bug.clause == Clause::NoPanic;
        stops(self)
            && stops(other)
            && (one.starts_with(two.as_str()) || two.starts_with(one.as_str()))
    }

    /// Whether the same function took the frames that both lose.
    fn loses_frames_of(&self, other: &Bug) -> bool {
        let loses = |bug: &Bug| bug.clause == Clause::FramesComeBack && bug.words.is_some();
        loses(self) && loses(other) && self.words == other.words
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

/// Whether a finding is about bytes of memory, or about what a load returned that was the first to touch its page.
pub(super) fn is_about_bytes(finding: &Finding) -> bool {
    matches!(finding.clause, Clause::PageContent | Clause::FreshPageZero) || loads_zero(finding)
}

/// Whether a finding is about bytes that had to be zero, and that no system call has stored.
pub(super) fn is_unzeroed(finding: &Finding, explanation: &Explanation) -> bool {
    let had_to_be_zero = finding.clause == Clause::FreshPageZero
        || loads_zero(finding)
        || matches!(finding.spoiled(), Some(Spoiled::Zeros | Spoiled::Tail));
    had_to_be_zero && explanation.left_by.is_none()
}

/// Whether a load had to return 0, because nobody has touched its page before.
fn loads_zero(finding: &Finding) -> bool {
    let page = finding.situation().and_then(|situation| situation.page);
    finding.clause == Clause::LoadedValue
        && matches!(page, Some(PageState::Lazy | PageState::StackHole))
        && finding.expected.ends_with(" loads 0")
}
