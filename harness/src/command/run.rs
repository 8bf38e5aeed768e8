//! `faultline run`: prints the verdict of each case.

use super::output::{self, CaseReport};
use super::{Conclusion, Format, GuestArguments};
use faultline::case_file;
use faultline::guest::origin::Origin;
use faultline::runner::Runner;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline run corpus/seeds/sbrk_faults/*.case")]
pub(crate) struct Arguments {
    /// Case files, text or binary
    #[arg(required = true, value_name = "CASE")]
    cases: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let mut kernels = Kernels::default();
    let mut conclusion = Conclusion::Clean;
    let mut outcomes = Vec::new();
    for path in &arguments.cases {
        let runner = kernels.of(path, &arguments.guest)?;
        let outcome = runner.run(&case_file::read(path)?);
        runner.check_machine()?;
        if !outcome.findings.is_empty() {
            conclusion = Conclusion::Findings;
        }
        match arguments.format {
            Format::Text => output::print_text(path, &outcome),
            Format::Json => outcomes.push((path, outcome)),
        }
    }
    if arguments.format == Format::Json {
        let reports = outcomes
            .iter()
            .map(|(path, outcome)| CaseReport::new(path, outcome));
        output::print_json(&reports.collect::<Vec<_>>())?;
    }
    Ok(conclusion)
}

/// The kernel of the last case: cases that were found on one kernel usually come one after another.
#[derive(Default)]
struct Kernels {
    last: Option<(Option<Origin>, Runner)>,
}

impl Kernels {
    /// A runner on the kernel that the case in `path` belongs to.
    fn of(&mut self, path: &Path, guest: &GuestArguments) -> miette::Result<&mut Runner> {
        let origin = case_file::origin(path)?;
        let last = match self.last.take() {
            Some(last) if last.0 == origin => last,
            _ => (origin, guest.runner_for(path)?),
        };
        Ok(&mut self.last.insert(last).1)
    }
}
