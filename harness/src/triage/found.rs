//! A finding in a file.

use super::Report;
use super::ending::Slow;
use super::finding_file::{self, Destination};
use super::minimise::Minimality;
use oracle::{Bucket, Case, Finding};
use serde::{Serialize, Serializer};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A finding, and its file.
#[derive(Debug)]
pub struct Found {
    /// The case file.
    pub path: PathBuf,
    /// What is known about it.
    pub report: Report,
    /// What found it.
    pub origin: String,
    /// Executions of the whole campaign when it was found.
    pub executions: u64,
    /// When that was, in seconds from the start.
    pub seconds: f64,
}

impl Found {
    /// Writes a report to `to`. `origin` is what found it. `executions` and `elapsed` are what the campaign had spent
    /// when it was found.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(
        report: Report,
        to: &Destination,
        origin: String,
        executions: u64,
        elapsed: Duration,
    ) -> io::Result<Found> {
        Ok(Found {
            path: finding_file::write(&report, to, &origin)?,
            report,
            origin,
            executions,
            seconds: elapsed.as_secs_f64(),
        })
    }

    /// Takes over a report of the same finding with a smaller case.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn replace(&mut self, report: Report, to: &Destination) -> io::Result<()> {
        self.report = report;
        self.path = finding_file::write(&self.report, to, &self.origin)?;
        Ok(())
    }

    /// Operations of its case.
    pub fn length(&self) -> usize {
        self.report.case().operations.len()
    }
}

/// A finding as JSON shows it.
#[derive(Serialize)]
struct Shown<'a> {
    path: &'a PathBuf,
    bucket: &'a Bucket,
    finding: &'a Finding,
    #[serde(serialize_with = "as_text")]
    case: &'a Case,
    minimality: Minimality,
    #[serde(skip_serializing_if = "Option::is_none")]
    slow: Option<Slow>,
    has_died: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    executions: u64,
    seconds: f64,
}

impl Serialize for Found {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = &self.report;
        let shown = Shown {
            path: &self.path,
            bucket: report.identity.bucket(),
            finding: &report.finding,
            case: report.case(),
            minimality: report.minimised.minimality,
            slow: report.ending.slow(),
            has_died: report.ending.is_dead(),
            place: report.explanation.place(),
            executions: self.executions,
            seconds: self.seconds,
        };
        shown.serialize(serializer)
    }
}

fn as_text<S: Serializer>(case: &Case, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(case)
}
