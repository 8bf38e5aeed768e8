//! Which bug a finding is likely to show: what findings of one bug have in common, and nothing else.

mod answer;
mod page;
mod place;
mod state;
mod wider;

pub(in crate::triage) use answer::Answer;
pub(in crate::triage) use page::is_forbidden;

use super::Ending;
use super::family::Family;
use crate::triage::explain::{Cause, Explanation, is_servant};
use answer::is_refused_exec;
use oracle::case::Kind;
use oracle::{Clause, Fate, Finding, PageState, Situation, Spoiled, bucket};
use page::{in_image_or_heap, to_be_brought_in, without_memory};
use place::Place;
use state::{is_about_bytes, is_unzeroed};

/// What is known of a finding that was looked into.
pub(super) struct Evidence<'a> {
    pub(super) finding: &'a Finding,
    /// What the operation met.
    pub(super) situation: Option<Situation>,
    /// How it ended.
    pub(super) ending: Ending,
    /// Where in the kernel it went wrong, the innermost function first.
    pub(super) place: Option<&'a str>,
    /// What else is known of it.
    pub(super) explanation: &'a Explanation,
}

impl Evidence<'_> {
    /// Whether it is about a system call with a number that none has.
    fn is_unknown_call(&self) -> bool {
        self.situation
            .is_some_and(|situation| situation.kind == Kind::Unknown)
    }
}

/// What distinguishes the findings of one bug from those of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::triage) struct Bug {
    clause: Clause,
    family: Family,
    /// The state of the page, if it matters: not that of an ordinary mapped page.
    pub(in crate::triage) page: Option<PageState>,
    fate: Option<Fate>,
    pub(in crate::triage) answer: Answer,
    /// For a panic or a hang, what the kernel printed and where it was.
    words: Option<String>,
    /// For wrong bytes, whose bytes they are.
    spoiled: Option<Spoiled>,
    /// What an experiment has shown to be the cause.
    cause: Option<Cause>,
    /// Where the kernel decided wrongly, if that is known.
    place: Option<Place>,
    /// Whether memory was wrong before the case began.
    is_older: bool,
    /// The function that stored what is wrong with memory, if a stack shows it.
    stored_in: Option<String>,
}

