//! `faultline trace`: shows a case operation by operation.

use super::output::{FurtherFinding, further, left_out, print_json};
use super::{Conclusion, Format, GuestArguments};
use faultline::case_file;
use faultline::driver::Driver;
use faultline::runner::Watch;
use faultline::triage::explain::{Controls, Explanation, explain, innermost};
use oracle::layout::page_floor;
use oracle::{
    Bucket, CutMoment, Finding, Judge, Observation, Operation, Race, Reboot, Step, Turn, bucket,
    describe, describe_race, describe_racer, describe_reboot, describe_turn,
};
use serde::Serialize;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  faultline trace corpus/seeds/sbrk_faults/growth_returns_the_old_break.case"
)]
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
#[derive(Default, Serialize)]
struct Line {
    index: usize,
    operation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    seen: String,
    /// `None` for an operation of a race. The line of `together` has the sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<u64>,
    /// Frames taken (positive) or freed (negative).
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<i64>,
    /// In a race, which hart ran when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    turns: Vec<TurnLine>,
    /// The same, before the kernel's functions are looked up.
    #[serde(skip)]
    harts: Vec<Turn>,
}

/// A stretch of a race in which one hart ran.
#[derive(Serialize)]
struct TurnLine {
    hart: usize,
    process: String,
    /// Instructions since the race began.
    from: u64,
    to: u64,
    end: String,
    /// Where in the kernel the hart was at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

/// The whole trace, as JSON shows it.
#[derive(Serialize)]
struct Report<'a> {
    operations: &'a [Line],
    /// How many of them did not apply.
    skipped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<&'a Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<Bucket>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a Explanation>,
    /// What else is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    further: Vec<FurtherFinding<'a>>,
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
            instructions: Some(observation.instructions),
            frames: frames(observation),
            ..Line::default()
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
            expected: Some("these operations in some order".to_owned()),
            seen: describe_race(race, observation),
            instructions: Some(observation.instructions),
            frames: frames(observation),
            ..Line::default()
        });
        let expectations = judge.race_expectations(race);
        for (at, (operation, expected)) in operations.iter().zip(expectations).enumerate() {
            self.lines.push(Line {
                index: index + at,
                operation: format!("  {operation}"),
                expected: Some(expected),
                seen: describe_racer(&race.steps[at], observation),
                ..Line::default()
            });
        }
        if let Some(last) = self.lines.last_mut() {
            last.harts.clone_from(&observation.turns);
        }
    }

    fn rebooted(&mut self, reboot: &Reboot, _driver: &Driver) {
        let when = match reboot.moment {
            CutMoment::After => "after this",
            CutMoment::Within | CutMoment::WithinRace => "within this",
        };
        self.lines.push(Line {
            index: self.lines.last().map_or(0, |last| last.index),
            operation: format!("(the power is cut {when})"),
            seen: describe_reboot(reboot),
            ..Line::default()
        });
    }

    fn skipped(&mut self, index: usize, operation: &Operation) {
        self.lines.push(Line {
            index,
            operation: operation.to_string(),
            seen: "skipped: the process cannot act now".to_owned(),
            ..Line::default()
        });
    }
}

fn frames(observation: &Observation) -> Option<i64> {
    let (before, after) = observation.frames?;
    Some(before.wrapping_sub(after) as i64)
}

/// The turns of a race, each with the function in which it ended.
fn turn_lines(turns: &[Turn], driver: &mut Driver) -> Vec<TurnLine> {
    let mut begin = 0;
    let mut lines = Vec::new();
    for turn in turns {
        let (process, end) = describe_turn(turn);
        let place = turn.kernel_pc.map(|pc| place(pc, driver));
        let from = begin;
        begin += turn.instructions;
        lines.push(TurnLine {
            hart: turn.hart,
            process,
            from,
            to: begin,
            end,
            place,
        });
    }
    lines
}

