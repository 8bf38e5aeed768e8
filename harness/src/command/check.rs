//! `faultline check`: finds what is wrong with a kernel that is not ours.

mod print;

use super::limits::Limits;
use super::parallel::{self, Threads, interrupt};
use super::{Conclusion, Format, output};
use faultline::case_file;
use faultline::check::kernels::{self, Candidate};
use faultline::check::{Baseline, Checked, Plan, boot, check, seeds};
use faultline::guest::location::GuestFiles;
use faultline::triage::finding_file;
use indicatif::ProgressBar;
use oracle::Dialect;
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
    /// The built tree that was handed out: what its kernel shows too is listed apart, and does not count
    #[arg(long, value_name = "TREE")]
    baseline: Option<PathBuf>,
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
    let baseline = arguments.baseline.as_deref().map(baseline).transpose()?;
    let progress = parallel::line();
    let several = candidates.len() > 1;
    let mut reports = Vec::new();
    for candidate in candidates {
        let plan = Plan {
            findings: plan.findings.join(&candidate.name),
            ..plan.clone()
        };
        let told = pool.install(|| check_one(&candidate, &plan, baseline.as_ref(), &progress));
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
            progress.suspend(|| print::print(&report));
        }
        reports.push(report);
    }
    progress.finish_and_clear();
    match arguments.format {
        Format::Text if several => print::print_table(&reports),
        Format::Text => {}
        Format::Json => output::print_json(&reports)?,
    }
    Ok(conclusion(&reports))
}

fn conclusion(reports: &[Report]) -> Conclusion {
    let found = |report: &Report| match &report.checked {
        Some(checked) => checked.counted().next().is_some(),
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
        return Ok(vec![Candidate::of_files(kernel, file_system)]);
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
    let mut seeds = seeds::built_in()?;
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
    baseline: Option<&Baseline>,
    progress: &ProgressBar,
) -> miette::Result<Checked> {
    let files = files(candidate)?;
    let told = check(&files, plan, |far| {
        if !progress.is_hidden() {
            progress.set_message(format!("{}: {}", candidate.name, far.line()));
        }
    });
    let compared = told.and_then(|mut checked| {
        if let Some(baseline) = baseline {
            baseline.compare(&mut checked)?;
        }
        Ok(checked)
    });
    compared.map_err(|error| miette::miette!("{}: {error}", candidate.kernel.display()))
}

fn files(candidate: &Candidate) -> miette::Result<GuestFiles> {
    GuestFiles::find(Some(&candidate.kernel), Some(&candidate.file_system))
        .map_err(|error| miette::miette!("{error}"))
}

/// Boots the kernel of the tree that was handed out, and finds out its dialect.
fn baseline(tree: &Path) -> miette::Result<Baseline> {
    let found = kernels::find(tree).map_err(|error| miette::miette!("{error}"))?;
    let [candidate] = &found[..] else {
        miette::bail!(
            "the baseline {} holds {} kernels: name one built tree",
            tree.display(),
            found.len()
        );
    };
    let guest = boot(&files(candidate)?, None, None)
        .map_err(|error| miette::miette!("the baseline {}: {error}", tree.display()))?;
    Ok(Baseline::new(guest))
}
