//! What was wrong before a case began has no step that shows where in the kernel it went wrong. Often a short case makes
//! the kernel do the same once more, in a step that can be watched.

use super::Close;
use super::inspection::Inspection;
use crate::driver::Driver;
use crate::runner::{Runner, Watch};
use oracle::{Case, Clause, Judge};
use std::ops::Range;

/// Short cases that map pages in all usual ways.
const CASES: [&str; 4] = [
    "a: sbrk +2p\na: store1 heap[0] 1\na: load1 heap[1]\na: load1 stack[0]\na: load1 data[0]",
    "a: store1 stack[0] 1\na: b = fork\nb: store1 stack[0] 2\na: store1 stack[0] 3",
    "a: string stack[0] \"init\"\na: exec stack[0] data[1]\na: load1 data[0]\na: store1 stack[0] 1",
    "a: sbrk +2p eager\na: sbrk -1p\na: sbrk +1p\na: load1 heap[1]",
];

/// The call stack of the store with which the kernel breaks a rule in a step of a short case: addresses, innermost
/// first. The mistakes that were there before are mended, as far as that is possible.
pub(super) fn store(runner: &mut Runner, clause: Clause) -> Option<Vec<u64>> {
    let texts = CASES.iter().map(|text| format!("faultline 1\n{text}\n"));
    let cases = texts.filter_map(|text| Case::parse(&text).ok());
    for case in cases {
        let mut first = mending(clause);
        runner.run_watched(&case, &mut first);
        let wrongs = first.wrongs.into_iter();
        for wrong in wrongs.filter(|wrong| wrong.step.is_some() && wrong.finding.clause == clause) {
            let mut both = Both {
                mending: mending(clause),
                close: Close::new(wrong.step, &wrong.places),
            };
            runner.run_watched(&case, &mut both);
            let recording = both.close.recording.take();
            if let Some(store) = recording.and_then(|recording| recording.last_store) {
                return Some(store.stack);
            }
        }
    }
    None
}

fn mending(clause: Clause) -> Inspection {
    Inspection {
        mended: vec![clause],
        ..Inspection::default()
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
