//! How bad a finding is: as bad as its clause says, unless more is known about it.

use super::Report;
use super::doubts::doubt;
use oracle::Severity;

/// How bad a finding is. For a questionable one, also why an author may disagree.
pub(super) fn severity(report: &Report) -> (Severity, Option<&'static str>) {
    if report.explanation.root.is_some() {
        return (report.clause().severity(), None);
    }
    if report.ending.slow().is_some() {
        return (Severity::NotLazy, None);
    }
    if let Some(why) = doubt(report) {
        return (Severity::Questionable, Some(why));
    }
    let severity = if report.ending.is_dead() {
        Severity::WrongResult
    } else if report.identity.bug().gets_through() {
        Severity::BreaksIsolation
    } else {
        report.clause().severity()
    };
    (severity, None)
}
