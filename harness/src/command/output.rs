//! Prints the results of cases, for people and for programs.

use faultline::runner::Outcome;
use oracle::{Bucket, Finding, bucket};
use serde::Serialize;
use std::path::Path;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    Text,
    /// One JSON document.
    Json,
}

/// The result of one case, as JSON shows it.
#[derive(Serialize)]
pub(crate) struct CaseReport<'a> {
    case: String,
    verdict: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<&'a Finding>,
    /// What else is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    further: Vec<FurtherFinding<'a>>,
    operations: oracle::BiteMeter,
    instructions: u64,
}

/// A finding of a case that is not the first one, as JSON shows it.
#[derive(Serialize)]
pub(crate) struct FurtherFinding<'a> {
    bucket: Bucket,
    finding: &'a Finding,
}

/// All findings of a case but the first one.
pub(crate) fn further(outcome: &Outcome) -> Vec<FurtherFinding<'_>> {
    let further = outcome.findings.iter().skip(1);
    further
        .map(|finding| FurtherFinding {
            bucket: bucket(finding),
            finding,
        })
        .collect()
}

impl<'a> CaseReport<'a> {
    pub(crate) fn new(path: &Path, outcome: &'a Outcome) -> Self {
        let finding = outcome.first();
        Self {
            case: path.display().to_string(),
            verdict: finding.map_or("ok".to_owned(), |finding| finding.verdict.to_string()),
            bucket: finding.map(|finding| bucket(finding).to_string()),
            finding,
            further: further(outcome),
            operations: outcome.meter,
            instructions: outcome.instructions,
        }
    }
}

/// Prints one line for a case without a finding. For others it prints a paragraph for each finding.
pub(crate) fn print_text(path: &Path, outcome: &Outcome) {
    if outcome.findings.is_empty() {
        println!(
            "ok       {}  ({} operations compared{})",
            path.display(),
            outcome.meter.compared,
            left_out(outcome).map_or(String::new(), |words| format!(", {words}"))
        );
    }
    for finding in &outcome.findings {
        println!("FINDING  {}", path.display());
        for line in finding.to_string().lines() {
            println!("    {line}");
        }
        println!("    bucket: {}", bucket(finding));
    }
    if let Some(words) = left_out(outcome).filter(|_| !outcome.findings.is_empty()) {
        println!("    {words}");
    }
}

/// How many operations of a case did not apply, if there are any.
pub(crate) fn left_out(outcome: &Outcome) -> Option<String> {
    match outcome.meter.skipped {
        0 => None,
        1 => Some("1 did not apply".to_owned()),
        count => Some(format!("{count} did not apply")),
    }
}

/// Prints `value` as an indented JSON document.
pub(crate) fn print_json(value: &impl Serialize) -> miette::Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| miette::miette!("cannot write JSON: {error}"))?;
    println!("{text}");
    Ok(())
}
