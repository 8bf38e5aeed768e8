//! `faultline campaign`: fuzzing with our own engine.

use super::parallel::Threads;
use super::{Conclusion, Format, GuestArguments, output};
use faultline::campaign::{self, Plan};
use faultline::{case_file, finding_file};
use indicatif::{ProgressBar, ProgressStyle};
use oracle::Profile;
use std::path::PathBuf;
use std::time::Duration;

#[derive(clap::Args)]
#[command(after_help = "\
Findings are minimised and written as case files; the campaign goes on and keeps silent about what
it knows. With --corpus it takes up where the last campaign with that folder left off.

Example:
  faultline campaign corpus/seeds corpus/regressions --seconds 600 --corpus target/campaign")]
pub(crate) struct Arguments {
    /// Folders of text cases, or single case files, to begin with
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// What to fuzz; see --help for the nine targets
    #[arg(long, value_name = "NAME", default_value_t)]
    target: Profile,
    /// How long to fuzz [default: 60, or no limit if --executions is given]
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// How many cases to run
    #[arg(long, value_name = "N")]
    executions: Option<u64>,
    #[command(flatten)]
    threads: Threads,
    /// What random choices depend on: one job, one seed and a number of executions repeat exactly
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// A folder to keep cases that cover something new, read at the start
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Where findings go [default: findings/ in the checkout]
    #[arg(long, value_name = "DIR")]
    findings: Option<PathBuf>,
    /// Stop at the first finding
    #[arg(long)]
    until_finding: bool,
    /// Write findings as they were found, without a search for smaller cases
    #[arg(long)]
    as_found: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

/// How long a campaign is if nobody says.
const SECONDS: u64 = 60;

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let pool = arguments.threads.start()?;
    let plan = plan(arguments, pool.current_num_threads())?;
    let guest = arguments.guest.boot()?;
    let progress = ProgressBar::new_spinner();
    progress.set_style(
        ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
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

fn plan(arguments: &Arguments, jobs: usize) -> miette::Result<Plan> {
    let mut seeds = case_file::read_all(&arguments.folders)?;
    if let Some(folder) = &arguments.corpus {
        seeds.extend(campaign::stored(folder)?);
    }
    let seconds = match (arguments.seconds, arguments.executions) {
        (None, None) => Some(SECONDS),
        (seconds, _) => seconds,
    };
    Ok(Plan {
        target: arguments.target,
        duration: seconds.map(Duration::from_secs),
        executions: arguments.executions,
        jobs,
        seed: arguments.seed,
        seeds,
        corpus: arguments.corpus.clone(),
        findings: arguments
            .findings
            .clone()
            .unwrap_or_else(finding_file::folder),
        until_finding: arguments.until_finding,
        as_found: arguments.as_found,
    })
}
