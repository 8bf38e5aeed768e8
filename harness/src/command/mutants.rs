//! `faultline mutants`: measures how many small changes to a kernel the oracle notices.

use super::parallel::{self, Threads};
use super::{Conclusion, Format, GuestArguments, output};
use faultline::case_file;
use faultline::guest::location::GuestFiles;
use faultline::mutants::{
    Asked, Mutant, ProgramBaseline, Said, Score, Tried, baseline, detects, draw, sites, try_all,
};
use faultline::test_programs::{Bench, LINES};
use oracle::generation::generate;
use oracle::{Case, Profile};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "\
A mutant is the kernel with one instruction changed. The mutants that no case detects are listed with
function and line. Each of them is a gap in the oracle, a gap in the cases, or a change without effect.

With --programs the same mutants also run under the kernel's own test programs, at its shell. Each
program may take three times the instructions that it takes on the sound kernel. Programs take far
longer than cases. With --until-detected, usertests runs only on mutants that the shorter programs pass.

Examples:
  faultline mutants corpus/seeds --generate 200 --count 1000
  faultline mutants corpus/seeds --generate 200 --count 100 --until-detected --programs")]
pub(crate) struct Arguments {
    /// Folders of text cases, or single case files, to run on each mutant
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// How many generated cases to run on each mutant as well; the fuzz targets take turns
    #[arg(long, value_name = "N", default_value_t = 100)]
    generate: u64,
    /// The number of operations in a generated case
    #[arg(long, value_name = "N", default_value_t = 64)]
    length: u32,
    /// How many mutants to try, chosen at random; 0 tries all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    count: usize,
    /// The random seed of this choice
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Change only code from source files whose path contains this [default: those that manage
    /// memory, traps and processes, in our kernel and in C ones]
    #[arg(long, value_name = "PART")]
    files: Vec<String>,
    /// Run the kernel's own test programs on each mutant as well [default: all four]
    #[arg(long, value_name = "LINE", num_args = 0..)]
    programs: Option<Vec<String>>,
    /// Stop at the first test program that detects the mutant; then only the score of all programs
    /// together is known
    #[arg(long, requires = "programs")]
    until_detected: bool,
    #[command(flatten)]
    threads: Threads,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

/// The source files that manage memory, traps and processes: of our kernel, then of the C kernels.
const FILES: [&str; 8] = [
    "memory/",
    "process/",
    "trap/",
    "system_call/process",
    "vm.c",
    "kalloc.c",
    "trap.c",
    "proc.c",
];

/// A test program may take this many times the instructions that it takes on the sound kernel.
const FACTOR: u64 = 3;

#[derive(Serialize)]
struct Report<'a> {
    mutants: Vec<Row<'a>>,
    files: BTreeMap<&'a str, Score>,
    total: Score,
    cases: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    programs: Option<Programs>,
}

/// What the test programs detect of the same mutants.
#[derive(Serialize)]
struct Programs {
    /// The score of each program, if each ran on each mutant, and of all of them together.
    scores: BTreeMap<String, Score>,
    /// Mutants, by what detects them.
    both: usize,
    only_cases: usize,
    only_programs: usize,
    neither: usize,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    mutant: &'a Mutant,
    #[serde(flatten)]
    tried: &'a Tried,
    #[serde(skip_serializing_if = "Option::is_none")]
    programs: Option<&'a Said>,
}

impl Row<'_> {
    fn by_cases(&self) -> bool {
        matches!(self.tried, Tried::Detected { .. })
    }

    fn by_programs(&self) -> bool {
        self.programs
            .is_some_and(|said| said.values().any(|said| detects(*said)))
    }
}

/// The mutants of `kernel` in the chosen source files, or in [`FILES`] if none is chosen.
pub(super) fn all(kernel: &[u8], chosen: &[String]) -> miette::Result<Vec<Mutant>> {
    let chosen = match chosen {
        [] => FILES.map(str::to_owned).to_vec(),
        files => files.to_vec(),
    };
    sites(kernel, &chosen).map_err(|error| miette::miette!("{error}"))
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let cases = cases(arguments)?;
    let files = arguments.guest.files()?;
    let mut mutants = all(&files.kernel, &arguments.files)?;
    draw(&mut mutants, arguments.count, arguments.seed);
    let guest = arguments.guest.boot_files(&files)?;
    let reached =
        baseline(&guest, &files.kernel, &cases).map_err(|error| miette::miette!("{error}"))?;
    let progress = parallel::bar(mutants.len(), "mutants");
    let pool = arguments.threads.start()?;
    let tried =
        pool.install(|| try_all(&guest, &mutants, &reached, &cases, |_| progress.inc(1)))?;
    progress.finish_and_clear();
    let asked = if arguments.until_detected {
        Asked::UntilDetected
    } else {
        Asked::All
    };
    let said = match &arguments.programs {
        Some(lines) => Some(pool.install(|| try_programs(&files, lines, asked, &mutants))?),
        None => None,
    };
    let report = report(&mutants, &tried, said.as_deref(), asked, cases.len());
    match arguments.format {
        Format::Text => print(&report),
        Format::Json => output::print_json(&report)?,
    }
    Ok(Conclusion::Clean)
}

/// Runs the test programs that `lines` start, or all of them if it is empty.
fn try_programs(
    files: &GuestFiles,
    lines: &[String],
    asked: Asked,
    mutants: &[Mutant],
) -> miette::Result<Vec<Said>> {
    let lines = match lines {
        [] => LINES.to_vec(),
        lines => lines.iter().map(String::as_str).collect(),
    };
    let mut bench = Bench::boot(files.clone()).map_err(|error| miette::miette!("{error}"))?;
    let baseline = ProgramBaseline::measure(&mut bench, &files.kernel, &lines)
        .map_err(|error| miette::miette!("{error}"))?;
    let progress = parallel::bar(mutants.len(), "mutants under test programs");
    let said = baseline.try_all(&bench, mutants, FACTOR, asked, || progress.inc(1));
    progress.finish_and_clear();
    Ok(said)
}

