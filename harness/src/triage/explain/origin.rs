//! Where a finding comes from: what was wrong first, and which operation caused it.
//!
//! A wrong byte in memory shows when a process loads it. A lost frame shows when all processes are gone. So the
//! case is run once more, and memory and frames are checked after every operation.

use super::experiments::{self, Cause};
use super::inspection::{Inspection, Wrong, inspect, inspect_stopped, places_of_byte};
use super::source::Source;
use crate::runner::Runner;
use oracle::case::{Family, Kind};
use oracle::{
    Case, Clause, Fate, Finding, Mismatch, PageState, Situation, Spoiled, Verdict, bucket,
};

/// Where the finding that `case` shows comes from.
pub(super) fn find(runner: &mut Runner, case: &Case, finding: &Finding) -> Source {
    let mut inspection = Inspection::default();
    let outcome = runner.run_up_to(&bucket(finding), case, &mut inspection);
    if !outcome.findings.contains(finding) {
        return Source::default();
    }
    let at_the_end = last_look(runner, finding);
    let own_places = places_of_byte(runner.driver(), finding);
    if let Some((cause, step)) = experiments::cause_in_the_case(runner, case, finding) {
        return Source::of_cause(case, runner, finding, cause, step);
    }
    if let Some(wrong) = rests_on(runner, case, finding, inspection.wrongs) {
        if is_what_the_call_did(&wrong, finding) {
            return Source::default();
        }
        if let Some(step) = wrong.step.filter(|_| wrong.is_on_the_disk())
            && let Some(call) = experiments::call_that_failed(runner, case, finding, step)
        {
            return Source::of_cause(case, runner, finding, Cause::FailedCall(call), Some(step));
        }
        let shows_at_once = wrong.step.is_some() && wrong.step == finding.step;
        let mut source = Source::of(case, runner, wrong);
        // Kernels differ in what they keep beyond the program break: nothing else rests on that.
        let is_in_tail = |root: &Finding| root.spoiled() == Some(Spoiled::Tail);
        source.root = source.root.filter(|root| !is_in_tail(root));
        source.origin = source.origin.filter(|_| !shows_at_once);
        return source;
    }
    match at_the_end {
        Some(wrong) if is_what_the_call_did(&wrong, finding) => Source::default(),
        Some(wrong) if wrong.finding.clause == finding.clause => Source {
            places: wrong.places,
            ..Source::default()
        },
        Some(wrong) => Source {
            origin: None,
            ..Source::of(case, runner, wrong)
        },
        None => {
            if let Some(page) = experiments::page_brought_in(runner, case, finding) {
                return Source {
                    root: Some(page),
                    ..Source::default()
                };
            }
            if let Some((step, first)) = experiments::shown_before(runner, case, finding) {
                return Source::of_earlier(case, step, first);
            }
            let source = Source::of_experiments(runner, case, finding);
            match source.cause {
                Some(_) => source,
                // The model has taken over the wrong bytes, so that a look at memory does not show them.
                None => Source {
                    places: own_places.unwrap_or(source.places),
                    ..source
                },
            }
        }
    }
}

/// What the finding of `case` rests on, if something is wrong with memory before it: the mistake that has to be mended
/// so that the finding does not show, or else the same wrong bytes. A frame with two users, each of whom wants other
/// bytes, cannot be mended.
fn rests_on(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
    wrongs: Vec<Wrong>,
) -> Option<Wrong> {
    // A child has the bytes of its parent.
    let is_same = |wrong: &&Wrong| {
        let known = &wrong.finding;
        let bytes = |one: &Finding| (one.clause, one.wrong_byte());
        known.wrong_byte().is_some() && bytes(known) == bytes(finding) && known.seen == finding.seen
    };
    let same = wrongs.iter().find(is_same).cloned();
    rests_on_what_is_mended(runner, case, finding, wrongs).or(same)
}

/// Whether a call that had to fail has succeeded, and the wrong bytes are only those that it stored.
fn is_what_the_call_did(wrong: &Wrong, finding: &Finding) -> bool {
    let had_to_fail = |situation: Situation| situation.fate == Fate::Fails;
    finding.clause == Clause::ReturnedValue
        && wrong.finding.clause == Clause::PageContent
        && finding.situation().is_some_and(had_to_fail)
        && wrong.step.is_some()
        && wrong.step == finding.step
}

