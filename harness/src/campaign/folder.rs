//! A corpus in a folder: one text file for each case, and the work of earlier campaigns on it.

use crate::case_file::{self, CaseFileError, TEXT_ENDING};
use oracle::Case;
use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The file next to the cases that holds the work done so far.
const EFFORT: &str = "campaigns.json";

/// The work of all campaigns on one corpus together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// How many campaigns.
    pub campaigns: u64,
    /// Cases that they ran.
    pub executions: u64,
    /// How long, in seconds.
    pub seconds: f64,
}

/// The cases in `folder`, if there is such a folder yet.
///
/// # Errors
/// A file there cannot be read as a case.
pub fn stored(folder: &Path) -> Result<Vec<Case>, CaseFileError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    match case_file::list(folder) {
        Ok(paths) => paths.iter().map(|path| case_file::read(path)).collect(),
        Err(CaseFileError::Empty { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Writes a case to `folder`, under a name that no other case has.
///
/// # Errors
/// The file cannot be written.
pub fn write(folder: &Path, case: &Case) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(path(folder, case), case.to_string())
}

/// Removes a case that [`write`] wrote. If it is missing or has another name, nothing happens.
pub(super) fn remove(folder: &Path, case: &Case) -> io::Result<()> {
    match fs::remove_file(path(folder, case)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The work of earlier campaigns; zero if the folder does not say.
pub(super) fn effort(folder: &Path) -> Effort {
    let text = fs::read_to_string(folder.join(EFFORT)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

pub(super) fn write_effort(folder: &Path, effort: &Effort) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let text = serde_json::to_string_pretty(effort)?;
    fs::write(folder.join(EFFORT), text + "\n")
}

/// The name is made of the content, the same in every run.
fn path(folder: &Path, case: &Case) -> PathBuf {
    let mut hasher = FxHasher::default();
    case.to_bytes().hash(&mut hasher);
    folder.join(format!("{:016x}.{TEXT_ENDING}", hasher.finish()))
}
