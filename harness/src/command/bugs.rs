//! `faultline bugs`: measures the fuzzer on kernels with one seeded bug each.

mod check;

use super::Conclusion;
use super::limits::{A_MINUTES_WORK, instructions};
use faultline::campaign::Budget;
use faultline::guest::location::checkout;
use faultline::seeded_bugs::catalogue::{self, Bug, SAMPLE, Selection};
use faultline::seeded_bugs::{
    Alone, COLUMNS, Engine, Plan, ProgramRow, Row, Tally, Trouble, build, measure, table,
    try_alone, try_programs,
};
use miette::{IntoDiagnostic, WrapErr};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "\
Applies each patch of corpus/bugs to a copy of the kernel, builds it, and fuzzes it on one core. For
each bug, prints the number of campaigns that reached, triggered and detected it, the median and the
worst of the executions and seconds that this took, and the rules that reported it. The checkout is
not changed. corpus/bugs/README.md explains the catalogue. ./scripts/bugs does the set-up and runs
this command.

A bug is detected if the median campaign reports it by one of the rules that its patch names.

Exit codes:
  0  every bug was detected, except those that are known to be missed
  1  a bug was missed, or a bug that is known to be missed was detected
  2  the command could not run

Examples:
  faultline bugs --engine afl --every 2 --seconds 20
  faultline bugs --engine programs
  faultline bugs --engine check --work 2000 --every 6
  faultline bugs --seeds 1 --seconds 20 guard-page
  faultline bugs --alone --seeds 1 --seconds 20")]
pub(crate) struct Arguments {
    /// Only the bugs whose file names contain this [default: all]
    #[arg(value_name = "BUG")]
    names: Vec<String>,
    /// Only a dozen bugs, some of each kind, for continuous integration
    #[arg(long)]
    sample: bool,
    /// Only every Nth of these bugs in the order of their numbers, beginning with the first
    #[arg(long, value_name = "N", default_value = "1", value_parser = positive())]
    every: u32,
    /// The engine that looks for the bugs
    #[arg(long, value_enum, default_value = "campaign")]
    engine: EngineArgument,
    /// Campaigns for each bug
    #[arg(long, value_name = "N", default_value = "5", value_parser = positive())]
    seeds: u32,
    /// The longest that one campaign may run
    #[arg(long, value_name = "N", default_value = "60", value_parser = positive())]
    seconds: u32,
    /// The most executions of one campaign; they say more than seconds if the machine is busy with
    /// other work [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    executions: Option<u64>,
    /// Start from corpus/seeds instead of an empty corpus
    #[arg(long)]
    with_seeds: bool,
    /// Write the results to this file as well, as tab-separated values [default:
    /// target/bugs/ENGINE.tsv]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// With --engine check, how much to do for each bug, in millions of guest instructions
    #[arg(long, value_name = "N", default_value_t = A_MINUTES_WORK)]
    work: u64,
    /// Use results of an earlier run with the same kernel, patch, faultline and options; a run that
    /// was stopped loses only the bug that it was working on
    #[arg(long)]
    resume: bool,
    /// Only bugs that name a single rule; the campaigns go on after a finding, and every finding must
    /// be by that rule
    #[arg(long, group = "only")]
    alone: bool,
    /// Only apply the patches and build the kernels
    #[arg(long, group = "only")]
    build: bool,
    /// Only list the catalogue
    #[arg(long, group = "only")]
    list: bool,
    /// Only print the results in target/bugs/*.tsv, side by side (docs/bugs.md); with --engine check,
    /// those in target/bugs/check.jsonl
    #[arg(long, group = "only")]
    table: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum EngineArgument {
    /// Our own engine
    Campaign,
    /// libFuzzer, through cargo fuzz
    Libfuzzer,
    /// AFL++, through cargo afl
    Afl,
    /// `faultline check`: which rows it tells, and whether they name the function that is wrong
    Check,
    /// No fuzzing: the kernel's own test programs
    Programs,
}

/// A number, at least 1.
fn positive() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let root = checkout().canonicalize().into_diagnostic()?;
    let bugs = catalogue::read(&root.join("corpus/bugs")).into_diagnostic()?;
    let mut bugs = catalogue::select(bugs, &selection(arguments));
    let is_check = arguments.engine == EngineArgument::Check;
    if is_check {
        bugs.retain(Bug::is_one);
    }
    if bugs.is_empty() {
        miette::bail!("no bug is named {}; see --list", arguments.names.join(" "));
    }
    let plan = plan(arguments, root)?;
    if arguments.list {
        bugs.iter().for_each(print_in_list);
        return Ok(Conclusion::Clean);
    }
    if arguments.table && is_check {
        return check::print_page(&plan);
    }
    if arguments.table {
        print!("{}", table(&bugs, &plan.folder));
        return Ok(Conclusion::Clean);
    }
    fs::create_dir_all(&plan.folder).into_diagnostic()?;
    if arguments.build {
        return build_only(&bugs, &plan);
    }
    if is_check {
        let budget = Budget {
            work: Some(instructions(arguments.work)),
            ..Budget::default()
        };
        return check::measure(&bugs, &plan, budget, arguments.output.as_deref());
    }
    if arguments.engine == EngineArgument::Programs {
        return ask_programs(&bugs, &plan, arguments.output.as_deref());
    }
    if arguments.alone {
        return alone(&bugs, &plan);
    }
    fuzz(&bugs, &plan, arguments.output.as_deref())
}

