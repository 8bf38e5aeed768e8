//! Findings put in order: one row for what is likely to be one bug.

use super::Found;
use super::ending::Ending;
use super::identity::Bug;
use super::minimise::Minimality;
use super::severity::severity;
use super::standing::Standing;
use super::upstream::Upstream;
use crate::guest::symbols::Symbols;
use oracle::dialect::Defect;
use oracle::{Clause, PageState, Severity, Verdict};
use serde::{Serialize, Serializer};
use std::path::{Path, PathBuf};

/// What is likely to be one bug, with every finding that shows it.
#[derive(Debug)]
pub struct Row {
    /// How bad it is.
    pub severity: Severity,
    /// For a questionable one, why an author may disagree.
    pub doubt: Option<&'static str>,
    /// The rule that the first finding breaks.
    pub clause: Clause,
    /// What is wrong, in words.
    pub wrong: &'static str,
    /// For a defect that some kernels are known for, which it is.
    pub defect: Option<Defect>,
    /// The state of the page that was touched, if it matters.
    pub page: Option<PageState>,
    /// The kinds of operations that show it, the first found first.
    pub operations: Vec<&'static str>,
    /// The finding with the smallest case, which represents all.
    pub shortest: Found,
    /// The files of the other findings in this row.
    pub others: Vec<PathBuf>,
    /// Executions until the first finding.
    pub executions: u64,
    /// How it compares with the last check of the kernel, if there was one.
    pub standing: Option<Standing>,
    /// The known bug of the public xv6 that it is likely to be.
    pub upstream: Option<&'static Upstream>,
    /// Whether the baseline, if there is one, shows it too.
    pub is_in_baseline: bool,
}

/// Puts findings into rows, the worst first.
pub fn rows(findings: Vec<Found>) -> Vec<Row> {
    let mut rows: Vec<(Bug, Row)> = Vec::new();
    for found in findings {
        let (severity, doubt) = severity(&found.report);
        let bug = found.report.identity.bug();
        // A point on which an author may disagree is one row, however often it shows.
        let same = |(other, row): &&mut (Bug, Row)| {
            let alike = match doubt {
                Some(_) => row.doubt == doubt,
                None => other == bug,
            };
            row.severity == severity && alike
        };
        match rows.iter_mut().find(same) {
            Some((_, row)) => row.join(found),
            None => rows.push((bug.clone(), Row::new(found, severity, doubt))),
        }
    }
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    sort(&mut rows);
    rows
}

/// Puts the worst row first, and of equally bad ones the one with the shortest case.
pub fn sort(rows: &mut [Row]) {
    rows.sort_by_key(|row| (row.severity, row.shortest.length()));
}

/// Names the known bugs of the public xv6 among the rows of a kernel with these symbols, and puts them last.
pub fn name_upstream(rows: &mut [Row], symbols: &Symbols) {
    for row in rows.iter_mut() {
        row.upstream = Upstream::shown_by(&row.shortest.report, symbols);
    }
    rows.sort_by_key(|row| row.upstream.is_some());
}

impl Row {
    /// The row of a known defect. It says why that is wrong by itself, whatever its case looks like.
    pub fn of_defect(found: Found, defect: &Defect) -> Row {
        let severity = match defect.doubt {
            Some(_) => Severity::Questionable,
            None => found.report.finding.clause.severity(),
        };
        Row {
            wrong: defect.sentence,
            page: None,
            defect: Some(defect.clone()),
            ..Row::new(found, severity, defect.doubt)
        }
    }

    fn new(found: Found, severity: Severity, doubt: Option<&'static str>) -> Row {
        Row {
            severity,
            doubt,
            clause: found.report.finding.clause,
            wrong: wrong(&found),
            defect: None,
            page: found.report.identity.bug().page,
            operations: word(&found).into_iter().collect(),
            executions: found.executions,
            shortest: found,
            others: Vec::new(),
            standing: None,
            upstream: None,
            is_in_baseline: false,
        }
    }