impl Bug {
    /// The bug that the evidence points to.
    pub(super) fn of(evidence: &Evidence<'_>) -> Bug {
        let (finding, explanation) = (evidence.finding, evidence.explanation);
        let function = explanation.function();
        if is_about_bytes(finding)
            && finding.situation().is_some()
            && (function.is_some() || is_unzeroed(finding, explanation))
        {
            return Bug::of_state(finding, explanation);
        }
        // The function that took a lost frame identifies the bug, whatever the operation met.
        if finding.clause == Clause::FramesComeBack
            && explanation.shows_store()
            && let Some(function) = function
        {
            let words = Some(function.to_owned());
            return Bug {
                words,
                ..Bug::of_state(finding, explanation)
            };
        }
        // A frame that nobody gives back when its last process loses it has a holder too many.
        if finding.clause == Clause::FramesComeBack && explanation.loses_what_was_owned() {
            return Bug {
                clause: Clause::HoldersCounted,
                ..Bug::of_state(finding, explanation)
            };
        }
        // The kernel decides in one place which system calls there are.
        if evidence.is_unknown_call() && !is_of_any_operation(finding) {
            return Bug {
                clause: Clause::ReturnedValue,
                family: Family::Other(Kind::Unknown),
                ..Bug::of_state(finding, explanation)
            };
        }
        let mut bug = Bug::as_met(evidence);
        if is_refused_exec(evidence) {
            bug.clause = Clause::ReturnedValue;
            bug.fate = Some(Fate::GoesOn);
        }
        // The function that fails first serves all operations that reach it.
        if bug.answer == Answer::Refused
            && bug.family.copies()
            && let Some(function) = explanation.first_to_fail()
        {
            return Bug {
                clause: Clause::ReturnedValue,
                ..bug.in_copying_code(function)
            };
        }
        match bug.clause {
            // The function that walks identifies a walk.
            Clause::EndsInTime if evidence.ending.slow().is_some() => {
                bug.in_code(evidence.place.and_then(innermost))
            }
            // The same instruction traps again and again, so the place in the kernel is accidental.
            Clause::EndsInTime if bug.family == Family::Access => Bug { page: None, ..bug },
            // The place where the kernel stopped says more than the program's operation.
            Clause::NoPanic | Clause::EndsInTime | Clause::NotStuck => {
                bug.in_code(Some(stop(finding)))
            }
            // The first operation that looks at the page shows bytes that had to be zero.
            Clause::PageContent | Clause::FreshPageZero if is_unzeroed(finding, explanation) => {
                Bug {
                    clause: Clause::FreshPageZero,
                    family: bug.family.coarse(),
                    page: None,
                    fate: None,
                    answer: Answer::Other,
                    ..bug
                }
            }
            // A store to a forbidden page is the same bug, no matter how it shows.
            Clause::ReturnedValue | Clause::PageContent | Clause::InnocentLive
                if bug.stores_where_it_must_fail()
                    && (bug.clause != Clause::InnocentLive
                        || bug.has_lost_its_code(evidence.ending)) =>
            {
                Bug {
                    clause: Clause::ReturnedValue,
                    answer: Answer::Granted,
                    ..bug
                }
                .in_the_bounds_check()
            }
            Clause::ReturnedValue => bug.in_the_bounds_check(),
            // What the call waits for has not happened, whatever its buffer is.
            Clause::Blocks if bug.family == Family::CopyOut => Bug {
                family: evidence
                    .situation
                    .map_or(Family::Any, |situation| Family::Other(situation.kind)),
                answer: Answer::Other,
                page: None,
                fate: None,
                ..bug
            },
            // A call that stops at a page has refused it.
            Clause::Blocks if bug.answer == Answer::Refused && bug.page.is_some() => Bug {
                clause: Clause::ReturnedValue,
                ..bug
            },
            Clause::HoldersCounted => bug.of_any_page(),
            Clause::FramesComeBack => {
                let page = match bug.page.map(without_memory) {
                    // A kernel that refuses one of them refuses the other.
                    Some(PageState::Beyond | PageState::Guard) => Some(PageState::Beyond),
                    Some(PageState::Shared) => Some(PageState::Shared),
                    _ => None,
                };
                Bug { page, ..bug }.of_any_operation()
            }
            // Only the end of a case shows these. What its last operation met is accidental.
            Clause::FramesNotInvented
            | Clause::EverybodyReaped
            | Clause::SlotsComeBack
            | Clause::BlocksComeBack => bug.of_any_page(),
            // All changes of files go through one log. What it loses, what it leaves half done, and where the next boot
            // meets that and stops, depends only on the moment of the power cut.
            Clause::BootsAgain | Clause::SurvivesPowerCut => Bug {
                clause: Clause::SurvivesPowerCut,
                answer: Answer::Other,
                ..bug
            }
            .of_any_page(),
            // The kernel saves and restores all registers in one place. A process that never comes back, or that lives
            // on, is lost whatever page its operation met.
            Clause::RegistersSurvive => bug.of_any_page(),
            Clause::ComesBack if !matches!(bug.family, Family::Other(_)) => bug.of_any_page(),
            // However a process ends, the kernel keeps its status in one place, and `wait` stores it from there.
            Clause::ExitStatus => bug.of_any_page(),
            // The page tables are checked only sometimes, so any operation may have made them wrong.
            Clause::PermissionBits
            | Clause::MappedInside
            | Clause::MappedNotFree
            | Clause::WritableAlone
            | Clause::KernelHidden => bug.of_any_page(),
            // If a frame has two users, the operation that shows it is accidental.
            Clause::PageContent if finding.spoiled().is_some() => Bug {
                spoiled: finding.spoiled(),
                ..bug
            }
            .of_any_page(),
            Clause::PageContent | Clause::FreshPageZero => bug.of_any_operation(),
            // A system call that kills its process does this at every page without memory.
            Clause::InnocentLive => Bug {
                family: bug.family.coarse(),
                fate: None,
                page: bug.page.map(without_memory),
                ..bug
            },
            // A forbidden access succeeds if a page is mapped there.
            Clause::ForbiddenAccessKills
                if bug.family == Family::Access
                    && bug.page.is_some_and(is_forbidden)
                    && explanation.memory.has_new_page() =>
            {
                Bug {
                    clause: Clause::MappedInside,
                    ..Bug::of_state(finding, explanation)
                }
            }
            // What happens to a process that is wrongly there, or wrongly gone, does not matter; nor which page brings in
            // others.
            Clause::ForbiddenAccessKills
            | Clause::DeadStayDead
            | Clause::ChildRuns
            | Clause::TouchTakesOne => bug.of_any_page(),
            // If the ticks come too fast, pauses are too short.
            Clause::PauseLasts | Clause::ClockKeepsTime => Bug {
                clause: Clause::ClockKeepsTime,
                ..bug
            }
            .of_any_page(),
            Clause::LoadedValue
            | Clause::ComesBack
            | Clause::Blocks
            | Clause::ProgramStarts
            | Clause::KillAnnounced
            | Clause::StaysOn
            | Clause::PromisesEnd
            | Clause::ShrinkGivesBack
            | Clause::GrowthTakesNothing
            | Clause::ForkShares
            | Clause::ExecTakesLittle
            | Clause::DiskContent => match bug.family {
                Family::Other(_) => Bug { fate: None, ..bug },
                Family::Access
                | Family::Path
                | Family::CopyIn
                | Family::CopyOut
                | Family::Copying
                | Family::Any => bug.of_any_operation(),
            },
        }
    }

