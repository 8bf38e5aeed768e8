//! Findings put in order: one row for what is likely to be one bug.

use super::severity::{Severity, severity};
use crate::campaign::Found;
use oracle::{Clause, PageState, Situation, Verdict};
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
    /// The state of the page that was touched, in the language's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<&'static str>,
    /// The kinds of operations that show it, the first found first.
    pub operations: Vec<&'static str>,
    /// What had to happen, in the smallest case.
    pub expected: String,
    /// What happened.
    pub seen: String,
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

/// What findings of one row have in common.
#[derive(Clone, PartialEq, Eq)]
struct Kin {
    severity: Severity,
    clause: Clause,
    page: Option<PageState>,
    /// A panic's words: two panics are two bugs.
    words: Option<String>,
}

/// Puts findings into rows, the worst first.
pub fn rows(found: &[Found]) -> Vec<Row> {
    let mut rows: Vec<(Kin, Row)> = Vec::new();
    for one in found {
        let (severity, doubt) = severity(&one.finding);
        let situation = one.finding.situation();
        let page = situation.and_then(|situation| situation.page);
        let kin = Kin {
            severity,
            clause: one.finding.clause,
            page,
            words: (one.finding.clause == Clause::NoPanic).then(|| one.bucket.to_string()),
        };
        match rows.iter_mut().find(|(other, _)| *other == kin) {
            Some((_, row)) => row.join(one, situation),
            None => rows.push((kin, Row::new(one, severity, doubt, situation))),
        }
    }
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
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
        situation: Option<Situation>,
    ) -> Row {
        let page = situation.and_then(|situation| situation.page);
        Row {
            severity,
            doubt,
            verdict: found.finding.verdict,
            clause: found.finding.clause,
            page: page.map(PageState::word),
            operations: situation
                .map(|situation| situation.kind.word())
                .into_iter()
                .collect(),
            expected: found.finding.expected.to_string(),
            seen: found.finding.seen.to_string(),
            length: found.case.operations.len(),
            case: found.path.clone(),
            text: found.case.to_string(),
            others: Vec::new(),
            seconds: found.seconds,
        }
    }

    /// Takes another finding in; the shorter case speaks for both.
    fn join(&mut self, found: &Found, situation: Option<Situation>) {
        let word = situation.map(|situation| situation.kind.word());
        if let Some(word) = word.filter(|word| !self.operations.contains(word)) {
            self.operations.push(word);
        }
        let mut other = found.path.clone();
        if found.case.operations.len() < self.length {
            self.length = found.case.operations.len();
            self.expected = found.finding.expected.to_string();
            self.seen = found.finding.seen.to_string();
            self.text = found.case.to_string();
            std::mem::swap(&mut self.case, &mut other);
        }
        self.others.push(other);
    }
}
