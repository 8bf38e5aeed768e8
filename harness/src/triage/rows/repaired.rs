//! Rows whose cases one change of the kernel makes right are one bug.

use super::Row;
use crate::runner::Runner;
use crate::triage::explain::{Controls, Repairs};
use oracle::Case;
use oracle::case::Kind;

/// The most work that is spent on trying the repairs of one row with the other rows. The same work is spent whatever the
/// load.
const MOST_WORK: u64 = 80_000_000;

/// Joins rows if a repair of one is a repair of the other. Repairs of some of them are known.
pub fn join_repaired(rows: &mut Vec<Row>, runner: &mut Runner, controls: &Controls) {
    let mut at = 0;
    while at < rows.len() {
        let end = runner.work() + MOST_WORK;
        // A row that was joined brings its repairs along.
        while runner.work() < end
            && let Some((other, repairs)) = first_repaired(rows, at, end, runner, controls)
        {
            let row = rows.remove(other);
            at -= usize::from(other < at);
            rows[at].absorb(row, repairs);
        }
        at += 1;
    }
    super::sort(rows);
}

/// The first other row that a repair of the row `at` repairs too, and the repairs of both.
fn first_repaired(
    rows: &[Row],
    at: usize,
    end: u64,
    runner: &mut Runner,
    controls: &Controls,
) -> Option<(usize, Repairs)> {
    let repairs = rows[at].repairs()?;
    let mut others = (0..rows.len()).filter(|other| *other != at);
    others.find_map(|other| {
        let is_late = runner.work() > end;
        // The row of a known defect is judged in another way.
        let report = &rows[other].shortest.report;
        if is_late || rows[other].defect.is_some() || makes_scarce(report.case()) {
            return None;
        }
        runner.avoid(&report.avoided);
        let common = repairs.in_common(runner, report.case(), &report.finding, controls);
        (!common.all.is_empty()).then_some((other, common))
    })
}

/// Whether a case makes frames or blocks scarce. A kernel that asks again after a refusal makes all such cases right,
/// however many mistakes they show.
fn makes_scarce(case: &Case) -> bool {
    let mut kinds = case
        .operations
        .iter()
        .map(|operation| operation.call.kind());
    kinds.any(|kind| matches!(kind, Kind::Frames | Kind::FailFrame | Kind::Blocks))
}

impl Row {
    fn repairs(&self) -> Option<&Repairs> {
        let repairs = self.shortest.report.explanation.repairs.as_ref();
        let is_fit = self.defect.is_none() && !makes_scarce(self.shortest.report.case());
        repairs.filter(|repairs| is_fit && !repairs.all.is_empty())
    }

    /// Takes over the findings of another row. `common` are the repairs of both, and how the runs of each function agree
    /// with what goes wrong in the other row. The shorter case represents both, unless its finding is doubtful: the longer
    /// one may show only what follows from the mistake.
    fn absorb(&mut self, mut other: Row, common: Repairs) {
        let is_weaker = other.doubt.is_some() && self.doubt.is_none();
        let is_stronger = self.doubt.is_some() && other.doubt.is_none();
        let is_shorter = other.shortest.length() < self.shortest.length();
        let other_represents = is_stronger || (is_shorter && !is_weaker);
        if other_represents {
            std::mem::swap(self, &mut other);
        }
        self.executions = self.executions.min(other.executions);
        for operation in other.operations {
            if !self.operations.contains(&operation) {
                self.operations.push(operation);
            }
        }
        let repairs = &mut self.shortest.report.explanation.repairs;
        match repairs {
            Some(own) if !other_represents => own.all = common.all,
            _ => *repairs = Some(common),
        }
        self.take_cases(&other.shortest, other.others);
    }
}