    /// What the operation met. The state of its page is left out unless it may be the reason.
    fn as_met(evidence: &Evidence<'_>) -> Bug {
        let situation = evidence.situation;
        let fate = situation.map(|situation| situation.fate);
        let mut bug = Bug {
            // Whether the kernel announces the kill is a question of its own.
            clause: if evidence.ending.is_dead() {
                Clause::InnocentLive
            } else {
                evidence.finding.clause
            },
            family: situation.map_or(Family::Any, |situation| Family::of(situation.kind)),
            page: None,
            // The same code serves a process that has slept.
            fate: match fate {
                Some(Fate::Sleeps) => Some(Fate::GoesOn),
                other => other,
            },
            answer: Answer::of(evidence),
            words: None,
            spoiled: None,
            cause: None,
            place: None,
            is_older: false,
            stored_in: None,
        };
        bug.page = situation
            .and_then(|situation| situation.page)
            .filter(|page| bug.depends_on(*page))
            .map(in_image_or_heap);
        if bug.family.copies() {
            bug.page = bug.page.map(|page| to_be_brought_in(page, bug.family));
        }
        bug
    }

    /// Whether a system call stores to user memory where it has to fail.
    fn stores_where_it_must_fail(&self) -> bool {
        self.family == Family::CopyOut && self.fate == Some(Fate::Fails)
    }

    /// Whether a system call stored to the program's code, so that the program failed.
    fn has_lost_its_code(&self, ending: Ending) -> bool {
        self.page == Some(PageState::Text) && !ending.is_dead()
    }

    /// One check of the bounds serves all system calls. If it is wrong, it is wrong for all of them.
    fn in_the_bounds_check(self) -> Bug {
        if !self.gets_through() {
            return self;
        }
        Bug {
            family: Family::Copying,
            fate: None,
            page: self.page.map(without_memory),
            ..self
        }
    }

    /// Whether a system call has read or written memory that the program may not access, or that there is no frame for. A
    /// wrong answer about other memory does not say that bytes were copied.
    pub(in crate::triage) fn gets_through(&self) -> bool {
        let by_copying = matches!(
            self.family,
            Family::CopyIn | Family::CopyOut | Family::Copying
        );
        // The state of a page of code is known only for calls that store.
        let may_not = |page| is_forbidden(page) || page == PageState::Text;
        let copies = by_copying && self.page.is_some_and(may_not);
        let has_no_frame = matches!(self.cause, Some(Cause::RefusedFrame(_)));
        self.answer == Answer::Granted && (copies || has_no_frame)
    }

    /// Whether a system call has refused memory that the program may access.
    pub(in crate::triage) fn is_refused_memory(&self) -> bool {
        let is_refused = self.clause == Clause::ReturnedValue && self.answer == Answer::Refused;
        is_refused && self.family.copies() && self.page.is_some()
    }

    /// Whether the state of a page may be the reason.
    fn depends_on(&self, page: PageState) -> bool {
        match page {
            PageState::Image | PageState::Touched => false,
            PageState::Shared => self.family.stores() || self.answer == Answer::Refused,
            PageState::ImageShared | PageState::Text => self.family.stores(),
            PageState::TextUnloaded
            | PageState::Unloaded
            | PageState::StackHole
            | PageState::Guard
            | PageState::Gap
            | PageState::Lazy
            | PageState::Tail
            | PageState::Beyond
            | PageState::Top
            | PageState::Outside => true,
        }
    }
}

/// For a panic or a hang: what the kernel printed, and the innermost function that could be wrong. Its callers
/// say little, because a mistake in it shows in all of them.
fn stop(finding: &Finding) -> String {
    let function = finding.functions().find(|function| !is_servant(function));
    match (finding.panic_words(), function) {
        (None, None) => bucket(finding).to_string(),
        (said, function) => {
            let [said, function] = [said, function].map(Option::unwrap_or_default);
            format!("{} {function} {said}", finding.verdict)
        }
    }
}

/// Whether a finding does not depend on which system call shows it: registers that change, and memory of others.
fn is_of_any_operation(finding: &Finding) -> bool {
    finding.clause == Clause::RegistersSurvive || finding.spoiled() == Some(Spoiled::Others)
}

/// The innermost function of a place.
fn innermost(place: &str) -> Option<String> {
    place.split_whitespace().next().map(str::to_owned)
}