/// The mistake that has to be mended so that the finding does not show.
fn rests_on_what_is_mended(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
    wrongs: Vec<Wrong>,
) -> Option<Wrong> {
    let is_of_files = is_about_files(finding);
    let mut wrongs = wrongs.into_iter();
    let first = wrongs.find(|wrong| is_of_files || !wrong.is_on_the_disk())?;
    // A file cannot be mended: every call that uses files may show it.
    if first.is_on_the_disk() {
        return Some(first);
    }
    // That cannot be mended. A frame that is none of a program's has no right number of holders.
    let follows = first.finding.clause == finding.clause
        || (first.finding.clause == Clause::KernelHidden && is_about_counts(finding.clause));
    if first.is_in_an_entry() && follows {
        return Some(first);
    }
    let mut mended = vec![first.finding.clause];
    // What was wrong first hides what was wrong later, until it is mended.
    loop {
        let mut inspection = Inspection {
            mended: mended.clone(),
            ..Inspection::default()
        };
        let wanted = bucket(finding);
        let outcome = runner.run_up_to(&wanted, case, &mut inspection);
        let wrongs = inspection.wrongs;
        if outcome.shown(&wanted).is_none() {
            return root_of(*mended.last()?, first, &wrongs);
        }
        let is_next = |wrong: &&Wrong| {
            !mended.contains(&wrong.finding.clause) && (is_of_files || !wrong.is_on_the_disk())
        };
        let next = wrongs.iter().find(is_next)?;
        if next.is_on_the_disk() {
            return Some(next.clone());
        }
        mended.push(next.finding.clause);
    }
}

/// Whether a finding is about what a file or a directory holds, or about a call that uses them.
fn is_about_files(finding: &Finding) -> bool {
    let uses_files = |kind: Kind| {
        kind.family() == Family::Path || matches!(kind, Kind::Read | Kind::Write | Kind::Fstat)
    };
    let is_of_disk = matches!(finding.clause, Clause::DiskContent | Clause::BlocksComeBack);
    is_of_disk
        || finding
            .situation()
            .is_some_and(|situation| uses_files(situation.kind))
}

/// Whether a rule is about the number of frames, or of their holders.
fn is_about_counts(clause: Clause) -> bool {
    matches!(
        clause,
        Clause::HoldersCounted
            | Clause::FramesComeBack
            | Clause::FramesNotInvented
            | Clause::TouchTakesOne
            | Clause::ForkShares
            | Clause::ExecTakesLittle
    )
}

/// The first mistake that belongs to a breach of `clause`, on which a finding rests. `first` is the first mistake of
/// the whole case.
fn root_of(clause: Clause, first: Wrong, wrongs: &[Wrong]) -> Option<Wrong> {
    let wrong = wrongs.iter().find(|wrong| wrong.finding.clause == clause)?;
    // Every case starts in the same state: what is wrong in it has one cause.
    let root = match wrong.step {
        None => &first,
        Some(_) => {
            let is_same = |other: &&Wrong| {
                other.step == wrong.step && other.finding.subject == wrong.finding.subject
            };
            wrongs.iter().find(is_same).unwrap_or(wrong)
        }
    };
    // A step shows where in the kernel it went wrong. The start of a case does not.
    let clause = root.finding.clause;
    let is_in_a_step = |wrong: &&Wrong| wrong.finding.clause == clause && wrong.step.is_some();
    Some(wrongs.iter().find(is_in_a_step).unwrap_or(root).clone())
}

/// What is wrong with memory right after `runner` has run the case that shows `finding`, if that cannot come
/// from the wrong answer of its last operation.
fn last_look(runner: &mut Runner, finding: &Finding) -> Option<Wrong> {
    let (driver, judge) = runner.look();
    // After these, memory need not be in a state that the model knows.
    if finding.step.is_none() || matches!(finding.verdict, Verdict::Panic | Verdict::Hang) {
        return inspect_stopped(driver, judge, finding.step);
    }
    let wrong = inspect(driver, judge, finding.step)?;
    let kind = finding.situation().map(|situation| situation.kind);
    let is_of = |family| kind.is_some_and(|kind| kind.family() == family);
    let only_loads = is_of(Family::Access);
    let stores_nothing = is_of(Family::Path) || is_of(Family::CopyIn);
    let is_refused = matches!(finding.mismatch(), Some(Mismatch::Refused | Mismatch::Less));
    // If the break did not move or the program did not start, memory is not what the model has now.
    let is_behind = matches!(kind, Some(Kind::Exec | Kind::Sbrk));
    let speaks_for_itself = match wrong.finding.clause {
        clause if clause == finding.clause => true,
        Clause::MappedNotFree | Clause::KernelHidden => true,
        Clause::MappedInside if kind == Some(Kind::Sbrk) => {
            matches!(
                finding.clause,
                Clause::ShrinkGivesBack | Clause::GrowthTakesNothing
            )
        }
        _ if is_behind => false,
        Clause::WritableAlone | Clause::MappedInside => true,
        Clause::HoldersCounted => finding.clause == Clause::WritableAlone,
        Clause::FreshPageZero | Clause::PageContent => match wrong.finding.spoiled() {
            Some(Spoiled::Others) => true,
            Some(Spoiled::Zeros) => !is_refused || stores_nothing,
            Some(Spoiled::Own) => only_loads,
            // Then the whole page was filled in this step.
            Some(Spoiled::Tail) => finding.clause == Clause::LoadedValue && !is_in_tail(finding),
            None => false,
        },
        _ => false,
    };
    speaks_for_itself.then_some(wrong)
}

/// Whether the operation was about bytes beyond the program break in a page that was there before.
fn is_in_tail(finding: &Finding) -> bool {
    let page = finding.situation().and_then(|situation| situation.page);
    page == Some(PageState::Tail)
}
