//! Checking a kernel again: the cases of earlier checks are replayed first, and each row says whether it is
//! new.

use super::CheckError;
use super::baseline::is_called;
use super::history::{History, file_name};
use super::replayer::Replayer;
use crate::case_file::{self, TEXT_ENDING};
use crate::guest::Guest;
use crate::guest::origin::Origin;
use crate::triage::finding_file::Destination;
use crate::triage::rows::Row;
use crate::triage::{Found, Report, Standing};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

/// The folder, in that of the findings, for the cases of rows that are fixed.
const FIXED: &str = "fixed";
/// The origin of findings that an earlier check found.
const ORIGIN: &str = "an earlier check";

/// What a check reports in addition to its rows if the kernel was checked before.
#[derive(Debug, Serialize)]
pub struct Recheck {
    /// Whether the kernel's file has changed since the last check; `None` if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_has_changed: Option<bool>,
    /// Cases of earlier checks that were replayed.
    pub replayed: usize,
    /// Cases in the folder that were found on a kernel with another path, and were left alone.
    pub of_other_kernels: usize,
    /// Rows and cases of earlier checks that show nothing wrong any more.
    pub fixed: Vec<Fixed>,
    /// Cases that show something else than they did before, and that no row names.
    pub changed: Vec<PathBuf>,
}

/// A row of an earlier check, or a case of one, that shows nothing wrong any more.
#[derive(Debug, Serialize)]
pub struct Fixed {
    /// What was wrong, in words, if the history of the last check says that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
    /// Its cases, where they are now.
    pub cases: Vec<PathBuf>,
}

/// What earlier checks of a kernel have left, with what the cases show now.
pub(super) struct Earlier {
    history: Option<History>,
    cases: Vec<OldCase>,
    of_other_kernels: usize,
}

/// A case of an earlier check.
struct OldCase {
    path: PathBuf,
    /// What it shows now, until [`Earlier::unfound`] takes it.
    shown: Vec<Report>,
    now: Now,
}

/// What an old case shows now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Now {
    /// Nothing wrong.
    Right,
    /// The same as before.
    Same,
    /// Something else that is wrong.
    Changed,
}

impl OldCase {
    fn new(path: PathBuf, shown: Vec<Report>) -> Self {
        // A case has the name of the finding for which it was kept.
        let is_of = |report: &Report| is_called(&path, &report.identity.name().file_name());
        let now = if shown.iter().any(is_of) {
            Now::Same
        } else if shown.is_empty() {
            Now::Right
        } else {
            Now::Changed
        };
        Self { path, shown, now }
    }
}

impl Earlier {
    /// Replays the cases in `folder` that were found on the kernel of `guest`. `None` if the folder holds
    /// nothing of that kernel.
    pub(super) fn replay(guest: &Arc<Guest>, folder: &Path) -> Result<Option<Self>, CheckError> {
        let kernel = Origin::of(guest).kernel.path;
        let history = History::read(folder).filter(|history| history.kernel.path == kernel);
        let mut own = Vec::new();
        let mut of_other_kernels = 0;
        for path in list(folder)? {
            match case_file::origin(&path)? {
                Some(origin) if origin.kernel.path == kernel => own.push(path),
                Some(_) | None => of_other_kernels += 1,
            }
        }
        if history.is_none() && own.is_empty() {
            return Ok(None);
        }
        let replay = |replayer: &mut Replayer, path: PathBuf| {
            let shown = replayer.show(&case_file::read(&path)?)?;
            Ok(OldCase::new(path, shown))
        };
        let cases: Result<Vec<OldCase>, CheckError> = own
            .into_par_iter()
            .map_init(|| Replayer::new(guest), replay)
            .collect();
        Ok(Some(Self {
            history,
            cases: cases?,
            of_other_kernels,
        }))
    }

