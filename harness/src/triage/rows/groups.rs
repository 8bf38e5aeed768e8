//! Groups of findings: each group is likely to be one bug.

use crate::triage::Found;
use crate::triage::identity::{Answer, Bug};
use crate::triage::severity::severity;
use oracle::case::Kind;
use oracle::{Clause, Severity};
use std::collections::BTreeSet;

/// A finding, and how bad it is.
pub(super) struct Judged {
    pub(super) found: Found,
    pub(super) severity: Severity,
    /// For a questionable one, why an author may disagree.
    pub(super) doubt: Option<&'static str>,
}

impl Judged {
    fn of(found: Found) -> Self {
        let (severity, doubt) = severity(&found.report);
        Self {
            found,
            severity,
            doubt,
        }
    }

    fn bug(&self) -> &Bug {
        self.found.report.identity.bug()
    }

    /// Whether the same operation of the same case shows both, and the state of a page may be the reason of both; or
    /// whether both show without any operation, and a frame has two users in every case.
    fn meets_the_same_as(&self, other: &Judged) -> bool {
        let page = |one: &Judged| {
            let report = &one.found.report;
            let met = report.identity.situation().and_then(|met| met.page);
            met.zip(report.finding.step)
        };
        let case = self.found.report.case();
        let is_of_every_case = case.operations.is_empty()
            && (self.bug().corrupts_every_case() || other.bug().corrupts_every_case());
        let is_of_one_page = page(self).is_some() && page(self) == page(other);
        (is_of_every_case || is_of_one_page) && case == other.found.report.case()
    }
}

/// Findings that are likely to show one bug. Those come first that say most about it. At least one.
pub(super) type Group = Vec<Judged>;

/// Sorts findings into groups.
pub(super) fn of(findings: Vec<Found>) -> Vec<Group> {
    let mut all: Vec<Judged> = findings.into_iter().map(Judged::of).collect();
    // A doubtful finding may show the bug of a group that is not doubtful, so it comes later.
    all.sort_by_key(|one| (one.doubt.is_some(), !one.bug().has_place()));
    let mut groups: Vec<Group> = Vec::new();
    for one in all {
        let mut same = places(&groups, |group| is_of_one_bug(group, &one, Bug::is_same));
        if same.is_empty() {
            // That it may be the bug of several groups does not say that they are one.
            same = places(&groups, |group| is_of_one_bug(group, &one, Bug::may_be));
            same.truncate(1);
        }
        match same.split_first() {
            None => groups.push(vec![one]),
            Some((first, others)) => {
                groups[*first].push(one);
                unite(&mut groups, *first, others);
            }
        }
    }
    unite_by_call(&mut groups);
    unite_lost_frames(&mut groups);
    groups
}

/// Calls that lose frames when they fail, so that the code which they share is likely to lose them.
const SEVERAL_CALLS: usize = 3;

/// If several system calls lose frames when they fail, there is one row for all frames that no process ever had.
fn unite_lost_frames(groups: &mut Vec<Group>) {
    let loses = |group: &Group| {
        group
            .iter()
            .all(|one| one.bug().clause() == Clause::FramesComeBack)
    };
    let losing = places(groups, loses);
    let findings = losing.iter().flat_map(|number| &groups[*number]);
    let calls = findings.filter_map(|one| one.found.report.explanation.wrong_call());
    if calls.collect::<BTreeSet<_>>().len() >= SEVERAL_CALLS
        && let Some((first, others)) = losing.split_first()
    {
        unite(groups, *first, others);
    }
}

/// A system call that succeeds with memory of several kinds that it may not access does not look at the result of
/// copying, and one that fails with memory of several kinds does something wrong before it copies. If the function that
/// copies were wrong, other calls would show it too.
fn unite_by_call(groups: &mut Vec<Group>) {
    let mut at = 0;
    while at < groups.len() {
        if let Some(call) = only_call(&groups[at]) {
            let mut others = places(groups, |group| only_call(group) == Some(call));
            others.retain(|other| *other > at);
            unite(groups, at, &others);
        }
        at += 1;
    }
}

