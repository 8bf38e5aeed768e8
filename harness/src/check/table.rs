//! Findings put in order: one row for what is likely to be one bug.

use super::kin::Kin;
use super::severity::{Severity, severity};
use crate::campaign::Found;
use crate::minimise::Minimality;
use oracle::{Clause, PageState, Verdict};
use serde::Serialize;
use std::path::PathBuf;

/// What is likely to be one bug: the same rule broken on pages in the same state.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// How bad it is.
    pub severity: Severity,
    /// For a questionable one, why an author may disagree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<&'static str>,
    /// The kind of wrong.
    pub verdict: Verdict,
    /// The rule that is broken.
    pub clause: Clause,
    /// What is wrong, in words.
    pub wrong: &'static str,
    /// The state of the page that was touched, in the language's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<&'static str>,
    /// The kinds of operations that show it, the first found first.
    pub operations: Vec<&'static str>,
    /// What had to happen, in the smallest case.
    pub expected: String,
    /// What happened.
    pub seen: String,
    /// Where in the kernel it went wrong, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Whether the smallest case is known to be minimal.
    pub minimality: Minimality,
    /// Operations of the smallest case.
    pub length: usize,
    /// The file of the smallest case.
    pub case: PathBuf,
    /// The smallest case.
    pub text: String,
    /// The cases of the other buckets that fell into this row.
    pub others: Vec<PathBuf>,
    /// After how many seconds it was found first.
    pub seconds: f64,
}

/// Puts findings into rows, the worst first.
pub fn rows(found: &[Found]) -> Vec<Row> {
    let mut rows: Vec<(Severity, Kin, Row)> = Vec::new();
    for one in found {
        let (severity, doubt) = severity(one);
        let kin = Kin::of(one);
        // What an author may disagree with is one question, however often it is met.
        let same = |(other_severity, other, row): &&mut (Severity, Kin, Row)| {
            let alike = match doubt {
                Some(_) => row.doubt == doubt,
                None => *other == kin,
            };
            *other_severity == severity && alike
        };
        match rows.iter_mut().find(same) {
            Some((_, _, row)) => row.join(one),
            None => {
                let row = Row::new(one, severity, doubt, kin.page);
                rows.push((severity, kin, row));
            }
        }
    }
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, _, row)| row).collect();
    rows.sort_by(|a, b| {
        let key = |row: &Row| (row.severity, row.length);
        key(a).cmp(&key(b))
    });
    rows
}

impl Row {
    fn new(
        found: &Found,
        severity: Severity,
        doubt: Option<&'static str>,
        page: Option<PageState>,
    ) -> Row {
        Row {
            severity,
            doubt,
            verdict: found.finding.verdict,
            clause: found.finding.clause,
            wrong: wrong(found),
            page: page.map(PageState::word),
            operations: word(found).into_iter().collect(),
            expected: found.finding.expected.to_string(),
            seen: seen(found),
            place: found.place.clone(),
            minimality: found.minimality,
            length: found.case.operations.len(),
            case: found.path.clone(),
            text: found.case.to_string(),
            others: Vec::new(),
            seconds: found.seconds,
        }
    }

    /// Takes another finding in; the shorter case speaks for both.
    fn join(&mut self, found: &Found) {
        if let Some(word) = word(found).filter(|word| !self.operations.contains(word)) {
            self.operations.push(word);
        }
        let mut other = found.path.clone();
        if found.case.operations.len() < self.length {
            self.length = found.case.operations.len();
            self.expected = found.finding.expected.to_string();
            self.seen = seen(found);
            self.place.clone_from(&found.place);
            self.minimality = found.minimality;
            self.text = found.case.to_string();
            std::mem::swap(&mut self.case, &mut other);
        }
        self.others.push(other);
    }
}

/// The kind of operation that a finding is about.
fn word(found: &Found) -> Option<&'static str> {
    found.situation().map(|situation| situation.kind.word())
}

fn wrong(found: &Found) -> &'static str {
    match found.slow {
        Some(_) => "the kernel walks memory that nobody has touched, page by page",
        None if found.has_died => Clause::InnocentLive.broken(),
        None => found.finding.clause.broken(),
    }
}

fn seen(found: &Found) -> String {
    match found.slow {
        Some(slow) => format!("{}; {slow}", found.finding.seen),
        None if found.has_died => format!("{}: it is dead", found.finding.seen),
        None => found.finding.seen.to_string(),
    }
}
