//! What a campaign found.

use crate::finding_file;
use crate::fuzzing::Report;
use oracle::{Bucket, Case, Finding};
use serde::{Serialize, Serializer};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A finding, and where it lies.
#[derive(Debug, Serialize)]
pub struct Found {
    /// The case file.
    pub path: PathBuf,
    /// Its signature.
    pub bucket: Bucket,
    /// What is wrong.
    pub finding: Finding,
    /// The case that shows it; in JSON its text.
    #[serde(serialize_with = "as_text")]
    pub case: Case,
    /// Executions of the whole campaign when it was found.
    pub executions: u64,
    /// When that was, in seconds from the start.
    pub seconds: f64,
}

impl Found {
    /// Writes a report to `folder`. `origin` is what found it, after so many executions and so long.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(
        report: Report,
        folder: &Path,
        origin: &str,
        executions: u64,
        elapsed: Duration,
    ) -> io::Result<Found> {
        let path = finding_file::write(&report, folder, origin)?;
        Ok(Found {
            path,
            bucket: report.bucket,
            finding: report.finding,
            case: report.minimised.case,
            executions,
            seconds: elapsed.as_secs_f64(),
        })
    }
}

fn as_text<S: Serializer>(case: &Case, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(case)
}
