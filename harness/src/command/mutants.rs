//! `faultline mutants`: how much of what could be wrong with a kernel the oracle would notice.

use super::parallel::{self, Threads};
use super::{Conclusion, Format, GuestArguments, output};
use faultline::case_file;
use faultline::mutants::{Mutant, Tried, baseline, sites, try_all};
use oracle::{Case, Profile};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "\
Each mutant is the kernel with one instruction changed. Those that no case detects are listed with
function and line: each is a gap in the oracle, a gap in the cases, or the same program in other words.

Example:
  faultline mutants corpus/seeds --generate 200 --count 1000")]
pub(crate) struct Arguments {
    /// Folders of text cases, or single case files, to run on each mutant
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Generated cases to run on each mutant besides
    #[arg(long, value_name = "N", default_value_t = 100)]
    generate: u64,
    /// Operations of a generated case
    #[arg(long, value_name = "N", default_value_t = 64)]
    length: u32,
    /// Mutants to try, drawn at random; 0 tries all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    count: usize,
    /// What the draw depends on
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Change only code from source files whose path contains this [default: those that manage
    /// memory, traps and processes, in our kernel and in C ones]
    #[arg(long, value_name = "PART")]
    files: Vec<String>,
    #[command(flatten)]
    threads: Threads,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

/// Where a kernel manages memory, traps and processes: ours, then the C kernel's.
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

#[derive(Serialize)]
struct Report<'a> {
    mutants: Vec<Row<'a>>,
    files: BTreeMap<&'a str, Score>,
    total: Score,
    cases: usize,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    mutant: &'a Mutant,
    #[serde(flatten)]
    tried: &'a Tried,
}

#[derive(Clone, Copy, Default, Serialize)]
struct Score {
    tried: usize,
    reached: usize,
    detected: usize,
}

impl Score {
    fn add(&mut self, tried: &Tried) {
        self.tried += 1;
        self.reached += usize::from(*tried != Tried::NotReached);
        self.detected += usize::from(matches!(tried, Tried::Detected { .. }));
    }

    /// Of the mutants reached, how many in a hundred were detected.
    fn percent(self) -> f64 {
        100.0 * self.detected as f64 / self.reached.max(1) as f64
    }
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let cases = cases(arguments)?;
    let files = arguments.guest.files()?;
    let chosen = match arguments.files.as_slice() {
        [] => FILES.map(str::to_owned).to_vec(),
        files => files.to_vec(),
    };
    let mut mutants = sites(&files.kernel, &chosen).map_err(|error| miette::miette!("{error}"))?;
    draw(&mut mutants, arguments.count, arguments.seed);
    let guest = arguments.guest.boot_files(&files)?;
    let reached =
        baseline(&guest, &files.kernel, &cases).map_err(|error| miette::miette!("{error}"))?;
    let progress = parallel::bar(mutants.len(), "mutants");
    let pool = arguments.threads.start()?;
    let tried = pool.install(|| try_all(&guest, &mutants, &reached, &cases, |_| progress.inc(1)));
    progress.finish_and_clear();
    let report = report(&mutants, &tried, cases.len());
    match arguments.format {
        Format::Text => print(&report),
        Format::Json => output::print_json(&report)?,
    }
    Ok(Conclusion::Clean)
}

fn cases(arguments: &Arguments) -> miette::Result<Vec<Case>> {
    let mut cases = case_file::read_all(&arguments.folders)?;
    let generated = (0..arguments.generate)
        .map(|seed| Case::generate(seed, arguments.length, Profile::default()));
    cases.extend(generated);
    if cases.is_empty() {
        miette::bail!("no case to run on the mutants: name a folder, or --generate some");
    }
    Ok(cases)
}

/// Keeps `count` of the mutants, or all for 0, in their order: which ones depends on `seed` alone.
fn draw(mutants: &mut Vec<Mutant>, count: usize, seed: u64) {
    if count == 0 || count >= mutants.len() {
        return;
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut kept = random.choose_multiple(0..mutants.len(), count);
    kept.sort_unstable();
    *mutants = kept.into_iter().map(|at| mutants[at].clone()).collect();
}

fn report<'a>(mutants: &'a [Mutant], tried: &'a [Tried], cases: usize) -> Report<'a> {
    let mut files: BTreeMap<&str, Score> = BTreeMap::new();
    let mut total = Score::default();
    for (mutant, tried) in mutants.iter().zip(tried) {
        files.entry(&mutant.file).or_default().add(tried);
        total.add(tried);
    }
    let mutants = mutants
        .iter()
        .zip(tried)
        .map(|(mutant, tried)| Row { mutant, tried })
        .collect();
    Report {
        mutants,
        files,
        total,
        cases,
    }
}

fn print(report: &Report<'_>) {
    let mut survivors = report
        .mutants
        .iter()
        .filter(|row| *row.tried == Tried::Survived)
        .map(|row| row.mutant)
        .collect::<Vec<_>>();
    survivors.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    if !survivors.is_empty() {
        println!("survivors:");
    }
    for mutant in survivors {
        println!(
            "  {}:{}  {} at {:#x} in {}",
            mutant.file,
            mutant.line,
            mutant.operator.describe(),
            mutant.address,
            mutant.function
        );
    }
    println!();
    println!(
        "{:<32} {:>8} {:>8} {:>9} {:>6}",
        "source file", "mutants", "reached", "detected", "score"
    );
    for (file, score) in &report.files {
        print_score(file, *score);
    }
    print_score("all", report.total);
    println!(
        "({} cases on each mutant; the score is of those reached)",
        report.cases
    );
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