    /// The findings that old cases show and that are not in `found`, the findings of this check.
    pub(super) fn unfound(
        &mut self,
        guest: &Arc<Guest>,
        folder: &Path,
        found: &[Found],
    ) -> Result<Vec<Found>, CheckError> {
        let name = |report: &Report| report.identity.name().file_name();
        let mut known: HashSet<String> = found.iter().map(|one| name(&one.report)).collect();
        let to = Destination::new(folder.to_owned(), guest);
        let mut replayer = Replayer::new(guest);
        let mut unfound = Vec::new();
        let shown = self.cases.iter_mut().map(|case| &mut case.shown);
        for mut report in shown.flat_map(std::mem::take) {
            if !known.insert(name(&report)) {
                continue;
            }
            replayer.explain(&mut report)?;
            let kept = Found::keep(report, &to, ORIGIN.to_owned(), 0, Duration::ZERO);
            unfound.push(kept?);
        }
        Ok(unfound)
    }

    /// Sets the standing of each row, and moves the cases of fixed rows aside.
    pub(super) fn compare(
        &self,
        guest: &Guest,
        folder: &Path,
        rows: &mut [Row],
    ) -> io::Result<Recheck> {
        for row in rows.iter_mut() {
            row.standing = Some(self.standing(row));
        }
        let shown: HashSet<String> = rows.iter().flat_map(Row::files).map(file_name).collect();
        let unshown = |now: Now| {
            let cases = self.cases.iter().filter(move |case| case.now == now);
            let names = cases.map(|case| file_name(&case.path));
            names.filter(|name| !shown.contains(name))
        };
        let gone: BTreeSet<String> = unshown(Now::Right).collect();
        let hash = Origin::of(guest).kernel.sha256;
        Ok(Recheck {
            kernel_has_changed: self
                .history
                .as_ref()
                .map(|history| history.kernel.sha256 != hash),
            replayed: self.cases.len(),
            of_other_kernels: self.of_other_kernels,
            changed: unshown(Now::Changed)
                .map(|name| folder.join(name))
                .collect(),
            fixed: self.fixed(folder, gone, &shown)?,
        })
    }

    fn standing(&self, row: &Row) -> Standing {
        let was_there = |path: &Path| {
            let name = file_name(path);
            self.cases.iter().any(|case| file_name(&case.path) == name)
        };
        let history = self.history.as_ref();
        let history = history.filter(|history| history.version == super::VERSION);
        let situation = row.shortest.report.identity.situation();
        match (history, situation) {
            _ if row.files().any(was_there) => Standing::StillThere,
            (Some(history), Some(situation)) => {
                let mut features = history.features.iter();
                if features.any(|feature| situation.is_met_by(*feature)) {
                    Standing::NewWasRight
                } else {
                    Standing::NewNotReached
                }
            }
            (None, _) | (_, None) => Standing::New,
        }
    }

    /// Moves the cases in `gone` aside. Cases that were one row are fixed together. If a row of this check names
    /// a case of the old row, which `shown` says, the old row is not fixed.
    fn fixed(
        &self,
        folder: &Path,
        mut gone: BTreeSet<String>,
        shown: &HashSet<String>,
    ) -> io::Result<Vec<Fixed>> {
        let mut fixed = Vec::new();
        for row in self.history.iter().flat_map(|history| &history.rows) {
            let cases = row.cases.iter().filter_map(|case| gone.take(case));
            let cases: Vec<PathBuf> = cases
                .map(|case| move_aside(folder, &case))
                .collect::<io::Result<_>>()?;
            if !cases.is_empty() && !row.cases.iter().any(|case| shown.contains(case)) {
                let wrong = Some(row.wrong.clone());
                fixed.push(Fixed { wrong, cases });
            }
        }
        for case in gone {
            fixed.push(Fixed {
                wrong: None,
                cases: vec![move_aside(folder, &case)?],
            });
        }
        Ok(fixed)
    }
}

/// Moves a case to the folder [`FIXED`]. Returns its new path.
fn move_aside(folder: &Path, case: &str) -> io::Result<PathBuf> {
    let aside = folder.join(FIXED);
    fs::create_dir_all(&aside)?;
    let path = aside.join(case);
    fs::rename(folder.join(case), &path)?;
    Ok(path)
}

/// The cases in `folder`, but not in the folders in it.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            paths.push(entry?.path());
        }
    }
    paths.retain(|path| path.extension().is_some_and(|ending| ending == TEXT_ENDING));
    paths.sort();
    Ok(paths)
}
