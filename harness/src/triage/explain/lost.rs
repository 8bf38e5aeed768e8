//! Frames that are missing when all processes are gone: what took them, and when they were lost.

use super::memory::Moment;
use crate::driver::Driver;
use crate::runner::{Runner, Watch};
use oracle::{Case, Judge};
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// The most operations of a case for which memory is compared after each one. A longer case is not minimised
/// yet.
const MOST_MOMENTS: usize = 300;
/// The most lost frames that are shown.
const MOST_FRAMES: usize = 4;

/// A frame that is missing when all processes are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LostFrame {
    /// Its physical address.
    pub frame: u64,
    /// The operation that took it, and what for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// When no process had it any more, although it was not free.
    pub lost: String,
    /// Whether no process ever had it.
    #[serde(skip)]
    pub(super) had_no_owner: bool,
}

impl LostFrame {
    /// Whether a process had it before.
    pub(super) fn had_owner(&self) -> bool {
        self.taken.is_some() && !self.had_no_owner
    }
}

impl fmt::Display for LostFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "frame {:#x}: ", self.frame)?;
        if let Some(taken) = &self.taken {
            write!(f, "taken {taken}; ")?;
        }
        f.write_str(&self.lost)
    }
}

/// The operation of `case` that lost the first of the frames, and the frames.
pub(super) fn find(runner: &mut Runner, case: &Case) -> (Option<usize>, Vec<LostFrame>) {
    let mut search = Search::default();
    runner.run_watched(case, &mut search);
    search.lost_frames(runner, case)
}

/// Which process has which frame.
#[derive(Default)]
struct Search {
    /// Before the first operation.
    before: Option<Moment>,
    /// After each operation.
    moments: Vec<(usize, Moment)>,
}

impl Watch for Search {
    fn before(&mut self, _: Range<usize>, driver: &mut Driver) {
        if self.before.is_none() {
            self.before = Some(Moment::of(driver));
        }
    }

    fn judged(&mut self, operations: Range<usize>, driver: &mut Driver, _: &Judge) {
        if self.moments.len() < MOST_MOMENTS {
            self.moments.push((operations.start, Moment::of(driver)));
        }
    }
}

impl Search {
    /// The frames that were free before the first operation and are not free at the end, and the operation
    /// that lost the first of them.
    fn lost_frames(&self, runner: &Runner, case: &Case) -> (Option<usize>, Vec<LostFrame>) {
        let owners = |moment: &Moment, number: usize| moment.owner_count(number);
        let (Some(before), Some(end)) = (&self.before, runner.driver().lost_owners()) else {
            return (None, Vec::new());
        };
        let layout = runner.driver().guest().first_layout();
        let mut origin = None;
        let mut frames = Vec::new();
        for (number, _) in end.iter().enumerate().filter(|(_, count)| **count > 0) {
            if owners(before, number) != Some(0) || frames.len() >= MOST_FRAMES {
                continue;
            }
            let at = |step: usize| match case.operations.get(step) {
                Some(operation) => format!("in operation {step} ({operation})"),
                None => format!("in operation {step}"),
            };
            let free = |moment: &Moment| owners(moment, number) == Some(0);
            let last_free = self.moments.iter().rposition(|(_, moment)| free(moment));
            let taken = last_free.map_or(0, |last| last + 1);
            let Some((taken_in, first)) = self.moments.get(taken) else {
                let lost = "taken when the processes end, and never given back".to_owned();
                frames.push(LostFrame {
                    frame: Moment::frame(number),
                    taken: None,
                    lost,
                    had_no_owner: false,
                });
                continue;
            };
            let held = &self.moments[taken..];
            let named = |moment: &Moment| moment.purpose(Moment::frame(number), layout);
            let had_no_owner = held.iter().all(|(_, moment)| named(moment).is_none());
            let last = held.iter().rposition(|(_, moment)| named(moment).is_some());
            let (step, lost) = match last.map(|last| (held.get(last + 1), &held[last].1)) {
                // No process ever had it.
                None => (
                    Some(*taken_in),
                    "no process has it, and it is not free".to_owned(),
                ),
                Some((Some((step, _)), had)) => {
                    let what = named(had).unwrap_or_default();
                    let lost = format!("it was {what}, until {}", at(*step).replace("in ", ""));
                    (Some(*step), lost)
                }
                Some((None, had)) => {
                    let what = named(had).unwrap_or_default();
                    let lost =
                        format!("it is {what}, and is not given back when the process is gone");
                    (None, lost)
                }
            };
            let purpose = named(first).map_or(String::new(), |what| format!(" as {what}"));
            frames.push(LostFrame {
                frame: Moment::frame(number),
                taken: Some(at(*taken_in) + &purpose),
                lost,
                had_no_owner,
            });
            origin = origin.or(step);
        }
        (origin, frames)
    }
}