/// The system call at which all findings of a group show that it gets at memory that the program may not access, or that
/// it does not get at memory of the program; and which of the two.
fn only_call(group: &Group) -> Option<(Kind, Answer)> {
    let mut calls = group.iter().map(|one| {
        let bug = one.bug();
        let is_wrong = one.doubt.is_none() && (bug.gets_through() || bug.is_refused_memory());
        let situation = one.found.report.identity.situation();
        situation
            .filter(|_| is_wrong)
            .map(|situation| (situation.kind, bug.answer))
    });
    let first = calls.next()??;
    calls.all(|call| call == Some(first)).then_some(first)
}

/// Moves the findings of `others` to the group with the number `first`. The numbers ascend, and `first` is the least.
pub(super) fn unite(groups: &mut Vec<Group>, first: usize, others: &[usize]) {
    for other in others.iter().rev() {
        let findings = groups.remove(*other);
        groups[first].extend(findings);
    }
}

/// The numbers of the groups for which `is_it` holds.
fn places(groups: &[Group], is_it: impl Fn(&Group) -> bool) -> Vec<usize> {
    let numbers = 0..groups.len();
    numbers.filter(|number| is_it(&groups[*number])).collect()
}

/// Whether a group is about the bug of `one`, if `is_same` says when two bugs are one.
fn is_of_one_bug(group: &Group, one: &Judged, is_same: fn(&Bug, &Bug) -> bool) -> bool {
    let doubt = group.first().and_then(|first| first.doubt);
    // A point on which an author may disagree is one row, however often it shows.
    let is_one_point = one.doubt.is_some() && doubt == one.doubt;
    let shows = |known: &Judged| is_same(known.bug(), one.bug()) || known.meets_the_same_as(one);
    is_one_point || (doubt.is_none() && group.iter().any(shows))
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::triage::specimens::{Does, found};

    #[test]
    fn a_panic_that_is_cut_short_is_the_same_panic() {
        let whole = Does::Panics("panic: uvmunmap: not mapped", "uvmunmap<uvmfree");
        let cut = Does::Panics("panic: uvmunmap: not m", "uvmunmap<growproc");
        let other = Does::Panics("panic: uvmunmap: not aligned", "uvmunmap<growproc");
        let groups = of(vec![
            found("a: sbrk +1p", whole),
            found("a: sbrk +2p", cut),
            found("a: sbrk +3p", other),
        ]);
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn a_call_that_accepts_every_bad_address_is_one_bug() {
        let granted = |text: &str| found(text, Does::Returns(5));
        let waits = || vec![granted("a: wait guard[0]"), granted("a: wait text[0]")];
        assert_eq!(of(waits()).len(), 1);
        // The function that copies stores to code, whatever the call is.
        let mut more = waits();
        more.push(granted("a: pipe text[0]"));
        assert_eq!(of(more).len(), 2);
    }

    #[test]
    fn a_call_that_refuses_memory_of_several_kinds_is_one_bug() {
        let refused = |text: &str| found(text, Does::Returns(u64::MAX));
        let mut all = vec![
            refused("a: sbrk +1p\na: pipe heap[0]"),
            refused("a: pipe stack[0]"),
        ];
        let pages = all.iter().map(|one| one.report.identity.bug().page);
        assert_eq!(pages.collect::<std::collections::HashSet<_>>().len(), 2);
        // Another call is another bug.
        all.push(refused("a: sbrk +1p\na: open heap[0]"));
        assert_eq!(of(all).iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn what_one_operation_shows_of_one_page_is_one_bug() {
        let text = "a: sbrk +1p\na: open heap[0]";
        let refused = || found(text, Does::Returns(u64::MAX));
        let panics = || found(text, Does::Panics("panic: iget", "iget<namex"));
        assert_eq!(of(vec![refused(), panics()]).len(), 1);
    }
}
