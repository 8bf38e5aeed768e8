//! A finding that was looked into: made small, and explained.

use super::explain::Explanation;
use super::minimise::Minimised;
use super::slow::Slow;
use oracle::{Bucket, Finding, Situation};

/// A finding with the smallest case that shows it.
#[derive(Debug)]
pub struct Report {
    /// What is wrong, as the smallest case shows it.
    pub finding: Finding,
    /// Its signature.
    pub bucket: Bucket,
    /// The smallest case, and how it was come by.
    pub minimised: Minimised,
    /// Where in the kernel it went wrong.
    pub explanation: Explanation,
    /// Of a finding that only the end of a case shows, in a session that steers: what the operation
    /// met that it comes from.
    pub cause: Option<Situation>,
    /// Of a step that takes too long: that it ends, and when.
    pub slow: Option<Slow>,
    /// Whether the process that does not come back is dead.
    pub has_died: bool,
    /// What the case is to be steered around to show this and nothing else.
    pub avoided: Vec<Situation>,
    /// Guest instructions of one execution.
    pub instructions: u64,
}

impl Report {
    /// What tells it from others: the bucket, and its cause.
    pub fn name(&self) -> String {
        let mut name = self.bucket.to_string();
        if let Some(cause) = self.cause {
            name = format!("{name}/{}", cause.kind.word());
            if let Some(page) = cause.page {
                name = format!("{name}/{}", page.word());
            }
        }
        name
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.finding)?;
        writeln!(f, "bucket: {}", self.bucket)?;
        write!(f, "\n{}", self.minimised.case)
    }
}
