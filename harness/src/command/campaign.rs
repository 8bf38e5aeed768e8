//! `faultline campaign`: fuzzes the kernel with our own engine.

use super::limits::Limits;
use super::parallel::{self, Threads, interrupt};
use super::{Conclusion, Format, GuestArguments, output};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use faultline::campaign::{self, Minimising, Plan, folder};
use faultline::case_file;
use faultline::triage::finding_file;
use oracle::Profile;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[derive(clap::Args)]
#[command(after_help = "\
Findings are minimised and written as case files. The campaign continues and does not report the same
finding again. With --corpus it continues where the last campaign with that folder stopped. Control-C
ends it and prints the summary.

Example:
  faultline campaign corpus/seeds corpus/regressions --seconds 600 --corpus target/campaign")]
pub(crate) struct Arguments {
    /// Folders of text cases, or single case files, to start from
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The fuzz target to generate cases for; several targets take turns [default: all]
    #[arg(long = "target", value_name = "NAME", value_parser = targets())]
    targets: Vec<Profile>,
    #[command(flatten)]
    limits: Limits,
    /// How many cases to run
    #[arg(long, value_name = "N")]
    executions: Option<u64>,
    #[command(flatten)]
    threads: Threads,
    /// The random seed; a campaign with --work or --executions can be repeated exactly, with any --jobs
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// A folder for cases that cover something new; the campaign also starts from its cases
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// The folder that findings are written to [default: findings/ in the checkout]
    #[arg(long, value_name = "DIR")]
    findings: Option<PathBuf>,
    /// Stop at the first finding
    #[arg(long)]
    until_finding: bool,
    /// Write findings as they were found, without minimising them
    #[arg(long)]
    as_found: bool,
    /// Make most cases avoid the known findings, in order to find others
    #[arg(long)]
    steer: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let pool = arguments.threads.start()?;
    let plan = plan(arguments, pool.current_num_threads(), interrupt()?)?;
    let guest = arguments.guest.boot()?;
    let progress = parallel::line();
    let told = pool.install(|| {
        campaign::run(&guest, &plan, |far| {
            if !progress.is_hidden() {
                progress.set_message(far.line());
            }
        })
    });
    progress.finish_and_clear();
    let summary = told.map_err(|broken| miette::miette!("{broken}"))?;
    match arguments.format {
        Format::Text => print!("{}", summary.words()),
        Format::Json => output::print_json(&summary)?,
    }
    Ok(if summary.findings.is_empty() {
        Conclusion::Clean
    } else {
        Conclusion::Findings
    })
}

fn plan(arguments: &Arguments, jobs: usize, stop: Arc<AtomicBool>) -> miette::Result<Plan> {
    let mut seeds = case_file::read_all(&arguments.folders)?;
    if let Some(folder) = &arguments.corpus {
        seeds.extend(folder::stored(folder)?);
    }
    Ok(Plan {
        targets: arguments.targets.clone(),
        budget: arguments.limits.budget(arguments.executions),
        jobs,
        seed: arguments.seed,
        seeds,
        corpus: arguments.corpus.clone(),
        findings: arguments
            .findings
            .clone()
            .unwrap_or_else(finding_file::folder),
        until_finding: arguments.until_finding,
        minimising: if arguments.as_found {
            Minimising::Never
        } else {
            Minimising::AtOnce
        },
        steer: arguments.steer,
        stop,
    })
}

/// The names of the fuzz targets, each with what it looks for.
fn targets() -> impl TypedValueParser<Value = Profile> {
    let names = Profile::ALL.map(|target| PossibleValue::new(target.name()).help(target.about()));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Profile>())
}
