//! A row as JSON shows it.

use super::{Also, Row};
use crate::triage::minimise::Minimality;
use crate::triage::{Standing, Upstream};
use oracle::{Clause, PageState, Severity, Verdict};
use serde::{Serialize, Serializer};
use std::path::Path;

/// The fields, in their order.
#[derive(Serialize)]
struct Shown<'a> {
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<&'static str>,
    verdict: Verdict,
    clause: Clause,
    wrong: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suspects: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    defect: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'static str>,
    operations: &'a [&'static str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    machine: Vec<&'static str>,
    expected: &'a str,
    seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    minimality: Minimality,
    length: usize,
    case: &'a Path,
    text: String,
    also_shows_as: Vec<Also>,
    others: Vec<&'a Path>,
    executions: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<Standing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<&'static Upstream>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_in_baseline: bool,
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = &self.shortest.report;
        let shown = Shown {
            severity: self.severity,
            doubt: self.doubt,
            verdict: self.clause.verdict(),
            clause: self.clause,
            wrong: &self.wrong,
            suspects: self.suspects(),
            defect: self.defect.as_ref().map(|defect| defect.field),
            source: self.defect.as_ref().map(|defect| defect.source),
            page: self.page.map(PageState::word),
            operations: &self.operations,
            machine: self.variations(),
            expected: &report.root().expected,
            seen: report.seen(),
            place: report.explanation.place(),
            minimality: report.minimised.minimality,
            length: self.shortest.length(),
            case: &self.shortest.path,
            text: report.case().to_string(),
            also_shows_as: self.also_shows_as(),
            others: self.files().skip(1).collect(),
            executions: self.executions,
            standing: self.standing,
            upstream: self.upstream,
            is_in_baseline: self.is_in_baseline,
        };
        shown.serialize(serializer)
    }
}
