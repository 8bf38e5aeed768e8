//! The step that did the harm, if only a later step or the end of the case shows it.
//!
//! A wrong byte in memory shows when a process looks at it, a lost frame when all processes are gone.
//! The case is run once more, and memory and frames are checked after every operation.

use super::memory::{Moment, page_name};
use crate::driver::Driver;
use crate::guest::frames::FRAME_BYTES;
use crate::runner::{Runner, Watch};
use oracle::{Case, Clause, Finding, Judge, Process, ProcessState, bucket};
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// The most operations of a case for which memory is compared after each one. A longer case is not minimised
/// yet.
const MOST_MOMENTS: usize = 300;
/// The most lost frames that are shown.
const MOST_FRAMES: usize = 4;

/// An operation that makes something wrong, which a later one shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Its index in the case.
    pub step: usize,
    /// The operation as text.
    pub operation: String,
    /// What is wrong from then on.
    pub wrong: String,
}

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
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            step,
            operation,
            wrong,
        } = self;
        write!(f, "operation {step} ({operation}): {wrong}")
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

/// The operation that did the harm, if it is not the one that shows `finding`, and the lost frames.
pub(super) fn find(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
) -> (Option<Origin>, Vec<LostFrame>) {
    let look = if finding.clause == Clause::FramesComeBack {
        Look::Frames
    } else {
        Look::Memory
    };
    let mut search = Search {
        look,
        wrong: None,
        before: None,
        moments: Vec::new(),
    };
    let outcome = runner.run_up_to(&bucket(finding), case, &mut search);
    if !outcome.findings.contains(finding) {
        return (None, Vec::new());
    }
    let (wrong, frames) = match look {
        Look::Frames => search.lost_frames(runner, case),
        _ => (search.wrong, Vec::new()),
    };
    let origin = wrong.and_then(|(step, wrong)| {
        let operation = case.operations.get(step)?.to_string();
        Some(Origin {
            step,
            operation,
            wrong,
        })
    });
    (
        origin.filter(|origin| Some(origin.step) != finding.step),
        frames,
    )
}

/// What to look at after each operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// What pages hold, and how many holders frames have.
    Memory,
    /// Which process has which frame.
    Frames,
}

struct Search {
    look: Look,
    /// The first operation after which something is wrong, and what.
    wrong: Option<(usize, String)>,
    /// Before the first operation.
    before: Option<Moment>,
    /// After each operation.
    moments: Vec<(usize, Moment)>,
}

impl Watch for Search {
    fn before(&mut self, _: Range<usize>, driver: &mut Driver) {
        if self.look == Look::Frames && self.before.is_none() {
            self.before = Some(Moment::of(driver));
        }
    }

    fn judged(&mut self, operations: Range<usize>, driver: &mut Driver, judge: &Judge) {
        let index = operations.start;
        match self.look {
            Look::Memory if self.wrong.is_none() => {
                let wrong = wrong_page(driver, judge).or_else(|| miscount(driver, judge));
                self.wrong = wrong.map(|wrong| (index, wrong));
            }
            Look::Frames if self.moments.len() < MOST_MOMENTS => {
                self.moments.push((index, Moment::of(driver)));
            }
            _ => {}
        }
    }
}

/// A frame that really has more or fewer holders than the kernel counts.
fn miscount(driver: &Driver, judge: &Judge) -> Option<String> {
    let lives = |process: &Process| {
        let state = judge.state_of(*process);
        matches!(state, ProcessState::Ready | ProcessState::Blocked)
    };
    let count = driver.miscount(Process::all().filter(lives))?;
    Some(format!(
        "after it the kernel counts {} holders of frame {:#x}, but {} pages map it",
        count.recorded, count.frame, count.mapped
    ))
}

/// A page that does not hold what it must.
fn wrong_page(driver: &mut Driver, judge: &Judge) -> Option<String> {
    let mut mappings = Vec::new();
    driver.list_mappings(None, &mut mappings);
    mappings.iter().find_map(|mapping| {
        let mut page = [0; FRAME_BYTES as usize];
        let (process, address) = (mapping.process, mapping.address);
        if !driver.read_in_page(process, address, &mut page) {
            return None;
        }
        let finding = judge.compare_page(process, address, &page).err()?;
        let layout = driver.guest().first_layout();
        let name = page_name(layout, address).unwrap_or_else(|| format!("{address:#x}"));
        Some(format!(
            "after it {name} of {process} is wrong (expected: {}; seen: {})",
            finding.expected, finding.seen
        ))
    })
}

impl Search {
    /// The frames that were free before the first operation and are not free at the end, and the operation
    /// that lost the first of them.
    fn lost_frames(
        &self,
        runner: &Runner,
        case: &Case,
    ) -> (Option<(usize, String)>, Vec<LostFrame>) {
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
                });
                continue;
            };
            let held = &self.moments[taken..];
            let named = |moment: &Moment| moment.purpose(Moment::frame(number), layout);
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
            });
            let wrong = "after it a frame belongs to no process and is not free";
            origin = origin.or(step.map(|step| (step, wrong.to_owned())));
        }
        (origin, frames)
    }
}
