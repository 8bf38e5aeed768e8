//! Rows that rest on a known defect: the model follows it, but the kernel does not have it in quite the same way.

use super::Row;
use crate::guest::Guest;
use crate::runner::Runner;
use oracle::{Clause, Finding, bucket};

/// Joins rows with that of a known defect if they do not show when the kernel is judged as one that must not have it: if
/// nothing is wrong then, or if the operation that went wrong first shows the defect.
pub fn join_defective(rows: &mut Vec<Row>, guest: &Guest) {
    for at in 0..rows.len() {
        let Some(defect) = rows.get(at).and_then(|row| row.defect.clone()) else {
            continue;
        };
        let right = guest.speaking(defect.mended_in(&guest.dialect));
        let mut runner = Runner::new(&right);
        let shown_by = rows[at].shortest.report.finding.clone();
        let (joined, others): (Vec<Row>, Vec<Row>) = rows
            .drain(..)
            .partition(|row| row.defect.is_none() && row.rests_on(&shown_by, &mut runner));
        *rows = others;
        let has_it = |row: &&mut Row| {
            let own = row.defect.as_ref();
            own.is_some_and(|own| own.field == defect.field)
        };
        if let Some(row) = rows.iter_mut().find(has_it) {
            for other in joined {
                row.take_cases(&other.shortest, other.others);
            }
        }
    }
}

impl Row {
    /// Whether the row rests on the defect that `shown_by` shows. `runner` judges the kernel as one without it.
    fn rests_on(&self, shown_by: &Finding, runner: &mut Runner) -> bool {
        let report = &self.shortest.report;
        if !is_about_an_answer(report.finding.clause) {
            return false;
        }
        let origin = report.explanation.origin.as_ref();
        let wrong_at = origin.map_or(report.finding.step, |origin| origin.step);
        runner.avoid(&report.avoided);
        let outcome = runner.run(report.case());
        let has_gone = outcome.shown(&bucket(&report.finding)).is_none();
        has_gone
            && outcome
                .first()
                .is_none_or(|first| first.step == wrong_at && shows_the_same(first, shown_by))
    }
}

/// Whether a rule is about what a system call answers or writes: other mistakes of an operation do not rest on that.
fn is_about_an_answer(clause: Clause) -> bool {
    matches!(
        clause,
        Clause::ReturnedValue | Clause::Blocks | Clause::DiskContent | Clause::ExitStatus
    )
}

/// Whether both show the same mistake of the same system call.
fn shows_the_same(one: &Finding, other: &Finding) -> bool {
    let kind = |finding: &Finding| finding.situation().map(|situation| situation.kind);
    let about = |finding: &Finding| (finding.clause, kind(finding), finding.mismatch());
    about(one) == about(other)
}
