//! How a bug shows in cases other than the one that represents its row.

use super::Row;
use crate::triage::Found;
use serde::Serialize;
use std::path::PathBuf;

/// A finding of a row whose case does not represent the row.
#[derive(Debug)]
pub struct Other {
    /// Its file.
    pub path: PathBuf,
    shows: String,
}

/// Something wrong that other cases of a row show.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Also {
    /// The kind of operation, and what is wrong.
    pub shows: String,
    /// The files of these cases.
    pub cases: Vec<PathBuf>,
}

impl Other {
    pub(super) fn of(found: &Found) -> Self {
        Self {
            path: found.path.clone(),
            shows: shows(found),
        }
    }
}

impl Row {
    /// Adds the cases of another row, which `shortest` represented.
    pub(super) fn take_cases(&mut self, shortest: &Found, others: Vec<Other>) {
        for other in std::iter::once(Other::of(shortest)).chain(others) {
            if self.files().all(|file| file != other.path) {
                self.others.push(other);
            }
        }
    }
}

/// What the others show that `shortest` does not, with the cases of each.
pub(super) fn grouped(shortest: &Found, others: &[Other]) -> Vec<Also> {
    let own = match shortest.report.explanation.root {
        // The row then says what was wrong first, and not what the case shows.
        Some(_) => None,
        None => Some(shows(shortest)),
    };
    let mut all: Vec<Also> = Vec::new();
    let own_case = own.is_none().then(|| (shows(shortest), &shortest.path));
    let others = others
        .iter()
        .map(|other| (other.shows.clone(), &other.path));
    for (shows, path) in own_case.into_iter().chain(others) {
        if own.as_ref() == Some(&shows) {
            continue;
        }
        match all.iter_mut().find(|also| also.shows == shows) {
            Some(also) => also.cases.push(path.clone()),
            None => all.push(Also {
                shows,
                cases: vec![path.clone()],
            }),
        }
    }
    all
}

/// What a finding itself shows, whatever caused it.
fn shows(found: &Found) -> String {
    let finding = &found.report.finding;
    let at = match finding.situation() {
        Some(situation) => situation.kind.word(),
        None => "the end of the case",
    };
    format!("{at}: {}", finding.clause.broken())
}
