//! `faultline bugs --engine check`: what `faultline check` reports about each bug.

use super::{all_built, note_trouble};
use crate::command::Conclusion;
use faultline::campaign::Budget;
use faultline::seeded_bugs::catalogue::Bug;
use faultline::seeded_bugs::{BugRows, Plan, Sum, Tally, Trouble, check_each, lines, page};
use miette::{IntoDiagnostic, WrapErr};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The usual file for results, next to the kernels.
fn usual(plan: &Plan) -> PathBuf {
    plan.folder.join("check.jsonl")
}

/// Checks each kernel, prints its rows, and writes them to a file.
pub(super) fn measure(
    bugs: &[Bug],
    plan: &Plan,
    budget: Budget,
    output: Option<&Path>,
) -> miette::Result<Conclusion> {
    let path = output.map_or_else(|| usual(plan), Path::to_path_buf);
    let what = || format!("cannot write {}", path.display());
    let mut file = fs::File::create(&path)
        .into_diagnostic()
        .wrap_err_with(what)?;
    let (mut tally, mut all, mut lost) = (Tally::default(), Vec::new(), Ok(()));
    let report = |bug: &Bug, found: Result<BugRows, Trouble>| {
        let Some(found) = note_trouble(bug, found, &mut tally) else {
            return;
        };
        print!("{}", lines(&found));
        if let Err(error) = writeln!(file, "{}", found.to_line()) {
            lost = Err(error);
        }
        all.push(found);
    };
    check_each(bugs, plan, budget, report).into_diagnostic()?;
    lost.into_diagnostic().wrap_err_with(what)?;
    all_built(&tally)?;
    println!("{}", Sum::of(&all));
    Ok(Conclusion::Clean)
}

/// Prints the page of an earlier measurement.
pub(super) fn print_page(plan: &Plan) -> miette::Result<Conclusion> {
    let path = usual(plan);
    let what = || format!("cannot read {}: run --engine check first", path.display());
    let text = fs::read_to_string(&path)
        .into_diagnostic()
        .wrap_err_with(what)?;
    let all: Vec<BugRows> = text.lines().filter_map(BugRows::parse).collect();
    print!("{}", page(&all));
    Ok(Conclusion::Clean)
}
