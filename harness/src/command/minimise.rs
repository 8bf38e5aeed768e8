//! `faultline minimise`: the smallest case that shows the same finding.

use super::output::print_json;
use super::{Conclusion, Format, GuestArguments};
use faultline::case_file;
use faultline::minimise::minimise;
use faultline::runner::Runner;
use indicatif::{ProgressBar, ProgressStyle};
use oracle::bucket;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  faultline minimise findings/crash.case --output corpus/regressions/short.case"
)]
pub(crate) struct Arguments {
    /// A case that shows a finding, text or binary
    case: PathBuf,
    /// Where to write the result [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Executions to spend at most
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    executions: u64,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let case = case_file::read(&arguments.case)?;
    let mut runner = Runner::new(&arguments.guest.boot()?);
    let Some(finding) = runner.run(&case).finding else {
        eprintln!(
            "{} shows no finding: there is nothing to minimise",
            arguments.case.display()
        );
        return Ok(Conclusion::Clean);
    };
    let wanted = bucket(&finding);
    let progress = ProgressBar::new_spinner();
    progress.set_style(
        ProgressStyle::with_template("{spinner} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    let minimised = minimise(
        &case,
        finding.step,
        arguments.executions,
        |candidate| {
            let outcome = runner.run(candidate);
            outcome
                .finding
                .is_some_and(|finding| bucket(&finding) == wanted)
        },
        |operations, executions| {
            progress.set_message(format!(
                "{operations} operations left, {executions} executions"
            ));
            progress.tick();
        },
    );
    progress.finish_and_clear();

    let outcome = runner.run(&minimised.case);
    let explained = outcome.finding.map_or_else(String::new, |finding| {
        let words = finding.to_string();
        words.lines().map(|line| format!("# {line}\n")).collect()
    });
    let text = format!("{}{explained}", minimised.case);
    if let Some(path) = &arguments.output {
        std::fs::write(path, &text)
            .map_err(|error| miette::miette!("cannot write {}: {error}", path.display()))?;
    }
    match arguments.format {
        Format::Json => print_json(&minimised)?,
        Format::Text => {
            if arguments.output.is_none() {
                print!("{text}");
            }
            eprintln!(
                "{} operations, from {}, in {} executions; {}",
                minimised.case.operations.len(),
                minimised.operations_before,
                minimised.executions,
                if minimised.complete {
                    "no operation can be dropped or simplified further"
                } else {
                    "stopped for want of executions: try --executions with more"
                }
            );
            eprintln!("bucket: {wanted}");
        }
    }
    Ok(Conclusion::Findings)
}
