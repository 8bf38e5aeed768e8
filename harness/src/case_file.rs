//! Cases on disk: text files that people write, binary files that fuzz engines write.

use crate::guest::origin::{BadOrigin, Origin};
use miette::Diagnostic;
use oracle::Case;
use oracle::case::{Document, ParseError};
use oracle::generation::repaired_case;
use std::path::{Path, PathBuf};

/// The ending of text cases.
pub const TEXT_ENDING: &str = "case";

/// A file that holds no case.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum CaseFileError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
    /// The text is not a case.
    #[error("{} is not a case", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The error, with its place in the text.
        #[source]
        #[diagnostic_source]
        error: ParseError,
    },
    /// The lines that say where the case was found are wrong.
    #[error("{}: {error}", path.display())]
    BadOrigin {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        #[source]
        #[diagnostic_source]
        error: BadOrigin,
    },
    /// The folder holds no case.
    #[error("no case file (ending in .{TEXT_ENDING}) in {}", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

/// Reads a case, in text or binary form: a text says `faultline` in its first line that is neither
/// blank nor a comment, or is named as one; everything else is binary, and every binary is a case.
///
/// # Errors
/// Says which file, and for text which line and column.
pub fn read(path: &Path) -> Result<Case, CaseFileError> {
    let bytes = read_bytes(path)?;
    match text(path, &bytes) {
        Some(text) => parse(path, text).map(|document| document.case()),
        None => Ok(repaired_case(&bytes)),
    }
}

/// Where a case was found, if the file says so.
///
/// # Errors
/// The file cannot be read, or what it says of that is wrong.
pub fn origin(path: &Path) -> Result<Option<Origin>, CaseFileError> {
    let bytes = read_bytes(path)?;
    let Some(text) = text(path, &bytes) else {
        return Ok(None);
    };
    Origin::in_text(text).map_err(|error| CaseFileError::BadOrigin {
        path: path.to_path_buf(),
        error,
    })
}

/// Reads the text cases below all of `folders` (see [`list`]).
///
/// # Errors
/// As [`list`] and [`read`].
pub fn read_all(folders: &[PathBuf]) -> Result<Vec<Case>, CaseFileError> {
    let mut cases = Vec::new();
    for folder in folders {
        for path in list(folder)? {
            cases.push(read(&path)?);
        }
    }
    Ok(cases)
}

/// Reads every case below all of `folders` (see [`list_every`]).
///
/// # Errors
/// As [`read`]; or a folder cannot be read.
pub fn read_every(folders: &[PathBuf]) -> Result<Vec<Case>, CaseFileError> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(folder, &may_be_case, &mut paths)?;
    }
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// The files below `folder` that may be cases, text or binary, as fuzz engines leave them, sorted by path.
/// Only hidden files and JSON are passed over.
///
/// # Errors
/// When the folder cannot be read or holds none.
pub fn list_every(folder: &Path) -> Result<Vec<PathBuf>, CaseFileError> {
    list_those(folder, &may_be_case)
}

fn may_be_case(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && path.extension().is_none_or(|ending| ending != "json")
}

/// A case from bytes of either form, as a fuzz engine has them: text where it says that it is one
/// and parses, else binary. Every byte string is a case.
pub fn from_bytes(bytes: &[u8]) -> Case {
    says_text(bytes)
        .and_then(|text| Document::parse(text).ok())
        .map_or_else(|| repaired_case(bytes), |document| document.case())
}

/// Reads a text case with its comments.
///
/// # Errors
/// As [`read`].
pub fn read_document(path: &Path) -> Result<Document, CaseFileError> {
    let bytes = read_bytes(path)?;
    match text(path, &bytes) {
        Some(text) => parse(path, text),
        None => Ok(Document::from_case(&repaired_case(&bytes))),
    }
}

/// The text cases below `folder`, or `folder` itself if it is a file, sorted by path.
///
/// # Errors
/// When the folder cannot be read or holds none.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, CaseFileError> {
    list_those(folder, &|path: &Path| {
        path.extension().is_some_and(|ending| ending == TEXT_ENDING)
    })
}

fn list_those(
    folder: &Path,
    wanted: &impl Fn(&Path) -> bool,
) -> Result<Vec<PathBuf>, CaseFileError> {
    let mut found = Vec::new();
    collect(folder, wanted, &mut found)?;
    found.sort();
    if found.is_empty() {
        return Err(CaseFileError::Empty {
            path: folder.to_path_buf(),
        });
    }
    Ok(found)
}

/// Adds the files below `path` that are `wanted`; if `path` is a file, it is always added.
fn collect(
    path: &Path,
    wanted: &impl Fn(&Path) -> bool,
    found: &mut Vec<PathBuf>,
) -> Result<(), CaseFileError> {
    let unreadable = |source| CaseFileError::Unreadable {
        path: path.to_path_buf(),
        source,
    };
    if path.is_file() {
        found.push(path.to_path_buf());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?.path();
        if entry.is_dir() {
            collect(&entry, wanted, found)?;
        } else if wanted(&entry) {
            found.push(entry);
        }
    }
    Ok(())
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, CaseFileError> {
    std::fs::read(path).map_err(|source| CaseFileError::Unreadable {
        path: path.to_path_buf(),
        source,
    })
}

fn text<'a>(path: &Path, bytes: &'a [u8]) -> Option<&'a str> {
    if path.extension().is_some_and(|ending| ending == TEXT_ENDING) {
        return std::str::from_utf8(bytes).ok();
    }
    says_text(bytes)
}

/// The text, if its first line that is neither blank nor a comment begins as a case does.
fn says_text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'))?;
    first.starts_with("faultline").then_some(text)
}

fn parse(path: &Path, text: &str) -> Result<Document, CaseFileError> {
    Document::parse(text).map_err(|error| CaseFileError::Malformed {
        path: path.to_path_buf(),
        error,
    })
}
