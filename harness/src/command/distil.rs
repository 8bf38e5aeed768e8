//! `faultline distil`: keeps a few cases that cover as much as all of them.

use super::parallel::{Threads, bar};
use super::{Conclusion, Format, GuestArguments, output};
use faultline::campaign::folder;
use faultline::{case_file, distil};
use miette::IntoDiagnostic;
use serde::Serialize;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "\
Runs all cases and keeps a few short ones. Together they cover every edge of the kernel and every state
feature that any case covers. Cases with a finding are left out. The input may be the corpora of all
engines, text or binary. The output is text, and any engine can use it as a corpus.

Example:
  faultline distil fuzz/corpus/* target/fuzz/fork_cow.campaign --output target/distilled")]
pub(crate) struct Arguments {
    /// Folders of cases, text or binary, or single files
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The folder that the cases are written to; it must be new or empty
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    threads: Threads,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

#[derive(Serialize)]
struct Summary {
    cases: usize,
    kept: usize,
    edges: usize,
    features: usize,
    findings: usize,
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let folder = &arguments.output;
    if folder.exists() && folder.read_dir().into_diagnostic()?.next().is_some() {
        miette::bail!("{} is not empty: name a new folder", folder.display());
    }
    let cases = case_file::read_every(&arguments.folders)?;
    let guest = arguments.guest.boot()?;
    let pool = arguments.threads.start()?;
    let progress = bar(cases.len(), "cases");
    let distilled = pool.install(|| distil::distil(&guest, &cases, || progress.inc(1)));
    progress.finish_and_clear();
    for at in &distilled.kept {
        folder::write(folder, &cases[*at])
            .map_err(|error| miette::miette!("cannot write to {}: {error}", folder.display()))?;
    }
    let summary = Summary {
        cases: cases.len(),
        kept: distilled.kept.len(),
        edges: distilled.edges,
        features: distilled.features,
        findings: distilled.findings,
    };
    match arguments.format {
        Format::Text => println!(
            "{} of {} cases kept: {} kernel edges, {} state features; {} cases with a finding",
            summary.kept, summary.cases, summary.edges, summary.features, summary.findings
        ),
        Format::Json => output::print_json(&summary)?,
    }
    Ok(match summary.findings {
        0 => Conclusion::Clean,
        _ => Conclusion::Findings,
    })
}