/// The function of the kernel at `pc`, with file and line.
fn place(pc: u64, driver: &mut Driver) -> String {
    let trampoline = driver.guest().first_layout().trampoline;
    match innermost(&driver.frames(&[pc])) {
        _ if page_floor(pc) == trampoline => "the trampoline".to_owned(),
        Some(frame) => frame.to_string(),
        None => format!("{pc:#x}"),
    }
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let case = case_file::read(&arguments.case)?;
    let mut runner = arguments.guest.runner_for(&arguments.case)?;
    let mut recorder = Recorder::default();
    let outcome = runner.run_watched(&case, &mut recorder);
    let console = runner.driver().console().trim_end().to_owned();
    let findings = outcome.findings.iter();
    let mut explanations: Vec<Explanation> = findings
        .clone()
        .map(|finding| explain(&mut runner, &case, finding))
        .collect();
    if !explanations.is_empty() {
        let controls = Controls::measure(&mut runner);
        for (finding, explanation) in findings.clone().zip(&mut explanations) {
            explanation.look_for_repairs(&mut runner, &case, finding, &controls);
        }
    }
    runner.check_machine()?;
    for line in &mut recorder.lines {
        line.turns = turn_lines(&line.harts, runner.driver_mut());
    }
    match arguments.format {
        Format::Json => print_json(&Report {
            operations: &recorder.lines,
            skipped: outcome.meter.skipped,
            finding: outcome.first(),
            bucket: outcome.first().map(bucket),
            explanation: explanations.first(),
            further: further(&outcome),
        })?,
        Format::Text => {
            let steps: Vec<usize> = findings.filter_map(|finding| finding.step).collect();
            let origins = explanations.iter();
            let origins = origins.filter_map(|one| one.origin.as_ref()?.step);
            print(&recorder.lines, &steps, &origins.collect::<Vec<_>>());
            if let Some(words) = left_out(&outcome) {
                println!("of these operations {words}");
            }
            for (finding, explanation) in outcome.findings.iter().zip(&explanations) {
                println!("\n{finding}\nbucket: {}\n\n{explanation}", bucket(finding));
            }
            if !outcome.findings.is_empty() && !console.is_empty() {
                println!("the kernel's console:\n{console}");
            }
        }
    }
    Ok(if outcome.findings.is_empty() {
        Conclusion::Clean
    } else {
        Conclusion::Findings
    })
}

/// The width of the column of expectations. Few are longer.
const EXPECTED: usize = 40;

/// Prints the table. `>` marks the operations at which kernel and oracle differ. `*` marks those that did the
/// harm, if they are others.
fn print(lines: &[Line], steps: &[usize], origins: &[usize]) {
    let width = |text: fn(&Line) -> usize| lines.iter().map(text).max().unwrap_or(0);
    let operation = width(|line| line.operation.chars().count());
    let expected = width(|line| {
        line.expected
            .as_ref()
            .map_or(0, |text| text.chars().count())
    });
    let expected = expected.min(EXPECTED);
    println!(
        "    #  {:operation$}  instructions  frames  {:expected$}  seen",
        "operation", "expected"
    );
    for line in lines {
        let mark = match &line.index {
            index if steps.contains(index) => '>',
            index if origins.contains(index) => '*',
            _ => ' ',
        };
        let instructions = line
            .instructions
            .map_or(String::new(), |count| count.to_string());
        let frames = match (line.frames, line.instructions) {
            (Some(frames), _) => format!("{frames:+}"),
            (None, Some(_)) => "?".to_owned(),
            (None, None) => String::new(),
        };
        println!(
            "{mark} {:>3}  {:operation$}  {instructions:>12}  {frames:>6}  {:expected$}  {}",
            line.index,
            line.operation,
            line.expected.as_deref().unwrap_or(""),
            line.seen
        );
        print_turns(&line.turns);
    }
}

/// Prints which hart ran when in a race, and where in the kernel it was at the end.
fn print_turns(turns: &[TurnLine]) {
    if turns.is_empty() {
        return;
    }
    let process = turns.iter().map(|turn| turn.process.chars().count()).max();
    let process = process.unwrap_or(0).max("process".len());
    println!(
        "         hart  {:process$}  instructions      then",
        "process"
    );
    for turn in turns {
        let TurnLine {
            hart,
            from,
            to,
            end,
            ..
        } = turn;
        let place = turn.place.as_ref().filter(|_| !end.starts_with("the hart"));
        let place = place.map_or(String::new(), |place| format!(", in {place}"));
        println!(
            "         {hart:>4}  {:process$}  {from:>6} to {to:<6}  {end}{place}",
            turn.process
        );
    }
}
