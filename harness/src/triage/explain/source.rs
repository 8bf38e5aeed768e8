//! What is known of where a finding comes from.

use super::experiments::{self, Cause};
use super::inspection::{Places, Wrong};
use super::lost::{self, LostFrame};
use super::memory::page_name;
use crate::guest::frames::FRAME_BYTES;
use crate::runner::Runner;
use oracle::{Case, Clause, Finding, bucket};
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// The most operations of a case for which the case is ended after each of them. A longer case is not minimised yet.
const MOST_ENDS: usize = 32;

/// An operation whose mistake a later operation shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Its index in the case; `None` if something was wrong before the first operation.
    pub step: Option<usize>,
    /// The operation as text.
    pub operation: String,
    /// What is wrong from then on.
    pub wrong: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "operation {step} ({}): after it ", self.operation)?,
            None => f.write_str("the start of the case: ")?,
        }
        f.write_str(&self.wrong)
    }
}

/// Where a finding comes from.
#[derive(Default)]
pub(super) struct Source {
    /// The operation that did the harm, if it is not the one that shows the finding.
    pub(super) origin: Option<Origin>,
    /// What was wrong first, if that is something other than the finding.
    pub(super) root: Option<Finding>,
    /// What an experiment has shown to be the cause.
    pub(super) cause: Option<Cause>,
    /// What the kernel stored to when it made the mistake.
    pub(super) places: Places,
    /// The lost frames.
    pub(super) lost: Vec<LostFrame>,
}

impl Source {
    /// What experiments show.
    pub(super) fn of_experiments(runner: &mut Runner, case: &Case, finding: &Finding) -> Self {
        match experiments::cause(runner, case, finding) {
            Some((cause, step)) => Source::of_cause(case, runner, finding, cause, step),
            None => {
                let source = if finding.clause == Clause::FramesComeBack {
                    Self::of_lost_frames(case, runner)
                } else {
                    Self::default()
                };
                Self {
                    origin: source
                        .origin
                        .or_else(|| first_enough(runner, case, finding)),
                    ..source
                }
            }
        }
    }

    /// A case that ends after the operation `step` shows what was wrong `first`.
    pub(super) fn of_earlier(case: &Case, step: usize, first: Finding) -> Self {
        Self {
            origin: Some(Origin::new(
                case,
                Some(step),
                first.clause.broken().to_owned(),
            )),
            root: Some(first),
            ..Self::default()
        }
    }
}

/// For a finding that only the end of a case shows: the operation from which on it does, even if the case ends there.
fn first_enough(runner: &mut Runner, case: &Case, finding: &Finding) -> Option<Origin> {
    let wanted = bucket(finding);
    let all = case.operations.len();
    if finding.step.is_some() || all > MOST_ENDS {
        return None;
    }
    let mut shows = |length: usize| runner.run(&case.beginning(length)).shown(&wanted).is_some();
    if shows(0) {
        return None;
    }
    let enough = (1..all).find(|length| shows(*length)).unwrap_or(all);
    let wrong = "the end of a case shows this".to_owned();
    Some(Origin::new(case, enough.checked_sub(1), wrong))
}

impl Source {
    /// The finding rests on what was wrong before it.
    pub(super) fn of(case: &Case, runner: &Runner, wrong: Wrong) -> Self {
        let Wrong {
            step,
            finding,
            places,
            ..
        } = wrong;
        let wrong = words(runner, &finding);
        Self {
            origin: Some(Origin::new(case, step, wrong)),
            root: Some(finding),
            places,
            ..Self::default()
        }
    }

    /// The finding rests on what an experiment has shown, in the operation `step`.
    pub(super) fn of_cause(
        case: &Case,
        runner: &mut Runner,
        finding: &Finding,
        cause: Cause,
        step: Option<usize>,
    ) -> Self {
        let wrong = match cause {
            Cause::OldTranslation => "a hart still uses the old translation of a page",
            Cause::FailedCall(_) => "something has changed, although the call failed",
            Cause::HighHalf => "the high halves of registers that hold an `int` are not its sign",
            Cause::KilledSleeper => "a process that slept was killed, and has not ended",
            Cause::RefusedFrame(_) => "the call has succeeded, although it was refused a frame",
        };
        let origin = step.map(|step| Origin::new(case, Some(step), wrong.to_owned()));
        let source = match cause {
            // A translation changes with an entry in a page table.
            Cause::OldTranslation => Self {
                places: Places {
                    byte: None,
                    others: tables_of(runner, finding.process),
                },
                ..Self::default()
            },
            Cause::FailedCall(_) if finding.clause == Clause::FramesComeBack => {
                Self::of_lost_frames(case, runner)
            }
            Cause::FailedCall(_)
            | Cause::HighHalf
            | Cause::KilledSleeper
            | Cause::RefusedFrame(_) => Self::default(),
        };
        Self {
            origin,
            cause: Some(cause),
            ..source
        }
    }

    fn of_lost_frames(case: &Case, runner: &mut Runner) -> Self {
        let (step, lost) = lost::find(runner, case);
        let wrong = "a frame belongs to no process and is not free";
        let origin = step.map(|step| Origin::new(case, Some(step), wrong.to_owned()));
        // The kernel fills a frame that it takes.
        let unowned = lost.iter().find(|frame| frame.had_no_owner);
        let places = unowned.map(|lost| lost.frame..lost.frame + FRAME_BYTES);
        Self {
            origin,
            places: places.map(Places::from).unwrap_or_default(),
            lost,
            ..Self::default()
        }
    }
}

impl Origin {
    fn new(case: &Case, step: Option<usize>, wrong: String) -> Self {
        let operation = step.and_then(|step| case.operations.get(step));
        Self {
            step,
            operation: operation.map(ToString::to_string).unwrap_or_default(),
            wrong,
        }
    }
}

/// The page tables of the process with that letter, as physical addresses.
fn tables_of(runner: &Runner, letter: Option<char>) -> Vec<Range<u64>> {
    let tables = runner.driver().page_tables();
    let own = tables
        .into_iter()
        .filter(|(_, process)| Some(process.letter()) == letter);
    own.map(|(table, _)| table..table + FRAME_BYTES).collect()
}

/// What is wrong from then on.
fn words(runner: &Runner, root: &Finding) -> String {
    let layout = runner.driver().guest().first_layout();
    let page = root.subject.and_then(|address| page_name(layout, address));
    let of = root.process.unwrap_or_default();
    let what = match page {
        Some(page) => format!("{page} of {of} is wrong"),
        None => root.clause.broken().to_owned(),
    };
    let Finding { expected, seen, .. } = root;
    format!("{what} (expected: {expected}; seen: {seen})")
}