    /// What is wrong, and in which function, as far as that is known.
    pub fn sentence(&self) -> String {
        let function = self
            .function()
            .map_or(String::new(), |function| format!(", in {function}"));
        format!("{}: {}{function}", self.severity, self.wrong)
    }

    /// The function of the kernel that is likely to be wrong, as far as that is known.
    pub fn function(&self) -> Option<&str> {
        self.shortest.report.explanation.function()
    }

    /// The files of its findings. The first is the shortest case.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let others = self.others.iter().map(PathBuf::as_path);
        std::iter::once(self.shortest.path.as_path()).chain(others)
    }

    /// Adds another finding. The shorter case represents both.
    fn join(&mut self, found: Found) {
        if let Some(word) = word(&found).filter(|word| !self.operations.contains(word)) {
            self.operations.push(word);
        }
        let longer = if found.length() < self.shortest.length() {
            std::mem::replace(&mut self.shortest, found)
        } else {
            found
        };
        self.others.push(longer.path);
    }
}

/// The kind of operation that a finding is about.
fn word(found: &Found) -> Option<&'static str> {
    let situation = found.report.identity.situation();
    situation.map(|situation| situation.kind.word())
}

/// What is wrong, for a person who does not know the names of the rules.
fn wrong(found: &Found) -> &'static str {
    let report = &found.report;
    match report.ending {
        Ending::Late(_) => "the kernel walks untouched memory page by page",
        Ending::Dead => Clause::InnocentLive.broken(),
        Ending::NotAsked | Ending::Never if report.identity.bug().gets_through() => {
            "a system call reads or writes memory that the program may not access"
        }
        Ending::NotAsked | Ending::Never => report.finding.clause.broken(),
    }
}

