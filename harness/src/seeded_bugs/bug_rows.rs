//! What `faultline check` reports about kernels with one bug each: how many rows the bug becomes, and whether they name
//! the function that is wrong.

use super::catalogue::Bug;
use super::results::Results;
use super::workshop::Workshop;
use super::{Plan, Trouble, on_kernels, touched};
use crate::campaign::Budget;
use crate::check::{self, seeds};
use crate::guest::location::GuestFiles;
use crate::triage::rows::Row;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The name of the files with results.
const NAME: &str = "check";

/// What a check reports about the kernel with a bug.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BugRows {
    /// The bug's name.
    pub bug: String,
    /// The functions that its patch changes.
    pub functions: Vec<String>,
    /// The rows, the worst first.
    pub rows: Vec<BugRow>,
}

/// A row of such a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BugRow {
    /// Its first sentence.
    pub sentence: String,
    /// The rule that is broken.
    pub rule: String,
    /// The functions that the first sentence names, the likeliest first.
    pub suspects: Vec<String>,
    /// The operation at which it shows, and the operations of its case.
    pub operation: String,
    /// Its cases.
    pub cases: usize,
    /// Whether the patch does not name the rule: the row is about something that is not wrong.
    pub is_misleading: bool,
}

impl BugRows {
    /// Reads what [`to_line`](Self::to_line) writes.
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// A line of JSON.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Which of the functions that a row names is the first that the patch changes, counted from 0.
    pub fn place_of_changed(&self, row: &BugRow) -> Option<usize> {
        let is_changed = |function: &String| {
            let last = function.rsplit("::").next().unwrap_or(function);
            self.functions.iter().any(|changed| changed == last)
        };
        row.suspects.iter().position(is_changed)
    }

    fn of(bug: &Bug, plan: &Plan, rows: &[Row]) -> Self {
        Self {
            bug: bug.patch.name.clone(),
            functions: touched::functions(bug.patch.change(), &plan.root),
            rows: rows.iter().map(|row| BugRow::of(row, bug)).collect(),
        }
    }
}

impl BugRow {
    fn of(row: &Row, bug: &Bug) -> Self {
        let rule = row.clause.to_string();
        let finding = &row.shortest.report.finding;
        Self {
            sentence: row.sentence(),
            suspects: row.suspects().into_iter().map(str::to_owned).collect(),
            operation: finding.operation.as_deref().unwrap_or("the end").to_owned(),
            cases: row.files().count(),
            is_misleading: !bug.breaks(&rule),
            rule,
        }
    }
}

/// Checks each kernel with that budget, and reports the rows of each in turn.
///
/// # Errors
/// The kernel cannot be copied. What goes wrong with one bug is reported as its result.
pub fn check_each(
    bugs: &[Bug],
    plan: &Plan,
    budget: Budget,
    report: impl FnMut(&Bug, Result<BugRows, Trouble>),
) -> Result<(), Trouble> {
    let workshop = Workshop::open(&plan.root, &plan.folder)?;
    let name = budget
        .work
        .map_or(NAME.to_owned(), |work| format!("{NAME}-{work}"));
    let results = Results::named(&name, plan, &workshop)?;
    let known = |bug: &Bug| BugRows::parse(&results.known(bug)?);
    let attempt = |bug: &Bug, guest: &Path| {
        let rows = check_one(bug, guest, plan, budget)?;
        results.keep(bug, &rows.to_line())?;
        Ok(rows)
    };
    on_kernels(&workshop, bugs, known, attempt, report);
    Ok(())
}

fn check_one(bug: &Bug, guest: &Path, plan: &Plan, budget: Budget) -> Result<BugRows, Trouble> {
    let unchecked = |why: String| Trouble::Unchecked {
        bug: bug.patch.name.clone(),
        why,
    };
    let (kernel, image) = (guest.join("kernel.elf"), guest.join("fs.img"));
    let files = GuestFiles::find(Some(&kernel), Some(&image));
    let files = files.map_err(|error| unchecked(error.to_string()))?;
    // Cases of an earlier check would be replayed.
    let findings = guest.join(NAME);
    if findings.exists() {
        fs::remove_dir_all(&findings).map_err(|source| Trouble::io(&findings, source))?;
    }
    let check = check::Plan {
        dialect: None,
        seeds: seeds::built_in().map_err(|error| unchecked(error.to_string()))?,
        budget,
        jobs: 1,
        seed: 1,
        findings,
        stop: Arc::default(),
    };
    let checked = check::check(&files, &check, |_| {});
    let checked = checked.map_err(|error| unchecked(error.to_string()))?;
    Ok(BugRows::of(bug, plan, &checked.rows))
}
