//! What findings of one bug have in common: two that have it are one row.

use crate::campaign::Found;
use oracle::case::Kind;
use oracle::{Clause, Fate, PageState};

/// What tells the findings of one bug from those of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kin {
    clause: Clause,
    family: Family,
    /// The state of the page where it matters: not that of one which is simply there.
    pub(super) page: Option<PageState>,
    fate: Option<Fate>,
    pub(super) answer: Answer,
    /// Of a panic or a hang, its bucket: the words, and the innermost functions of the kernel.
    words: Option<String>,
}

/// Operations that a kernel serves by the same code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Loads, stores and jumps of the program itself.
    Access,
    /// System calls that read a string from user memory.
    Path,
    /// Those that read other bytes from it.
    CopyIn,
    /// Those that write to it.
    CopyOut,
    /// Another one, on its own.
    Other(Kind),
    /// The operation does not matter.
    Any,
}

/// What a system call answered that had to answer something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It failed and had to succeed.
    Refused,
    /// It succeeded and had to fail.
    Given,
    /// Something else is wrong.
    Other,
}

impl Kin {
    pub(super) fn of(found: &Found) -> Kin {
        let finding = &found.finding;
        let situation = found.situation();
        let kind = situation.map(|situation| situation.kind);
        let fate = situation.map(|situation| situation.fate);
        let answer = match (finding.clause, fate) {
            (Clause::ReturnedValue, Some(Fate::Fails)) => Answer::Given,
            (Clause::ReturnedValue, _) if finding.seen.ends_with("returns -1") => Answer::Refused,
            _ => Answer::Other,
        };
        let mut kin = Kin {
            clause: finding.clause,
            family: kind.map_or(Family::Any, family),
            page: situation.and_then(|situation| situation.page),
            fate,
            answer,
            words: None,
        };
        kin.page = kin.page.filter(|page| kin.matters(*page)).map(plain);
        if kin.family == Family::Path && kin.page == Some(PageState::Shared) {
            // It was looked at only, and that may have failed.
            kin.page = Some(PageState::Lazy);
        }
        match finding.clause {
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
                words: Some(found.bucket.to_string()),
                ..kin
            },
            // What became of a page that nobody may touch is the same bug however it shows.
            Clause::ReturnedValue | Clause::InnocentLive | Clause::PageContent
                if kin.family == Family::CopyOut && kin.fate == Some(Fate::Fails) =>
            {
                Kin {
                    clause: Clause::ReturnedValue,
                    answer: Answer::Given,
                    ..kin
                }
            }
            Clause::ReturnedValue => kin,
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

    /// Whether a system call has read or written where the program may not.
    pub(super) fn gets_through(&self) -> bool {
        let by_copying = matches!(self.family, Family::CopyIn | Family::CopyOut);
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

/// A page in the image is shared as one of the heap is.
fn plain(page: PageState) -> PageState {
    match page {
        PageState::ImageShared => PageState::Shared,
        other => other,
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
