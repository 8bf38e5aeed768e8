//! Checks a kernel that is not ours: finds out its dialect, fuzzes it, and sorts the findings.

mod baseline;
pub mod defects;
mod history;
pub mod kernels;
pub mod probe;
mod recheck;
mod replayer;
pub mod seeds;

pub use baseline::Baseline;
pub use recheck::{Fixed, Recheck};

use crate::boot::BootError;
use crate::campaign::{self, Broken, Budget, EndedBy};
use crate::case_file::CaseFileError;
use crate::fuzzing::{Alarm, OpenError, Progress, Session, Totals};
use crate::guest::Guest;
use crate::guest::location::GuestFiles;
use crate::guest::origin::Origin;
use crate::runner::Runner;
use crate::triage::Found;
use crate::triage::explain::Controls;
use crate::triage::finding_file::Destination;
use crate::triage::rows::{self, Row};
use defects::Defects;
use history::{History, OldRow};
use oracle::dialect::Defect;
use oracle::{Case, Dialect, NeverRun, Profile};
use probe::Answer;
use rayon::prelude::*;
use recheck::Earlier;
use serde::Serialize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::{fs, io};

/// The version of Faultline.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How to check a kernel.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How the kernel may differ. `None` means that the check finds it out. In both cases the check finds out
    /// which defects the kernel has.
    pub dialect: Option<Dialect>,
    /// Cases to begin with.
    pub seeds: Vec<Case>,
    /// How much to fuzz.
    pub budget: Budget,
    /// Threads, at least one.
    pub jobs: usize,
    /// The random seed.
    pub seed: u64,
    /// Where the cases of findings go.
    pub findings: PathBuf,
    /// If it is set, the check ends and prints its table.
    pub stop: Arc<AtomicBool>,
}

/// What a check found out.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// How the kernel behaves where kernels may differ.
    pub dialect: Dialect,
    /// The file with the dialect and how each field is known. It can be edited and given with `--dialect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect_file: Option<PathBuf>,
    /// The options that name this kernel and its dialect to the other commands.
    pub flags: String,
    /// The hardware and each field of the dialect, with how they are known. Fields of a given dialect are left
    /// out.
    pub answers: Vec<Answer>,
    /// What could not be checked, and why.
    pub unchecked: Vec<&'static str>,
    /// What is wrong, the worst first.
    pub rows: Vec<Row>,
    /// What has changed since the last check of this kernel, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recheck: Option<Recheck>,
    /// What was run and compared.
    pub totals: Totals,
    /// Kernel edges that some case took.
    pub edges: usize,
    /// The version of Faultline.
    pub version: &'static str,
    /// The random seed.
    pub seed: u64,
    /// The work done, as [`Runner::work`](crate::runner::Runner::work) counts it. With the same seed, version
    /// and kernel, the same work has the same findings.
    pub work: u64,
    /// What ended the check.
    pub ended_by: EndedBy,
    /// What was not reached. If there is anything, too little was done to say that nothing is wrong.
    pub not_reached: Vec<String>,
    /// Which operations, on pages in which states and beside which others, were never run on this kernel. It does not
    /// count as [`not_reached`](Self::not_reached): on most kernels something does not apply.
    pub never_run: NeverRun,
    /// How long fuzzing took, in seconds.
    pub seconds: f64,
}

impl Checked {
    /// The rows that count: those that the baseline does not show.
    pub fn counted(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_in_baseline)
    }

    /// Whether enough was done to say that nothing is wrong, if nothing was found.
    pub fn is_conclusive(&self) -> bool {
        self.not_reached.is_empty()
    }
}

