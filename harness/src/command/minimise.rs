//! `faultline minimise`: finds the smallest case that shows the same finding.

use super::output::print_json;
use super::{Conclusion, Format, GuestArguments, parallel};
use faultline::case_file;
use faultline::guest::origin::Origin;
use faultline::runner::Outcome;
use faultline::triage::explain::{Explanation, explain};
use faultline::triage::finding_file;
use faultline::triage::minimise::{Budget, Minimality, Minimised, add_reasons, minimise_on};
use oracle::{Bucket, Finding, bucket};
use serde::Serialize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const EXAMPLE: &str = "\
The result is a finding of the same bucket: the same rule, kind of operation and state of its page. For
a panic or a hang, the functions of the kernel are the same. Each line says why it is needed.

Examples:
  faultline minimise findings/crash.case --output corpus/regressions/short.case
  faultline minimise findings/crash.case --seconds 30 \\
      --kernel ../xv6-riscv/kernel/kernel --fs ../xv6-riscv/fs.img --dialect xv6-2025";

#[derive(clap::Args)]
#[command(
    after_help = EXAMPLE
)]
pub(crate) struct Arguments {
    /// A case that shows a finding, text or binary
    case: PathBuf,
    /// Where to write the result [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Of several findings, the one of this bucket [default: the first one]
    #[arg(long, value_name = "BUCKET")]
    bucket: Option<String>,
    /// The most executions
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    executions: u64,
    /// The most seconds; the result then depends on the speed of this machine [default: no limit]
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
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
    let mut runner = arguments.guest.runner_for(&arguments.case)?;
    let outcome = runner.run(&case);
    runner.check_machine()?;
    let Some(finding) = chosen(arguments, &outcome)? else {
        eprintln!(
            "{} shows no finding: there is nothing to minimise",
            arguments.case.display()
        );
        return Ok(Conclusion::Clean);
    };
    let wanted = bucket(&finding);
    let progress = parallel::line();
    let seconds = arguments.seconds.map(Duration::from_secs);
    let budget = Budget {
        executions: arguments.executions,
        until: seconds.and_then(|seconds| Instant::now().checked_add(seconds)),
    };
    let mut minimised = minimise_on(
        &mut runner,
        &case,
        &wanted,
        finding.step,
        budget,
        |operations, executions| {
            progress.set_message(format!(
                "{operations} operations left, {executions} executions"
            ));
        },
    );
    progress.finish_and_clear();

    let outcome = runner.run(&minimised.case);
    let finding = outcome.shown(&wanted).cloned().unwrap_or(finding);
    add_reasons(&mut runner, &mut minimised, finding.step);
    let explanation = explain(&mut runner, &minimised.case, &finding);
    runner.check_machine()?;
    let head = finding_file::head(&finding, &explanation);
    let head: String = head.lines().map(|line| format!("# {line}\n")).collect();
    let avoided = case_file::origin(&arguments.case)?.map(|origin| origin.avoided);
    let origin = Origin {
        avoided: avoided.unwrap_or_default(),
        ..Origin::of(runner.driver().guest())
    };
    let origin = origin.to_comments();
    let text = format!("{head}{}{origin}", minimised.annotated());
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
            let left = minimised.case.operations.len();
            eprintln!(
                "{left} operation{}, from {}, in {} executions; {}",
                if left == 1 { "" } else { "s" },
                minimised.operations_before,
                minimised.executions,
                match minimised.minimality {
                    Minimality::Proved =>
                        "proved minimal: without any one of them the finding is lost",
                    Minimality::BudgetSpent =>
                        "not proved minimal: the limit of --executions or --seconds was reached",
                }
            );
        }
    }
    Ok(Conclusion::Findings)
}

/// The finding that the smallest case has to show.
fn chosen(arguments: &Arguments, outcome: &Outcome) -> miette::Result<Option<Finding>> {
    let Some(name) = &arguments.bucket else {
        for other in outcome.findings.iter().skip(1) {
            eprintln!("also found, choose it with --bucket {}", bucket(other));
        }
        return Ok(outcome.first().cloned());
    };
    match outcome.shown(&Bucket::from(name.as_str())) {
        Some(finding) => Ok(Some(finding.clone())),
        None => {
            let path = arguments.case.display();
            let shown: Vec<String> = outcome
                .findings
                .iter()
                .map(|finding| bucket(finding).to_string())
                .collect();
            let shown = match shown.as_slice() {
                [] => "no finding".to_owned(),
                some => some.join(", "),
            };
            Err(miette::miette!(
                "{path} shows no finding of bucket {name}: it shows {shown}"
            ))
        }
    }
}
