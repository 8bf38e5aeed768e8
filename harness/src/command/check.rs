//! `faultline check`: finds what is wrong with a kernel that is not ours.

use super::limits::{self, Limits};
use super::parallel::{self, Threads, interrupt};
use super::{Conclusion, Format, output};
use faultline::campaign::EndedBy;
use faultline::case_file;
use faultline::check::kernels::{self, Candidate};
use faultline::check::{Checked, Plan, check};
use faultline::guest::location::GuestFiles;
use faultline::triage::minimise::Minimality;
use faultline::triage::rows::Row;
use faultline::triage::{Found, finding_file};
use indicatif::ProgressBar;
use oracle::{Dialect, Severity};
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "\
Any xv6 for RV64 works without changes, as its own makefile builds it. No other information is needed.
Each row of the table is probably one bug. Its case file shows the bug in a few lines, and
`faultline trace FILE` goes through the case step by step.

Examples:
  faultline check --kernel kernel/kernel --fs fs.img
  faultline check ~/hand-ins --work 12000      (one table for all trees in the folder)

The exit code is 0 if nothing is wrong, 1 if something is, 2 if a kernel could not be checked, and 4 if
nothing was found but too little was done to say so.")]
pub(crate) struct Arguments {
    /// Built trees (with kernel/kernel and fs.img), or folders of such trees
    #[arg(value_name = "DIR", conflicts_with_all = ["kernel", "fs"])]
    folders: Vec<PathBuf>,
    /// The kernel's ELF file
    #[arg(long, value_name = "ELF", requires = "fs")]
    kernel: Option<PathBuf>,
    /// The kernel's file-system image; it is copied, not changed
    #[arg(long, value_name = "IMAGE", requires = "kernel")]
    fs: Option<PathBuf>,
    /// How the kernel may differ: `faultline`, `xv6-2025`, or a TOML file [default: found out by probing]
    #[arg(long, value_name = "NAME|FILE")]
    dialect: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    /// More cases to start from, besides the built-in seeds
    #[arg(long, value_name = "DIR")]
    seeds: Vec<PathBuf>,
    /// The random seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The folder that findings are written to, with a folder for each kernel [default: findings/ in
    /// the checkout]
    #[arg(long, value_name = "DIR")]
    findings: Option<PathBuf>,
    #[command(flatten)]
    threads: Threads,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// The result for one kernel.
#[derive(Serialize)]
struct Report {
    kernel: Candidate,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked: Option<Checked>,
    /// Why it could not be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let candidates = candidates(arguments)?;
    let pool = arguments.threads.start()?;
    let plan = plan(arguments, pool.current_num_threads())?;
    let progress = parallel::line();
    let several = candidates.len() > 1;
    let mut reports = Vec::new();
    for candidate in candidates {
        let plan = Plan {
            findings: plan.findings.join(&candidate.name),
            ..plan.clone()
        };
        let told = pool.install(|| check_one(&candidate, &plan, &progress));
        let (checked, error) = match told {
            Ok(checked) => (Some(checked), None),
            // If there are other kernels, one that does not boot becomes a row of the table.
            Err(error) if several => (None, Some(error.to_string())),
            Err(error) => return Err(error),
        };
        let report = Report {
            kernel: candidate,
            checked,
            error,
        };
        if arguments.format == Format::Text {
            progress.suspend(|| print(&report));
        }
        reports.push(report);
    }
    progress.finish_and_clear();
    match arguments.format {
        Format::Text if several => print_table(&reports),
        Format::Text => {}
        Format::Json => output::print_json(&reports)?,
    }
    Ok(conclusion(&reports))
}

fn conclusion(reports: &[Report]) -> Conclusion {
    let found = |report: &Report| match &report.checked {
        Some(checked) => !checked.rows.is_empty(),
        None => true,
    };
    let checked = reports.iter().filter_map(|report| report.checked.as_ref());
    if reports.iter().any(found) {
        Conclusion::Findings
    } else if checked.into_iter().all(Checked::is_conclusive) {
        Conclusion::Clean
    } else {
        Conclusion::Inconclusive
    }
}

fn candidates(arguments: &Arguments) -> miette::Result<Vec<Candidate>> {
    if let (Some(kernel), Some(file_system)) = (&arguments.kernel, &arguments.fs) {
        let name = kernel.file_stem().unwrap_or(kernel.as_os_str());
        return Ok(vec![Candidate {
            name: name.to_string_lossy().into_owned(),
            kernel: kernel.clone(),
            file_system: file_system.clone(),
        }]);
    }
    if arguments.folders.is_empty() {
        miette::bail!(
            "no kernel was named: name a built tree, or give --kernel ELF and --fs IMAGE"
        );
    }
    let mut candidates = Vec::new();
    for folder in &arguments.folders {
        candidates.extend(kernels::find(folder).map_err(|error| miette::miette!("{error}"))?);
    }
    Ok(candidates)
}

fn plan(arguments: &Arguments, jobs: usize) -> miette::Result<Plan> {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/seeds");
    let mut seeds = if built_in.is_dir() {
        case_file::read_all(&[built_in])?
    } else {
        Vec::new()
    };
    // Cheap cases show many bugs before the first expensive case ends.
    seeds.sort_by_key(faultline::check::cost);
    seeds.extend(case_file::read_all(&arguments.seeds)?);
    let dialect: Option<Dialect> = match &arguments.dialect {
        Some(name) => Some(super::guest::dialect(name)?),
        None => None,
    };
    Ok(Plan {
        dialect,
        seeds,
        budget: arguments.limits.budget(None),
        jobs,
        seed: arguments.seed,
        findings: arguments
            .findings
            .clone()
            .unwrap_or_else(finding_file::folder),
        stop: interrupt()?,
    })
}

fn check_one(
    candidate: &Candidate,
    plan: &Plan,
    progress: &ProgressBar,
) -> miette::Result<Checked> {
    let files = GuestFiles::find(Some(&candidate.kernel), Some(&candidate.file_system))
        .map_err(|error| miette::miette!("{error}"))?;
    let told = check(&files, plan, |far| {
        if !progress.is_hidden() {
            progress.set_message(format!("{}: {}", candidate.name, far.line()));
        }
    });
    told.map_err(|error| miette::miette!("{}: {error}", candidate.kernel.display()))
}

fn print(report: &Report) {
    println!("== {}", report.kernel.kernel.display());
    let Some(checked) = &report.checked else {
        println!("{}\n", report.error.as_deref().unwrap_or_default());
        return;
    };
    for answer in &checked.answers {
        println!("   {answer}");
    }
    for what in &checked.unchecked {
        println!("   not checked: {what}");
    }
    println!(
        "   {} executions in {:.0} s, {} answers compared, {} kernel edges",
        checked.totals.executions, checked.seconds, checked.totals.meter.compared, checked.edges
    );
    print_work(checked);
    match checked.rows.len() {
        0 if !checked.is_conclusive() => {
            println!("   inconclusive: too little was done to say that nothing is wrong")
        }
        0 => println!("   nothing wrong was found"),
        1 => println!("   1 thing is wrong"),
        count => println!("   {count} things are wrong, the worst first"),
    }
    for (at, row) in checked.rows.iter().enumerate() {
        print_row(at + 1, row);
    }
    if let Some(row) = checked.rows.first() {
        print_commands(row);
    }
    println!();
}

/// Prints what repeats this check, and what it did not reach.
fn print_work(checked: &Checked) {
    let again = format!(
        "--work {} --seed {}",
        limits::millions(checked.work),
        checked.seed
    );
    let version = checked.version;
    match checked.ended_by {
        EndedBy::Time => println!(
            "   --seconds ended the check; to repeat it anywhere: {again} (faultline {version})"
        ),
        EndedBy::Interrupt => println!("   interrupted"),
        EndedBy::Budget | EndedBy::Finding => {
            println!("   to repeat it anywhere: {again} (faultline {version})");
        }
    }
    for what in &checked.not_reached {
        println!("   not reached: {what}");
    }
}

/// Prints commands for the next steps, to copy and paste.
fn print_commands(row: &Row) {
    let case = row.shortest.path.display();
    println!("\n   step by step:     faultline trace {case}");
    println!("   why each line:    faultline minimise {case}");
    println!("   without a fuzzer: faultline export {case} --c");
}

fn print_row(number: usize, row: &Row) {
    let Found { path, report, .. } = &row.shortest;
    let page = row
        .page
        .map_or(String::new(), |page| format!(" ({} page)", page.word()));
    println!("\n{number}. {}: {}", row.severity, row.wrong);
    println!("   rule:     {}{page}", row.clause);
    if !row.operations.is_empty() {
        println!("   shown by: {}", row.operations.join(", "));
    }
    println!("   expected: {}", report.finding.expected);
    println!("   seen:     {}", report.seen());
    if let Some(place) = report.explanation.place() {
        println!("   in:       {place}");
    }
    if let Some(defect) = &row.defect {
        println!("   source:   {}", defect.source);
    }
    if let Some(why) = row.doubt {
        println!("   questionable: {why}");
    }
    let as_found = match report.minimised.minimality {
        Minimality::Proved => "",
        Minimality::BudgetSpent => ", perhaps not minimal",
    };
    println!(
        "   {} (after {} executions{as_found}):",
        path.display(),
        row.executions
    );
    for (line, times) in repeated(report.case().to_string().lines()) {
        match times {
            1 => println!("     {line}"),
            _ => println!("     {line}  ({times} times)"),
        }
    }
}

/// Each line, with how often it occurs in a row.
fn repeated<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(&'a str, usize)> {
    let mut repeated: Vec<(&str, usize)> = Vec::new();
    for line in lines {
        match repeated.last_mut() {
            Some((last, times)) if *last == line => *times += 1,
            _ => repeated.push((line, 1)),
        }
    }
    repeated
}

/// Prints one line for each kernel: the number of rows of each severity, or why it does not run.
fn print_table(reports: &[Report]) {
    let names = reports.iter().map(|report| report.kernel.name.len());
    let width = names.max().unwrap_or(0).clamp(6, LONGEST_NAME);
    let heads = Severity::ALL.map(|severity| severity.short());
    let head = heads.map(|head| format!("{head:>9}")).join(" ");
    println!("{:<width$} {head}  worst", "kernel");
    for report in reports {
        let name: String = report.kernel.name.chars().take(width).collect();
        let line = match (&report.checked, &report.error) {
            (Some(checked), _) => counts(checked),
            (None, error) => {
                let error = error.as_deref().unwrap_or_default();
                let first = error.lines().next().unwrap_or_default();
                format!("does not run: {first}")
            }
        };
        let line: String = format!("{name:<width$} {line}")
            .chars()
            .take(LINE)
            .collect();
        println!("{line}");
    }
}

/// The number of rows of each severity, and the worst row.
fn counts(checked: &Checked) -> String {
    let rows = &checked.rows;
    let count = |severity| rows.iter().filter(|row| row.severity == severity).count();
    let counts = Severity::ALL.map(|severity| format!("{:>9}", count(severity)));
    let none = if checked.is_conclusive() {
        "nothing wrong"
    } else {
        "inconclusive: too little was done"
    };
    let worst = rows.first().map_or(none, |row| row.wrong);
    format!("{}  {worst}", counts.join(" "))
}

/// The most characters of a line, and of a kernel's name in the line.
const LINE: usize = 120;
const LONGEST_NAME: usize = 24;