/// Why a kernel could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It did not boot.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// A file in the folder of findings cannot be read or written.
    #[error("cannot use the folder of findings: {0}")]
    Findings(#[from] io::Error),
    /// The campaign stopped with an error.
    #[error("{0}")]
    Campaign(Broken),
    /// A case of an earlier check cannot be read.
    #[error("{0}; remove it or correct it, and check again")]
    OldCase(#[from] CaseFileError),
    /// Faultline itself cannot be trusted on this kernel.
    #[error("{0}")]
    Alarm(#[from] Alarm),
}

/// Boots `files` as a kernel of `dialect`. Without one, it has the dialect whose name the kernel gives, or else
/// the one that the probes find.
///
/// The kernel need not have the defects of its dialect: each is kept only if the kernel shows it. If neither
/// `dialect` nor a name is given, the candidates are the defects of `earlier`, the dialect that the kernel had
/// before it was changed, or else all defects.
///
/// # Errors
/// Says how far the kernel got.
pub fn boot(
    files: &GuestFiles,
    dialect: Option<Dialect>,
    earlier: Option<&Dialect>,
) -> Result<Arc<Guest>, BootError> {
    let named = || files.named_dialect().and_then(|name| Dialect::named(&name));
    let known = dialect.or_else(named);
    let candidates = known.as_ref().or(earlier).map(Dialect::defects);
    let met = meet(files, known, candidates.unwrap_or_else(Defect::all))?;
    Ok(met.guest)
}

/// A booted kernel, and what was found out about it.
struct Met {
    /// Its dialect is the one by which it is judged.
    guest: Arc<Guest>,
    answers: Vec<Answer>,
    defects: Defects,
}

/// Boots `files`, and finds out which of the candidates the kernel has, and its dialect if that is not known.
fn meet(
    files: &GuestFiles,
    known: Option<Dialect>,
    candidates: Vec<Defect>,
) -> Result<Met, BootError> {
    let is_known = known.is_some();
    let mut guest = crate::boot(files, known.unwrap_or_else(Dialect::xv6_2025))?;
    let mut answers = probe::hardware(&guest);
    if !is_known {
        let (variants, more) = probe::probe(&guest);
        Arc::make_mut(&mut guest).set_dialect(variants);
        answers.extend(more);
    }
    let mut defects = defects::find(&guest, candidates);
    answers.append(&mut defects.answers);
    Arc::make_mut(&mut guest).set_dialect(defects.followed.clone());
    Ok(Met {
        guest,
        answers,
        defects,
    })
}

/// A session on the kernel that `./scripts/setup` built, or on the one that the environment names.
///
/// # Errors
/// Says what is missing and how to make it, or how far the kernel got.
pub fn open_session() -> Result<Session, OpenError> {
    let files = GuestFiles::find(None, None)?;
    Ok(Session::new(boot(&files, None, None)?))
}

/// Boots `files`, finds out the dialect, and fuzzes. `tell` is called from time to time, from any thread.
///
/// # Errors
/// The kernel does not boot, or the campaign stops. The error says how far it got. A finding is not an error.
pub fn check(
    files: &GuestFiles,
    plan: &Plan,
    tell: impl Fn(&Progress<'_>) + Sync,
) -> Result<Checked, CheckError> {
    let Met {
        guest,
        answers,
        defects,
    } = meet(files, plan.dialect.clone(), Defect::all())?;
    let mut earlier = Earlier::replay(&guest, &plan.findings)?;
    let defect_rows = defects.rows(&guest, &plan.findings)?;
    let dialect_file = keep_dialect(&guest.dialect, &answers, &plan.findings).ok();
    let flags = flags(files, dialect_file.as_deref());
    let campaign = campaign::Plan {
        targets: Vec::new(),
        budget: plan.budget,
        jobs: plan.jobs,
        seed: plan.seed,
        seeds: plan.seeds.clone(),
        corpus: None,
        findings: plan.findings.clone(),
        until_finding: false,
        minimising: campaign::Minimising::Sharing,
        steer: true,
        stop: Arc::clone(&plan.stop),
    };
    let summary = campaign::run(&guest, &campaign, tell).map_err(CheckError::Campaign)?;
    let cases = summary.totals.executions;
    let mut findings = explained(&guest, summary.findings, &plan.findings)?;
    if let Some(earlier) = &mut earlier {
        findings.extend(earlier.unfound(&guest, &plan.findings, &findings)?);
    }
    let mut rows = rows::rows(findings);
    rows.extend(defect_rows);
    rows::join_defective(&mut rows, &guest);
    rows::sort(&mut rows);
    look_for_repairs(&guest, &mut rows, plan.budget.work);
    rows::name_upstream(&mut rows, &guest.symbols);
    let recheck = earlier.map(|earlier| earlier.compare(&guest, &plan.findings, &mut rows));
    let recheck = recheck.transpose()?;
    let history = History {
        version: VERSION.to_owned(),
        seed: plan.seed,
        work: summary.work,
        kernel: Origin::of(&guest).kernel,
        rows: rows.iter().map(OldRow::of).collect(),
        features: summary.features_met,
    };
    history.write(&plan.findings)?;
    Ok(Checked {
        version: VERSION,
        seed: plan.seed,
        work: summary.work,
        ended_by: summary.ended_by,
        not_reached: not_reached(
            [
                (
                    "cases of the battery",
                    summary.battery,
                    summary.battery_left,
                ),
                ("seeds", plan.seeds.len(), summary.seeds_left),
            ],
            cases,
        ),
        dialect: guest.dialect.clone(),
        dialect_file,
        flags,
        answers,
        unchecked: unchecked(&guest),
        rows,
        recheck,
        totals: summary.totals,
        edges: summary.edges,
        never_run: summary.never_run,
        seconds: summary.seconds,
    })
}

/// How many rows are repaired at least and at most. For one, about 0.1 billion instructions are executed.
const ROWS_TO_REPAIR: RangeInclusive<u64> = 2..=8;
/// So much work of a check pays for the repair of one row.
const WORK_PER_REPAIR: u64 = 1_000_000_000;

/// Looks for repairs of the worst rows, so that each names the function that has to change, and joins rows that have a
/// repair in common. `work` is the budget of the check, if it has a limit.
fn look_for_repairs(guest: &Arc<Guest>, rows: &mut Vec<Row>, work: Option<u64>) {
    if rows.is_empty() {
        return;
    }
    let (least, most) = ROWS_TO_REPAIR.into_inner();
    let count = work.map_or(most, |work| (work / WORK_PER_REPAIR).clamp(least, most));
    let controls = Controls::measure(&mut Runner::new(guest));
    let worst = rows.par_iter_mut().take(count as usize);
    // A new runner for each, so that none depends on which thread has done what before.
    worst.for_each(|row| row.look_for_repairs(&mut Runner::new(guest), &controls));
    rows::join_repaired(rows, &mut Runner::new(guest), &controls);
}

/// The findings of a campaign. Those that the campaign had no time to minimise are explained here.
fn explained(
    guest: &Arc<Guest>,
    mut findings: Vec<Found>,
    folder: &Path,
) -> Result<Vec<Found>, CheckError> {
    let to = Destination::new(folder.to_owned(), guest);
    let explain = |runner: &mut Runner, found: &mut Found| -> io::Result<()> {
        let mut report = found.report.clone();
        if report.explain(runner) {
            found.replace(report, &to)?;
        }
        Ok(())
    };
    let all = findings.par_iter_mut();
    all.try_for_each_init(|| Runner::new(guest), explain)?;
    Ok(findings)
}

/// The options that name the kernel on the command line.
fn flags(files: &GuestFiles, dialect: Option<&Path>) -> String {
    let mut flags = format!(
        "--kernel {} --fs {}",
        files.kernel_path.display(),
        files.file_system_path.display()
    );
    if let Some(dialect) = dialect {
        flags = format!("{flags} --dialect {}", dialect.display());
    }
    flags
}

/// Writes a dialect to `folder`, with what was seen as comments.
fn keep_dialect(dialect: &Dialect, answers: &[Answer], folder: &Path) -> io::Result<PathBuf> {
    let text = dialect.to_text().map_err(io::Error::other)?;
    let comments = answers.iter().map(|answer| format!("# {answer}\n"));
    let comments: String = comments.collect();
    fs::create_dir_all(folder)?;
    let path = folder.canonicalize()?.join("dialect.toml");
    fs::write(&path, format!("{comments}\n{text}"))?;
    Ok(path)
}

/// The fewest cases of each target that a check has to run.
const LEAST_CASES: u64 = 20;

/// What is missing of the least that a check has to do: all cases that it begins with, and some cases of each target.
/// `first` has the former: what they are, how many there are, and how many were not run.
fn not_reached(first: [(&str, usize, usize); 2], executions: u64) -> Vec<String> {
    let mut missing = Vec::new();
    let mut run = 0;
    for (what, all, left) in first {
        run += all - left;
        if left > 0 {
            missing.push(format!("{left} of the {all} {what}"));
        }
    }
    let made = executions.saturating_sub(run as u64);
    let least = LEAST_CASES * Profile::ALL.len() as u64;
    if made < least {
        missing.push(format!(
            "{} of the {least} generated cases that every check has to run",
            least - made
        ));
    }
    missing
}

/// What cannot be checked because the kernel lacks symbols.
fn unchecked(guest: &Guest) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if guest.accounts.is_none() {
        missing.push(
            "frames: no list of free frames was found in the kernel's data, so leaks and laziness were \
             not judged, and no case ran out of frames on purpose",
        );
    }
    if guest.panic_entry.is_none() {
        missing.push(
            "immediate panics: the ELF file has no symbol `panic`, so a panic is noticed only when its \
             step has used up its budget",
        );
    }
    if guest.requests.asked.is_none() {
        missing.push(
            "failing allocations: the ELF file has no symbol `kalloc`, so no single allocation was made \
             to fail",
        );
    }
    missing
}
