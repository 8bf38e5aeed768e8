//! What was wrong before a case began has no step that shows where in the kernel it went wrong. Often a short case makes
//! the kernel do the same once more, in a step that can be watched.

use super::inspection::{Inspection, Wrong};
use super::{Close, system_call};
use crate::driver::{Driver, Recording};
use crate::runner::{Runner, Watch};
use oracle::{Case, Judge};
use std::ops::Range;

/// Short cases that map pages in all usual ways.
const CASES: [&str; 4] = [
    "a: sbrk +2p\na: store1 heap[0] 1\na: load1 heap[1]\na: load1 stack[0]\na: load1 data[0]",
    "a: store1 stack[0] 1\na: b = fork\nb: store1 stack[0] 2\na: store1 stack[0] 3",
    "a: string stack[0] \"init\"\na: exec stack[0] data[1]\na: load1 data[0]\na: store1 stack[0] 1",
    "a: sbrk +2p eager\na: sbrk -1p\na: sbrk +1p\na: load1 heap[1]",
];

/// A step that makes a mistake again.
#[derive(Default)]
pub(super) struct Again {
    pub(super) recording: Recording,
    /// The system call of the step.
    pub(super) call: Option<&'static str>,
}

/// The step of a short case in which the kernel breaks a rule again that was broken before the case began. One that shows
/// where it stores what is wrong is the best. What was wrong before is mended, as far as that is possible.
pub(super) fn step(runner: &mut Runner) -> Option<Again> {
    let texts = CASES.iter().map(|text| format!("faultline 1\n{text}\n"));
    let cases = texts.filter_map(|text| Case::parse(&text).ok());
    let mut first_again = None;
    for case in cases {
        let mut first = Inspection::mending();
        runner.run_watched(&case, &mut first);
        let (again, before): (Vec<Wrong>, Vec<Wrong>) = first
            .wrongs
            .into_iter()
            .partition(|wrong| wrong.step.is_some());
        let is_older = |wrong: &&Wrong| {
            let mut clauses = before.iter().map(|older| older.finding.clause);
            clauses.any(|clause| clause == wrong.finding.clause)
        };
        for wrong in again.iter().filter(is_older) {
            let again = watch(runner, &case, wrong);
            if again.as_ref().is_some_and(Again::shows_store) {
                return again;
            }
            first_again = first_again.or(again);
        }
    }
    first_again
}

/// Watches the step that went wrong.
fn watch(runner: &mut Runner, case: &Case, wrong: &Wrong) -> Option<Again> {
    let mut both = Both {
        mending: Inspection::mending(),
        close: Close::new(wrong.step, &wrong.places),
    };
    runner.run_watched(case, &mut both);
    Some(Again {
        recording: both.close.recording?,
        call: system_call(case, wrong.step?),
    })
}

impl Again {
    fn shows_store(&self) -> bool {
        self.recording.last_store.is_some()
    }
}

/// Mends mistakes, and watches one step closely.
struct Both {
    mending: Inspection,
    close: Close,
}

impl Watch for Both {
    fn started(&mut self, driver: &mut Driver, judge: &Judge) {
        self.mending.started(driver, judge);
    }

    fn before(&mut self, operations: Range<usize>, driver: &mut Driver) {
        self.close.before(operations, driver);
    }

    fn after(&mut self, operations: Range<usize>, driver: &mut Driver) {
        self.close.after(operations, driver);
    }

    fn judged(&mut self, operations: Range<usize>, driver: &mut Driver, judge: &Judge) {
        self.close.judged(operations.clone(), driver, judge);
        self.mending.judged(operations, driver, judge);
    }
}