fn cases(arguments: &Arguments) -> miette::Result<Vec<Case>> {
    let mut cases = case_file::read_all(&arguments.folders)?;
    let targets = Profile::ALL.into_iter().cycle();
    let generated = (0..arguments.generate)
        .zip(targets)
        .map(|(seed, target)| generate(seed, arguments.length, target));
    cases.extend(generated);
    if cases.is_empty() {
        miette::bail!(
            "there is no case to run on the mutants: name a folder, or give --generate N"
        );
    }
    Ok(cases)
}

fn report<'a>(
    mutants: &'a [Mutant],
    tried: &'a [Tried],
    said: Option<&'a [Said]>,
    asked: Asked,
    cases: usize,
) -> Report<'a> {
    let rows: Vec<Row<'a>> = mutants
        .iter()
        .zip(tried)
        .enumerate()
        .map(|(number, (mutant, tried))| Row {
            mutant,
            tried,
            programs: said.map(|said| &said[number]),
        })
        .collect();
    let mut files: BTreeMap<&str, Score> = BTreeMap::new();
    let mut total = Score::default();
    for row in &rows {
        let reached = *row.tried != Tried::NotReached;
        for score in [files.entry(&row.mutant.file).or_default(), &mut total] {
            score.add(reached, row.by_cases());
        }
    }
    Report {
        files,
        total,
        cases,
        programs: said.map(|_| programs(&rows, asked)),
        mutants: rows,
    }
}

fn programs(rows: &[Row<'_>], asked: Asked) -> Programs {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for row in rows {
        let said = row.programs.into_iter().flatten();
        let mut reached = false;
        for (line, said) in said {
            reached |= said.is_some();
            if asked == Asked::All {
                let score = scores.entry(line.clone()).or_default();
                score.add(said.is_some(), detects(*said));
            }
        }
        let all = scores.entry("all programs".to_owned()).or_default();
        all.add(reached, row.by_programs());
    }
    let count = |cases, programs| {
        let is_so = |row: &&Row<'_>| row.by_cases() == cases && row.by_programs() == programs;
        rows.iter().filter(is_so).count()
    };
    Programs {
        scores,
        both: count(true, true),
        only_cases: count(true, false),
        only_programs: count(false, true),
        neither: count(false, false),
    }
}

fn print(report: &Report<'_>) {
    print_list("survivors", report, |row| *row.tried == Tried::Survived);
    println!(
        "{:<32} {:>8} {:>8} {:>9} {:>6}",
        "source file", "mutants", "reached", "detected", "score"
    );
    for (file, score) in &report.files {
        print_score(file, *score);
    }
    print_score("all", report.total);
    println!(
        "({} cases on each mutant; the score is detected / reached)",
        report.cases
    );
    if let Some(programs) = &report.programs {
        print_programs(report, programs);
    }
}

fn print_programs(report: &Report<'_>, programs: &Programs) {
    println!();
    print_list("only test programs detect", report, |row| {
        row.by_programs() && !row.by_cases()
    });
    print_list("only cases detect", report, |row| {
        row.by_cases() && !row.by_programs()
    });
    println!(
        "{:<32} {:>8} {:>8} {:>9} {:>6}",
        "by", "mutants", "reached", "detected", "score"
    );
    for (line, score) in &programs.scores {
        print_score(line, *score);
    }
    print_score("cases", report.total);
    println!(
        "(detected by both {}, by cases only {}, by programs only {}, by neither {})",
        programs.both, programs.only_cases, programs.only_programs, programs.neither
    );
}

/// Lists mutants by the source line that they come from, with the text of that line.
fn print_list(title: &str, report: &Report<'_>, wanted: impl Fn(&Row<'_>) -> bool) {
    let mut lines: BTreeMap<(&str, u32, &str), Vec<&Mutant>> = BTreeMap::new();
    for row in report.mutants.iter().filter(|row| wanted(row)) {
        let mutant = row.mutant;
        let place = (mutant.file.as_str(), mutant.line, mutant.function.as_str());
        lines.entry(place).or_default().push(mutant);
    }
    if lines.is_empty() {
        return;
    }
    println!("{title}:");
    let mut sources = Sources::default();
    for ((file, line, function), mutants) in lines {
        println!("  {file}:{line}  in {function}");
        if let Some(text) = sources.line(&mutants[0].path, line) {
            println!("      {text}");
        }
        for mutant in mutants {
            let operator = mutant.operator.describe();
            println!("    - {operator} at {:#x}", mutant.address);
        }
    }
    println!();
}

/// The source files that can be read, each read once.
#[derive(Default)]
struct Sources(BTreeMap<String, Vec<String>>);

impl Sources {
    /// The text of a line, from 1, of a file.
    fn line(&mut self, path: &str, line: u32) -> Option<&str> {
        let lines = self.0.entry(path.to_owned()).or_insert_with(|| {
            let text = fs::read_to_string(path).unwrap_or_default();
            text.lines().map(|line| line.trim().to_owned()).collect()
        });
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        lines.get(index).map(String::as_str)
    }
}

fn print_score(name: &str, score: Score) {
    println!(
        "{name:<32} {:>8} {:>8} {:>9} {:>5.1}%",
        score.tried,
        score.reached,
        score.detected,
        score.percent()
    );
}
