//! What nights have in common, in a folder:
//!
//! - `corpus/TARGET/`: the cases that a target has collected, distilled;
//! - `findings/`: the smallest case of each bucket;
//! - `known-buckets`: the buckets that were reported once, one per line; without its line, a bucket
//!   is new again;
//! - `nights`: how many there were;
//! - `summary.md`, `summary.json`: the last night, for people and for programs.

use super::Night;
use crate::case_file::{self, CaseFileError};
use oracle::{Case, Profile};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file in it cannot be read or written.
    #[error("cannot keep the nightly state in {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The summary has no JSON form.
    #[error("cannot write the summary as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The folder, opened for a night.
pub(super) struct State {
    folder: PathBuf,
    known: BTreeSet<String>,
    new: Vec<String>,
}

impl State {
    /// Opens `folder`, which is made if it is not there.
    pub(super) fn open(folder: &Path) -> Result<State, StateError> {
        at(folder, fs::create_dir_all(folder))?;
        let known = read_if_there(&folder.join("known-buckets"))?;
        Ok(State {
            folder: folder.to_path_buf(),
            known: known.lines().map(str::to_owned).collect(),
            new: Vec::new(),
        })
    }

    /// Counts the night that begins, and returns its number. A night that was cut off counts too.
    pub(super) fn begin_night(&mut self) -> Result<u64, StateError> {
        let path = self.folder.join("nights");
        let before: u64 = read_if_there(&path)?.trim().parse().unwrap_or(0);
        let number = before.saturating_add(1);
        at(&path, fs::write(&path, format!("{number}\n")))?;
        Ok(number)
    }

    /// Where a target's cases are.
    pub(super) fn corpus(&self, target: Profile) -> PathBuf {
        self.folder.join("corpus").join(target.name())
    }

    /// Where findings go.
    pub(super) fn findings(&self) -> PathBuf {
        self.folder.join("findings")
    }

    /// Writes a bucket down at once, on disk. Returns whether no night has reported it before.
    pub(super) fn note_bucket(&mut self, bucket: &str) -> Result<bool, StateError> {
        if !self.known.insert(bucket.to_owned()) {
            return Ok(self.new.iter().any(|new| new == bucket));
        }
        self.new.push(bucket.to_owned());
        let lines: Vec<&str> = self.known.iter().map(String::as_str).collect();
        let path = self.folder.join("known-buckets");
        at(&path, fs::write(&path, lines.join("\n") + "\n"))?;
        Ok(true)
    }

    /// The buckets that this night was the first to report.
    pub(super) fn new_buckets(&self) -> &[String] {
        &self.new
    }

    /// How many buckets some night has reported.
    pub(super) fn known_buckets(&self) -> usize {
        self.known.len()
    }

    /// The cases that a target has collected, each with its file.
    pub(super) fn collected(&self, target: Profile) -> Result<Vec<(PathBuf, Case)>, CaseFileError> {
        let folder = self.corpus(target);
        let paths = match folder.exists().then(|| case_file::list(&folder)) {
            None | Some(Err(CaseFileError::Empty { .. })) => return Ok(Vec::new()),
            Some(paths) => paths?,
        };
        let read = |path: PathBuf| case_file::read(&path).map(|case| (path, case));
        paths.into_iter().map(read).collect()
    }

    /// Removes a case that adds nothing to the others.
    pub(super) fn remove(&self, path: &Path) -> Result<(), StateError> {
        at(path, fs::remove_file(path))
    }

    /// Writes the summary.
    pub(super) fn end_night(&self, night: &Night) -> Result<(), StateError> {
        let json = serde_json::to_string_pretty(night)? + "\n";
        for (name, text) in [("summary.md", night.page()), ("summary.json", json)] {
            let path = self.folder.join(name);
            at(&path, fs::write(&path, text))?;
        }
        Ok(())
    }
}

fn read_if_there(path: &Path) -> Result<String, StateError> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        result => at(path, result),
    }
}

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, StateError> {
    result.map_err(|source| StateError::Io {
        path: path.to_path_buf(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::State;
    use std::fs;

    #[test]
    fn a_bucket_is_new_in_one_night_only() {
        let folder = std::env::temp_dir().join(format!("faultline-nights-{}", std::process::id()));
        let mut first = State::open(&folder).unwrap();
        assert_eq!(first.begin_night().unwrap(), 1);
        assert!(first.note_bucket("leak/frames-come-back").unwrap());
        // Another target finds it in the same night.
        assert!(first.note_bucket("leak/frames-come-back").unwrap());
        assert_eq!(first.new_buckets(), ["leak/frames-come-back"]);
        drop(first);
        let mut second = State::open(&folder).unwrap();
        assert_eq!(second.begin_night().unwrap(), 2);
        assert!(!second.note_bucket("leak/frames-come-back").unwrap());
        assert!(second.note_bucket("hang/ends-in-time").unwrap());
        assert_eq!(second.new_buckets(), ["hang/ends-in-time"]);
        assert_eq!(second.known_buckets(), 2);
        fs::remove_dir_all(&folder).unwrap();
    }
}
