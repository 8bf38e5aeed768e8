//! `faultline nightly`: fuzzes for a night and writes a summary of one page.

use super::limits;
use super::parallel::{self, Threads, interrupt};
use super::{Conclusion, Format, GuestArguments, mutants, output};
use faultline::campaign::Budget;
use faultline::nightly::{self, Plan};
use oracle::Profile;
use std::path::PathBuf;
use std::time::Duration;

#[derive(clap::Args)]
#[command(after_help = "\
The state folder holds the cases that each target has collected, every finding, and the buckets that
were already reported. The next night continues from there. The summary is summary.md in this folder.

Exit code 1: there is a bucket that no earlier night reported, or a case of DIR has a finding.

Example:
  faultline nightly --state target/nightly --minutes 60")]
pub(crate) struct Arguments {
    /// Folders of cases that must not show a finding, and from which every target starts
    #[arg(value_name = "DIR", default_values = ["corpus/seeds", "corpus/regressions"])]
    folders: Vec<PathBuf>,
    /// The state folder, which each night leaves to the next
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// How much to do for all targets together, in millions of guest instructions; the same work finds the
    /// same on every machine
    #[arg(long, value_name = "N")]
    work: Option<u64>,
    /// Stop after so long, even if there is work left [default: 180, or no limit if --work is given]
    #[arg(long, value_name = "N")]
    minutes: Option<f64>,
    /// The fuzz targets [default: all]
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<Profile>,
    /// How many mutants of the kernel to try, a new choice each night; 0 tries none
    #[arg(long, value_name = "N", default_value_t = 500)]
    mutants: usize,
    #[command(flatten)]
    threads: Threads,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let files = arguments.guest.files()?;
    let guest = arguments.guest.boot_files(&files)?;
    let pool = arguments.threads.start()?;
    let targets = match arguments.targets.as_slice() {
        [] => Profile::ALL.to_vec(),
        targets => targets.to_vec(),
    };
    let plan = Plan {
        state: arguments.state.clone(),
        cases: arguments.folders.clone(),
        targets,
        fuzzing: budget(arguments)?,
        jobs: pool.current_num_threads(),
        mutants: mutants::all(&files.kernel, &[])?,
        sample: arguments.mutants,
        stop: interrupt()?,
        kernel: files.kernel,
    };
    let progress = parallel::line();
    let told = pool.install(|| {
        nightly::run(&guest, &plan, |line| {
            if !progress.is_hidden() {
                progress.set_message(line.to_owned());
            }
        })
    });
    progress.finish_and_clear();
    let night = told.map_err(|error| miette::miette!("{error}"))?;
    match arguments.format {
        Format::Text => print!("{}", night.page()),
        Format::Json => output::print_json(&night)?,
    }
    Ok(if night.is_red() {
        Conclusion::Findings
    } else {
        Conclusion::Clean
    })
}

/// How long a night takes by default, in minutes.
const MINUTES: f64 = 180.0;

fn budget(arguments: &Arguments) -> miette::Result<Budget> {
    let minutes = match (arguments.minutes, arguments.work) {
        (None, None) => Some(MINUTES),
        (minutes, _) => minutes,
    };
    let duration = minutes.map(|minutes| {
        Duration::try_from_secs_f64(minutes * 60.0)
            .map_err(|error| miette::miette!("--minutes {minutes}: {error}"))
    });
    Ok(Budget {
        work: arguments.work.map(limits::instructions),
        executions: None,
        duration: duration.transpose()?,
    })
}