fn selection(arguments: &Arguments) -> Selection {
    let mut names = arguments.names.clone();
    if arguments.sample {
        names.extend(SAMPLE.map(str::to_owned));
    }
    Selection {
        names,
        every: arguments.every as usize,
        one_rule: arguments.alone,
    }
}

fn plan(arguments: &Arguments, root: PathBuf) -> miette::Result<Plan> {
    Ok(Plan {
        faultline: std::env::current_exe().into_diagnostic()?,
        folder: root.join("target/bugs"),
        root,
        engine: match arguments.engine {
            EngineArgument::Campaign | EngineArgument::Check | EngineArgument::Programs => {
                Engine::Campaign
            }
            EngineArgument::Libfuzzer => Engine::Libfuzzer,
            EngineArgument::Afl => Engine::Afl,
        },
        campaigns: arguments.seeds,
        seconds: arguments.seconds,
        executions: arguments.executions,
        with_seeds: arguments.with_seeds,
        alone: arguments.alone,
        resume: arguments.resume,
    })
}

fn print_in_list(bug: &Bug) {
    println!(
        "{:<40} {:>2}  {:<44} {}",
        bug.patch.name, bug.feature, bug.class, bug.summary
    );
}

/// Creates the file of tab-separated values, with its first line.
fn table_file(output: Option<&Path>, usual: &Path, head: &str) -> miette::Result<File> {
    let path = output.unwrap_or(usual);
    let what = || format!("cannot write {}", path.display());
    let mut file = File::create(path).into_diagnostic().wrap_err_with(what)?;
    writeln!(file, "{head}")
        .into_diagnostic()
        .wrap_err_with(what)?;
    Ok(file)
}

fn build_only(bugs: &[Bug], plan: &Plan) -> miette::Result<Conclusion> {
    let mut tally = Tally::default();
    build(bugs, plan, |bug, built| {
        note_trouble(bug, built, &mut tally);
    })
    .into_diagnostic()?;
    all_built(&tally)?;
    println!("{}: all apply and build", counted(bugs.len()));
    Ok(Conclusion::Clean)
}

fn fuzz(bugs: &[Bug], plan: &Plan, output: Option<&Path>) -> miette::Result<Conclusion> {
    let usual = plan.folder.join(format!("{}.tsv", plan.engine));
    let mut file = table_file(output, &usual, &COLUMNS.join("\t"))?;
    let mut tally = Tally::default();
    let mut lost = Ok(());
    println!("{}", Row::head());
    let report = |bug: &Bug, row: Result<Row, Trouble>| {
        let Some(row) = note_trouble(bug, row, &mut tally) else {
            return;
        };
        println!("{}", row.text());
        if let Err(error) = writeln!(file, "{}", row.tab_separated()) {
            lost = Err(error);
        }
        count(&mut tally, bug, row.is_detected());
    };
    measure(bugs, plan, report).into_diagnostic()?;
    lost.into_diagnostic()?;
    conclude(&tally, bugs.len(), "not detected")
}

