//! What findings of one bug have in common: two that have it are one row.

use crate::triage::Found;
use crate::triage::explain::is_servant;
use oracle::case::Kind;
use oracle::{Clause, Fate, Finding, Mismatch, PageState, Spoiled};

/// What tells the findings of one bug from those of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::triage) struct Kin {
    clause: Clause,
    family: Family,
    /// The state of the page where it matters: not that of one which is simply there.
    pub(in crate::triage) page: Option<PageState>,
    fate: Option<Fate>,
    pub(in crate::triage) answer: Answer,
    /// Of a panic or a hang, what the kernel said and where it was.
    words: Option<String>,
    /// Of wrong bytes, whose they are.
    spoiled: Option<Spoiled>,
}

/// Operations that a kernel serves by the same code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::triage) enum Family {
    /// Loads, stores and jumps of the program itself.
    Access,
    /// System calls that read a string from user memory.
    Path,
    /// Those that read other bytes from it.
    CopyIn,
    /// Those that write to it.
    CopyOut,
    /// Those that do either.
    Copying,
    /// Another one, on its own.
    Other(Kind),
    /// The operation does not matter.
    Any,
}

/// What a system call answered that had to answer something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::triage) enum Answer {
    /// It failed and had to succeed, or stopped where it had to go on.
    Refused,
    /// It succeeded and had to fail.
    Given,
    /// Something else is wrong.
    Other,
}

impl Kin {
    pub(in crate::triage) fn of(found: &Found) -> Kin {
        let finding = &found.finding;
        let situation = found.situation();
        let kind = situation.map(|situation| situation.kind);
        let fate = situation.map(|situation| situation.fate);
        let moves_bytes = matches!(kind, Some(Kind::Read | Kind::Write));
        let answer = match (finding.clause, finding.mismatch(), fate) {
            (Clause::ReturnedValue, Some(Mismatch::Granted | Mismatch::More), _)
            | (Clause::ReturnedValue, None, Some(Fate::Fails)) => Answer::Given,
            (Clause::ReturnedValue, Some(Mismatch::Refused), _) => Answer::Refused,
            // What stops at a page has refused it, whether it tells how far it came or not.
            (Clause::ReturnedValue, Some(Mismatch::Less), _) if moves_bytes => Answer::Refused,
            (Clause::Blocks, ..) if moves_bytes => Answer::Refused,
            _ => Answer::Other,
        };
        // Whether the kernel says that it kills is another question.
        let clause = match found.has_died {
            true => Clause::InnocentLive,
            false => finding.clause,
        };
        let mut kin = Kin {
            clause,
            family: kind.map_or(Family::Any, family),
            page: situation.and_then(|situation| situation.page),
            // A process that sleeps is served by the same code when it wakes.
            fate: fate.map(|fate| match fate {
                Fate::Sleeps => Fate::GoesOn,
                other => other,
            }),
            answer,
            words: None,
            spoiled: None,
        };
        kin.page = kin.page.filter(|page| kin.matters(*page)).map(plain);
        let copies = !matches!(kin.family, Family::Access | Family::Any | Family::Other(_));
        if copies {
            kin.page = kin.page.map(|page| not_there(page, kin.family));
        }
        match clause {
            // A walk is known by the function that walks.
            Clause::EndsInTime if found.slow.is_some() => Kin {
                family: Family::Any,
                page: None,
                fate: None,
                words: found.place.as_deref().and_then(innermost),
                ..kin
            },
            // The same instruction traps for ever: the kernel is somewhere on its way each time.
            Clause::EndsInTime if kin.family == Family::Access => Kin { page: None, ..kin },
            // Where the kernel stopped says more than what the program did.
            Clause::NoPanic | Clause::EndsInTime | Clause::NotStuck => Kin {
                family: Family::Any,
                page: None,
                fate: None,
                words: Some(stop(found)),
                ..kin
            },
            // Bytes that are not zero are seen wherever a page was filled, by whoever looks first.
            Clause::PageContent | Clause::FreshPageZero if is_unzeroed(finding) => Kin {
                clause: Clause::FreshPageZero,
                family: kin.family.coarse(),
                page: None,
                fate: None,
                answer: Answer::Other,
                ..kin
            },
            // What became of a page that nobody may touch is the same bug however it shows.
            Clause::ReturnedValue | Clause::PageContent | Clause::InnocentLive
                if kin.family == Family::CopyOut
                    && kin.fate == Some(Fate::Fails)
                    && (clause != Clause::InnocentLive || kin.has_lost_its_code(found)) =>
            {
                Kin {
                    clause: Clause::ReturnedValue,
                    answer: Answer::Given,
                    ..kin
                }
                .let_through()
            }
            // So has what does not wait for room behind it.
            Clause::Blocks if kin.answer == Answer::Refused && kin.page.is_some() => Kin {
                clause: Clause::ReturnedValue,
                ..kin
            },
            Clause::ReturnedValue => kin.let_through(),
            Clause::FramesComeBack | Clause::FramesNotInvented | Clause::HoldersCounted => Kin {
                family: Family::Any,
                fate: None,
                page: kin.page.map(nowhere).filter(|page| {
                    matches!(
                        page,
                        PageState::Shared | PageState::Beyond | PageState::Guard
                    )
                }),
                ..kin
            },
            // The page tables are looked at now and then: what shows there may be of any operation.
            Clause::PermissionBits
            | Clause::MappedInside
            | Clause::MappedNotFree
            | Clause::WritableAlone
            | Clause::KernelHidden => Kin {
                family: Family::Any,
                fate: None,
                page: None,
                ..kin
            },
            // A frame that somebody else uses goes wrong when that one happens to act.
            Clause::PageContent if finding.spoiled().is_some() => Kin {
                family: Family::Any,
                fate: None,
                page: None,
                spoiled: finding.spoiled(),
                ..kin
            },
            Clause::PageContent | Clause::FreshPageZero => Kin {
                family: Family::Any,
                fate: None,
                ..kin
            },
            // Who is killed by a system call is killed wherever that finds no memory.
            Clause::InnocentLive => Kin {
                family: kin.family.coarse(),
                fate: None,
                page: kin.page.map(nowhere),
                ..kin
            },
            Clause::ForbiddenAccessKills => Kin {
                family: Family::Any,
                fate: None,
                page: kin.page.map(nowhere),
                ..kin
            },
            _ => Kin {
                fate: None,
                family: match kin.family {
                    Family::Other(_) => kin.family,
                    _ => Family::Any,
                },
                ..kin
            },
        }
    }

