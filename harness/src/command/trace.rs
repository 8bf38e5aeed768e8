//! `faultline trace`: a case, operation by operation.

use super::output::print_json;
use super::{Conclusion, Format, GuestArguments};
use faultline::case_file;
use faultline::explain::{Explanation, explain};
use faultline::runner::{Runner, Watch};
use oracle::{
    Bucket, Finding, Judge, Observation, Operation, Race, Step, bucket, describe, describe_race,
    describe_racer,
};
use serde::Serialize;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline trace corpus/seeds/sbrk_faults/shrink.case")]
pub(crate) struct Arguments {
    /// A case, text or binary
    case: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

/// One operation, as the trace shows it.
#[derive(Serialize)]
struct Line {
    index: usize,
    operation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    seen: String,
    instructions: u64,
    /// Frames taken (positive) or given back (negative).
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<i64>,
}

/// The whole trace, as JSON shows it.
#[derive(Serialize)]
struct Report<'a> {
    operations: &'a [Line],
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<&'a Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<Bucket>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a Explanation>,
}

#[derive(Default)]
struct Recorder {
    lines: Vec<Line>,
}

impl Watch for Recorder {
    fn step(
        &mut self,
        index: usize,
        operation: &Operation,
        step: &Step,
        judge: &Judge,
        observation: &Observation,
    ) {
        self.lines.push(Line {
            index,
            operation: operation.to_string(),
            expected: Some(judge.expectation()),
            seen: describe(step, observation),
            instructions: observation.instructions,
            frames: observation
                .frames
                .map(|(before, after)| before.wrapping_sub(after) as i64),
        });
    }

    fn race(
        &mut self,
        index: usize,
        operations: &[Operation],
        race: &Race,
        judge: &Judge,
        observation: &Observation,
    ) {
        self.lines.push(Line {
            index: index - 1,
            operation: format!("together {}", race.schedule),
            expected: Some("some order of what follows".to_owned()),
            seen: describe_race(race, observation),
            instructions: observation.instructions,
            frames: observation
                .frames
                .map(|(before, after)| before.wrapping_sub(after) as i64),
        });
        let expectations = judge.race_expectations(race);
        for (at, (operation, expected)) in operations.iter().zip(expectations).enumerate() {
            self.lines.push(Line {
                index: index + at,
                operation: format!("  {operation}"),
                expected: Some(expected),
                seen: describe_racer(&race.steps[at], observation),
                instructions: 0,
                frames: None,
            });
        }
    }

    fn skipped(&mut self, index: usize, operation: &Operation) {
        self.lines.push(Line {
            index,
            operation: operation.to_string(),
            expected: None,
            seen: "skipped: the process cannot act now".to_owned(),
            instructions: 0,
            frames: None,
        });
    }
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let case = case_file::read(&arguments.case)?;
    let mut runner = Runner::new(&arguments.guest.boot()?);
    let mut recorder = Recorder::default();
    let outcome = runner.run_watched(&case, &mut recorder);
    let explanation = match &outcome.finding {
        Some(finding) => explain(&mut runner, &case, finding),
        None => Explanation::default(),
    };
    match arguments.format {
        Format::Json => print_json(&Report {
            operations: &recorder.lines,
            finding: outcome.finding.as_ref(),
            bucket: outcome.finding.as_ref().map(bucket),
            explanation: outcome.finding.as_ref().map(|_| &explanation),
        })?,
        Format::Text => print(&recorder.lines),
    }
    let Some(finding) = outcome.finding else {
        return Ok(Conclusion::Clean);
    };
    if arguments.format == Format::Text {
        println!("\n{finding}\nbucket: {}\n\n{explanation}", bucket(&finding));
        let console = runner.engine().console();
        if !console.trim().is_empty() {
            println!("the kernel's console:\n{}", console.trim_end());
        }
    }
    Ok(Conclusion::Findings)
}

fn print(lines: &[Line]) {
    let width = |text: fn(&Line) -> usize| lines.iter().map(text).max().unwrap_or(0);
    let operation = width(|line| line.operation.chars().count());
    let expected = width(|line| {
        line.expected
            .as_ref()
            .map_or(0, |text| text.chars().count())
    });
    println!(
        "  #  {:operation$}  {:expected$}  instructions  frames  seen",
        "operation", "expected"
    );
    for line in lines {
        let frames = line
            .frames
            .map_or("?".to_owned(), |frames| format!("{frames:+}"));
        println!(
            "{:>3}  {:operation$}  {:expected$}  {:>12}  {frames:>6}  {}",
            line.index,
            line.operation,
            line.expected.as_deref().unwrap_or(""),
            line.instructions,
            line.seen
        );
    }
}
