//! `faultline replay`: runs all cases of a folder in parallel.

use super::output::{self, CaseReport};
use super::parallel::{self, Threads};
use super::{Conclusion, Format, GuestArguments};
use faultline::case_file;
use faultline::replay::{Replayed, replay};
use oracle::{BiteMeter, bucket};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline replay corpus/regressions --jobs 2")]
pub(crate) struct Arguments {
    /// Folders of text cases (files ending in .case, also in subfolders), or single case files
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    threads: Threads,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

#[derive(Serialize)]
struct Report<'a> {
    cases: Vec<CaseReport<'a>>,
    summary: Summary,
}

#[derive(Default, Serialize)]
struct Summary {
    cases: usize,
    ok: usize,
    findings: usize,
    buckets: BTreeMap<String, usize>,
    operations: BiteMeter,
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let mut paths = Vec::new();
    for folder in &arguments.folders {
        paths.extend(case_file::list(folder)?);
    }
    let guest = arguments.guest.boot()?;
    let progress = parallel::bar(paths.len(), "cases");
    let pool = arguments.threads.start()?;
    let replayed = pool.install(|| replay(&guest, &paths, || progress.inc(1)));
    progress.finish_and_clear();
    conclude(replayed, arguments.format)
}

fn conclude(replayed: Vec<Replayed>, format: Format) -> miette::Result<Conclusion> {
    let mut outcomes = Vec::new();
    for Replayed { path, result } in replayed {
        outcomes.push((path, result?));
    }
    let mut summary = Summary {
        cases: outcomes.len(),
        ..Summary::default()
    };
    for (_, outcome) in &outcomes {
        summary.operations += outcome.meter;
        if outcome.findings.is_empty() {
            summary.ok += 1;
        } else {
            summary.findings += 1;
        }
        for finding in &outcome.findings {
            let cases = summary.buckets.entry(bucket(finding).to_string());
            *cases.or_default() += 1;
        }
    }
    let conclusion = if summary.findings == 0 {
        Conclusion::Clean
    } else {
        Conclusion::Findings
    };
    match format {
        Format::Text => {
            for (path, outcome) in &outcomes {
                output::print_text(path, outcome);
            }
            print_summary(&summary);
        }
        Format::Json => output::print_json(&Report {
            cases: outcomes
                .iter()
                .map(|(path, outcome)| CaseReport::new(path, outcome))
                .collect(),
            summary,
        })?,
    }
    Ok(conclusion)
}

fn print_summary(summary: &Summary) {
    println!(
        "{} cases: {} ok, {} with a finding",
        summary.cases, summary.ok, summary.findings
    );
    println!("{}", summary.operations);
    for (bucket, cases) in &summary.buckets {
        println!("  {cases:>5} × {bucket}");
    }
}
