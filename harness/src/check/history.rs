//! What a check leaves for the next check of the same kernel: a file beside its cases.

use crate::guest::origin::OriginFile;
use crate::triage::rows::Row;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::{fs, io};

/// The name of the file.
const FILE: &str = "check.json";

/// What a check did and found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct History {
    /// The version of Faultline. Another version may number features differently.
    pub(super) version: String,
    pub(super) seed: u64,
    pub(super) work: u64,
    /// The kernel as it was then.
    pub(super) kernel: OriginFile,
    pub(super) rows: Vec<OldRow>,
    /// The state features of the cases in which nothing went wrong.
    pub(super) features: Vec<u16>,
}

/// A row of an earlier check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OldRow {
    /// What was wrong, in words.
    pub(super) wrong: String,
    /// The names of its case files.
    pub(super) cases: Vec<String>,
}

impl OldRow {
    pub(super) fn of(row: &Row) -> Self {
        Self {
            wrong: row.wrong.to_string(),
            cases: row.files().map(file_name).collect(),
        }
    }
}

impl History {
    /// The history in `folder`; `None` if there is none or it cannot be read.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Writes it to `folder`, over an older one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join(FILE), serde_json::to_string(self)? + "\n")
    }
}

/// The last part of a path.
pub(super) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