fn alone(bugs: &[Bug], plan: &Plan) -> miette::Result<Conclusion> {
    let mut tally = Tally::default();
    println!("{:<40} {:>12}  findings by rule", "bug", "executions");
    let report = |bug: &Bug, all: Result<Alone, Trouble>| {
        let Some(all) = note_trouble(bug, all, &mut tally) else {
            return;
        };
        let findings = all
            .findings
            .iter()
            .map(|(rule, count)| format!("{count} {rule}"));
        let findings: Vec<String> = findings.collect();
        println!(
            "{:<40} {:>12}  {}",
            bug.patch.name,
            all.executions,
            findings.join(" ")
        );
        count(&mut tally, bug, all.is_by_one_rule(bug));
    };
    try_alone(bugs, plan, report).into_diagnostic()?;
    conclude(&tally, bugs.len(), "found by other rules, or not at all")
}

fn ask_programs(bugs: &[Bug], plan: &Plan, output: Option<&Path>) -> miette::Result<Conclusion> {
    let usual = plan.folder.join("programs.tsv");
    let mut file = table_file(output, &usual, &ProgramRow::columns())?;
    let (mut tally, mut noticed, mut lost) = (Tally::default(), 0, Ok(()));
    println!("{}", ProgramRow::head());
    let report = |bug: &Bug, row: Result<ProgramRow, Trouble>| {
        let Some(row) = note_trouble(bug, row, &mut tally) else {
            return;
        };
        println!("{}", row.text());
        if let Err(error) = writeln!(file, "{}", row.tab_separated()) {
            lost = Err(error);
        }
        noticed += usize::from(row.noticed().is_some());
    };
    try_programs(bugs, plan, report).into_diagnostic()?;
    lost.into_diagnostic()?;
    all_built(&tally)?;
    println!(
        "{noticed} of {} bugs are noticed by a test program",
        bugs.len()
    );
    Ok(Conclusion::Clean)
}

/// The result. If there is none, prints why and counts the bug as not built or not run.
fn note_trouble<T>(bug: &Bug, result: Result<T, Trouble>, tally: &mut Tally) -> Option<T> {
    match result {
        Ok(result) => Some(result),
        Err(trouble) => {
            eprintln!("{trouble}");
            if matches!(trouble, Trouble::NotBuilt { .. }) {
                tally.not_built.push(bug.patch.name.clone());
            } else {
                count(tally, bug, false);
            }
            None
        }
    }
}

/// Counts a bug. Prints the reason if it is missed and known to be missed.
fn count(tally: &mut Tally, bug: &Bug, is_detected: bool) {
    if let Some(why) = tally.count(bug, is_detected) {
        println!("  missed, as known: {why}");
    }
}

/// A number of bugs in words.
fn counted(bugs: usize) -> String {
    match bugs {
        1 => "1 bug".to_owned(),
        _ => format!("{bugs} bugs"),
    }
}

fn all_built(tally: &Tally) -> miette::Result<()> {
    if !tally.not_built.is_empty() {
        miette::bail!(
            "not built: {}\nthe kernel has changed: update these patches",
            tally.not_built.join(" ")
        );
    }
    Ok(())
}

/// Prints the sum of all bugs. `how` says what is wrong with those that were missed.
fn conclude(tally: &Tally, bugs: usize, how: &str) -> miette::Result<Conclusion> {
    all_built(tally)?;
    let Tally {
        missed, surprises, ..
    } = tally;
    if !missed.is_empty() {
        println!("{} {how}: {}", missed.len(), missed.join(" "));
    }
    if !surprises.is_empty() {
        println!(
            "{} detected although their patches say that they are missed: {} (delete the line \"Missed:\" from these patches)",
            surprises.len(),
            surprises.join(" ")
        );
    }
    if !tally.is_as_expected() {
        return Ok(Conclusion::Findings);
    }
    println!("{}: all results are as expected", counted(bugs));
    Ok(Conclusion::Clean)
}