    /// Whether a system call has been let to store to the program's code, and the program fell over it.
    fn has_lost_its_code(&self, found: &Found) -> bool {
        self.page == Some(PageState::Text) && !found.has_died
    }

    /// One check of the bounds lets all system calls through, however they have to end.
    fn let_through(self) -> Kin {
        match self.gets_through() {
            true => Kin {
                family: Family::Copying,
                fate: None,
                page: self.page.map(nowhere),
                ..self
            },
            false => self,
        }
    }

    /// Whether a system call has read or written where the program may not.
    pub(in crate::triage) fn gets_through(&self) -> bool {
        let by_copying = matches!(
            self.family,
            Family::CopyIn | Family::CopyOut | Family::Copying
        );
        self.answer == Answer::Given && by_copying && self.page.is_some()
    }

    /// Whether the state of a page may be the reason.
    fn matters(&self, page: PageState) -> bool {
        let stores = self.family == Family::CopyOut || self.family == Family::Access;
        match page {
            PageState::Image | PageState::Touched => false,
            PageState::Shared => stores || self.answer == Answer::Refused,
            PageState::ImageShared | PageState::Text => stores,
            _ => true,
        }
    }
}

impl Family {
    /// Accesses of the program, all system calls that copy, and others.
    fn coarse(self) -> Family {
        match self {
            Family::Path | Family::CopyIn | Family::CopyOut => Family::Copying,
            other => other,
        }
    }
}

/// Whether a finding is about bytes that had to be zero.
fn is_unzeroed(finding: &Finding) -> bool {
    finding.clause == Clause::FreshPageZero || finding.spoiled() == Some(Spoiled::Zeros)
}

/// A page in the image is shared as one of the heap is.
fn plain(page: PageState) -> PageState {
    match page {
        PageState::ImageShared => PageState::Shared,
        other => other,
    }
}

/// A page that is not there yet, wherever it comes from, a system call has to bring in.
fn not_there(page: PageState, family: Family) -> PageState {
    match page {
        PageState::Unloaded | PageState::StackHole => PageState::Lazy,
        PageState::TextUnloaded if family != Family::CopyOut => PageState::Lazy,
        PageState::TextUnloaded => PageState::Text,
        // It was looked at only, and that may have failed.
        PageState::Shared if family == Family::Path => PageState::Lazy,
        other => other,
    }
}

/// Beyond the break there is nothing either way, however far.
fn nowhere(page: PageState) -> PageState {
    match page {
        PageState::Tail | PageState::Top | PageState::Outside => PageState::Beyond,
        PageState::Gap => PageState::Guard,
        other => other,
    }
}

/// Of a panic or a hang: what was said, and the innermost function in which something could be
/// wrong. Who has called that says little, since a mistake of one function shows in all its callers.
fn stop(found: &Found) -> String {
    let finding = &found.finding;
    let mut functions = finding.functions();
    let function = functions.find(|function| !is_servant(function));
    match (finding.panic_words(), function) {
        (None, None) => found.bucket.to_string(),
        (said, function) => {
            let [said, function] = [said, function].map(Option::unwrap_or_default);
            format!("{} {said} {function}", finding.verdict)
        }
    }
}

/// The innermost function of a place.
fn innermost(place: &str) -> Option<String> {
    place.split_whitespace().next().map(str::to_owned)
}

fn family(kind: Kind) -> Family {
    match kind {
        Kind::Load
        | Kind::Store
        | Kind::Fetch
        | Kind::TouchRead
        | Kind::TouchWrite
        | Kind::String
        | Kind::Point => Family::Access,
        Kind::Open
        | Kind::Link
        | Kind::Unlink
        | Kind::Mkdir
        | Kind::Mknod
        | Kind::Chdir
        | Kind::Exec => Family::Path,
        Kind::Write => Family::CopyIn,
        Kind::Read | Kind::Fstat | Kind::Pipe | Kind::Wait => Family::CopyOut,
        other => Family::Other(other),
    }
}
