//! What a campaign found.

use super::Report;
use super::finding_file::{self, Destination};
use super::minimise::Minimality;
use super::slow::Slow;
use oracle::{Bucket, Case, Finding, Situation};
use serde::{Serialize, Serializer};
use std::io;
use std::path::PathBuf;
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
    /// Whether the case is known to be minimal.
    pub minimality: Minimality,
    /// Of a finding that only the end of a case shows: what it comes from.
    #[serde(skip)]
    pub cause: Option<Situation>,
    /// Of a step that takes too long: that it ends, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow: Option<Slow>,
    /// Whether the process that does not come back is dead; else it sleeps for ever.
    pub has_died: bool,
    /// Where in the kernel it went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Executions of the whole campaign when it was found.
    pub executions: u64,
    /// When that was, in seconds from the start.
    pub seconds: f64,
}

impl Found {
    /// Writes a report to `to`. `origin` is what found it, after so many executions and so long.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(
        report: &Report,
        to: &Destination,
        origin: &str,
        executions: u64,
        elapsed: Duration,
    ) -> io::Result<Found> {
        let path = finding_file::write(report, to, origin)?;
        Ok(Found {
            path,
            bucket: report.bucket.clone(),
            finding: report.finding.clone(),
            case: report.minimised.case.clone(),
            minimality: report.minimised.minimality,
            cause: report.cause,
            slow: report.slow,
            has_died: report.has_died,
            place: report.explanation.place(),
            executions,
            seconds: elapsed.as_secs_f64(),
        })
    }

    /// Takes over a smaller case of the same finding.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn replace(
        &mut self,
        report: &Report,
        to: &Destination,
        origin: &str,
    ) -> io::Result<()> {
        let elapsed = Duration::from_secs_f64(self.seconds);
        *self = Found::keep(report, to, origin, self.executions, elapsed)?;
        Ok(())
    }

    /// What the operation met at which it went wrong, as far as that is known.
    pub fn situation(&self) -> Option<Situation> {
        self.cause.or(self.finding.situation())
    }
}

fn as_text<S: Serializer>(case: &Case, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(case)
}
