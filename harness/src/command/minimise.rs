//! `faultline minimise`: the smallest case that shows the same finding.

use super::output::print_json;
use super::{Conclusion, Format, GuestArguments};
use faultline::explain::{Explanation, explain};
use faultline::minimise::{Minimality, Minimised, minimise};
use faultline::runner::Runner;
use faultline::{case_file, finding_file};
use indicatif::{ProgressBar, ProgressStyle};
use oracle::{Bucket, Finding, bucket};
use serde::Serialize;
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

/// The result, as JSON shows it.
#[derive(Serialize)]
struct Report<'a> {
    bucket: &'a Bucket,
    #[serde(flatten)]
    minimised: &'a Minimised,
    finding: &'a Finding,
    explanation: &'a Explanation,
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
        &wanted,
        finding.step,
        arguments.executions,
        |candidate| Some(bucket(runner.run(candidate).finding.as_ref()?)),
        |operations, executions| {
            progress.set_message(format!(
                "{operations} operations left, {executions} executions"
            ));
            progress.tick();
        },
    );
    progress.finish_and_clear();

    let finding = runner.run(&minimised.case).finding.unwrap_or(finding);
    let explanation = explain(&mut runner, &minimised.case, &finding);
    let head = finding_file::head(&finding, &explanation);
    let head: String = head.lines().map(|line| format!("# {line}\n")).collect();
    let text = format!("{head}{}", minimised.annotated());
    if let Some(path) = &arguments.output {
        std::fs::write(path, &text)
            .map_err(|error| miette::miette!("cannot write {}: {error}", path.display()))?;
    }
    match arguments.format {
        Format::Json => print_json(&Report {
            bucket: &wanted,
            minimised: &minimised,
            finding: &finding,
            explanation: &explanation,
        })?,
        Format::Text => {
            if arguments.output.is_none() {
                print!("{text}");
            }
            eprintln!(
                "{} operations, from {}, in {} executions; {}",
                minimised.case.operations.len(),
                minimised.operations_before,
                minimised.executions,
                match minimised.minimality {
                    Minimality::Proved => "proved minimal: without any one the finding is lost",
                    Minimality::BudgetSpent =>
                        "not proved minimal for want of executions: try --executions with more",
                }
            );
        }
    }
    Ok(Conclusion::Findings)
}