/// A row as JSON shows it.
#[derive(Serialize)]
struct Shown<'a> {
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<&'static str>,
    verdict: Verdict,
    clause: Clause,
    wrong: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    defect: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'static str>,
    operations: &'a [&'static str],
    expected: &'a str,
    seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    minimality: Minimality,
    length: usize,
    case: &'a Path,
    text: String,
    others: &'a [PathBuf],
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
            wrong: self.wrong,
            defect: self.defect.as_ref().map(|defect| defect.field),
            source: self.defect.as_ref().map(|defect| defect.source),
            page: self.page.map(PageState::word),
            operations: &self.operations,
            expected: &report.finding.expected,
            seen: report.seen(),
            place: report.explanation.place(),
            minimality: report.minimised.minimality,
            length: self.shortest.length(),
            case: &self.shortest.path,
            text: report.case().to_string(),
            others: &self.others,
            executions: self.executions,
            standing: self.standing,
            upstream: self.upstream,
            is_in_baseline: self.is_in_baseline,
        };
        shown.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, rows};
    use crate::triage::ending::Ending;

    use crate::triage::specimens::{Does, found, found_with};
    use oracle::{PageState, Severity};

    fn severities(rows: &[Row]) -> Vec<Severity> {
        rows.iter().map(|row| row.severity).collect()
    }

    #[test]
    fn a_panic_is_one_row_whatever_leads_to_it() {
        let one = Does::Panics("panic: remap", "mappages<copyout<filestat");
        let other = Does::Panics("panic: remap", "mappages<copyin<pipewrite");
        let another = Does::Panics("panic: walk", "walk<walkaddr<copyin");
        let found = vec![
            found("a: fstat 0 guard[0]", one),
            found("a: write 0 guard[0] 1", other),
            found("a: write 0 maxva[0] 1", another),
        ];
        let rows = rows(found);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].operations, ["fstat", "write"]);
        assert_eq!(rows[0].others.len(), 1);
    }

    #[test]
    fn a_function_that_serves_others_is_not_what_panics() {
        let said = "panic: kerneltrap";
        let found = vec![
            found(
                "a: fstat 0 heap[0]",
                Does::Panics(said, "memmove<copyout<filestat"),
            ),
            found(
                "a: pipe heap[0]",
                Does::Panics(said, "memmove<copyout<sys_pipe"),
            ),
            found(
                "a: write 0 heap[0] 1",
                Does::Panics(said, "memmove<copyin<pipewrite"),
            ),
        ];
        assert_eq!(rows(found).len(), 2);
    }

    #[test]
    fn the_worst_comes_first() {
        let refused = u64::MAX;
        let found = vec![
            found("a: kill pid 0", Does::Returns(0)),
            found("a: sbrk +1p\na: open heap[0]", Does::Returns(refused)),
            found("a: pipe text[0]", Does::Returns(0)),
            found(
                "a: getpid",
                Does::Panics("panic: acquire", "acquire<myproc<sys_getpid"),
            ),
        ];
        let rows = rows(found);
        let wanted = [
            Severity::BreaksTheMachine,
            Severity::BreaksIsolation,
            Severity::WrongResult,
            Severity::Questionable,
        ];
        assert_eq!(severities(&rows), wanted);
        assert!(rows[3].doubt.is_some_and(|why| why.contains("free slot")));
        assert_eq!(rows[1].page, Some(PageState::Text));
        assert!(rows[1].wrong.contains("may not"));
    }

    #[test]
    fn a_refusal_is_one_row_for_calls_that_share_the_code() {
        let lazy = |call: &str| found(&format!("a: sbrk +1p\na: {call}"), Does::Returns(u64::MAX));
        let rows = rows(vec![
            lazy("open heap[0]"),
            lazy("chdir heap[0]"),
            lazy("pipe heap[0]"),
        ]);
        let shown: Vec<_> = rows.iter().map(|row| row.operations.clone()).collect();
        assert_eq!(shown, [vec!["open", "chdir"], vec!["pipe"]]);
    }

    #[test]
    fn a_process_that_dies_without_a_message_does_not_hang() {
        let silent = |ending| found_with("a: getpid", Does::FallsSilent, ending);
        let asleep = rows(vec![silent(Ending::Never)]);
        assert_eq!(severities(&asleep), [Severity::BreaksTheMachine]);
        let dead = rows(vec![silent(Ending::Dead)]);
        assert_eq!(severities(&dead), [Severity::WrongResult]);
        let seen = dead[0].shortest.report.seen();
        assert!(seen.ends_with("it is dead"), "{seen}");
    }

    #[test]
    fn the_shorter_case_represents_its_row() {
        let long = found("a: sbrk +1p\na: kill pid 0", Does::Returns(0));
        let short = found("a: kill pid 0", Does::Returns(0));
        let (long_path, short_path) = (long.path.clone(), short.path.clone());
        let rows = rows(vec![long, short]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].shortest.path, short_path);
        assert_eq!(rows[0].others, [long_path]);
        let shown = serde_json::to_value(&rows[0]).unwrap();
        assert_eq!(shown["length"], 1);
        assert_eq!(shown["verdict"], "divergence");
        assert_eq!(shown["case"], short_path.to_str().unwrap());
    }

    #[test]
    fn programs_are_shown_the_same_fields_in_the_same_order() {
        let fields = |shown: String| -> Vec<String> {
            // A field of the outer object is indented by two blanks.
            let lines = shown.lines().filter_map(|line| line.strip_prefix("  \""));
            let names = lines.filter_map(|line| line.split('"').next());
            names.map(str::to_owned).collect()
        };
        let found = found("a: sbrk +1p\na: open heap[0]", Does::Returns(u64::MAX));
        let shown = fields(serde_json::to_string_pretty(&found).unwrap());
        let wanted = "path bucket finding case minimality has_died executions seconds";
        assert_eq!(shown.join(" "), wanted);
        let rows = rows(vec![found]);
        let shown = fields(serde_json::to_string_pretty(&rows[0]).unwrap());
        let wanted = "severity verdict clause wrong page operations expected seen minimality length \
                      case text others executions";
        assert_eq!(shown.join(" "), wanted);
    }
}
