//! Findings in rows: one row for what is likely to be one bug.

mod also;
mod defective;
mod groups;
mod repaired;
mod shown;
mod words;

pub use also::{Also, Other};
pub use defective::join_defective;
pub use repaired::join_repaired;

use super::Found;
use super::explain::Controls;
use super::standing::Standing;
use super::upstream::Upstream;
use crate::guest::symbols::Symbols;
use crate::runner::Runner;
use groups::Group;
use oracle::dialect::Defect;
use oracle::{Clause, PageState, Severity, Variation};
use std::borrow::Cow;
use std::path::Path;
use words::{function, word, wrong};

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
    pub wrong: Cow<'static, str>,
    /// The known defect, if it is one.
    pub defect: Option<Defect>,
    /// The state of the page that was touched, if it matters.
    pub page: Option<PageState>,
    /// The function of the kernel that the findings point to.
    function: Option<String>,
    /// The system calls that leave wrong bytes in memory, or that have an effect although they fail.
    calls: Vec<&'static str>,
    /// The kinds of operations that show it, in the order in which they were found.
    pub operations: Vec<&'static str>,
    /// The finding with the smallest case, which represents all.
    pub shortest: Found,
    /// The other findings in this row.
    pub others: Vec<Other>,
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
    let mut rows: Vec<Row> = groups::of(findings)
        .into_iter()
        .filter_map(Row::of)
        .collect();
    sort(&mut rows);
    rows
}

/// Puts the worst row first. Of rows that are equally bad, the one with the shortest case comes first.
pub fn sort(rows: &mut [Row]) {
    rows.sort_by_key(|row| (row.severity, row.shortest.length()));
}

/// Names the known bugs of the public xv6 among the rows of a kernel with these symbols, and puts them last.
pub fn name_upstream(rows: &mut [Row], symbols: &Symbols) {
    for row in rows.iter_mut() {
        let defect = row.defect.as_ref().map(|defect| defect.field);
        row.upstream = Upstream::shown_by(&row.shortest.report, defect, symbols);
    }
    rows.sort_by_key(|row| row.upstream.is_some());
}

impl Row {
    /// The row of a known defect. Its sentence says what is wrong, whatever its case looks like.
    pub fn of_defect(found: Found, defect: &Defect) -> Row {
        let severity = match defect.doubt {
            Some(_) => Severity::Questionable,
            None => found.report.finding.clause.severity(),
        };
        Row {
            wrong: defect.sentence.into(),
            page: None,
            defect: Some(defect.clone()),
            ..Row::new(found, severity, defect.doubt)
        }
    }

    /// The row of a group of findings. `None` if there are none.
    fn of(group: Group) -> Option<Row> {
        let mut findings = group.into_iter();
        let first = findings.next()?;
        let mut row = Row::new(first.found, first.severity, first.doubt);
        for other in findings {
            row.join(other.found, other.severity);
        }
        Some(row)
    }

    fn new(found: Found, severity: Severity, doubt: Option<&'static str>) -> Row {
        Row {
            severity,
            doubt,
            clause: found.report.clause(),
            wrong: wrong(&found),
            defect: None,
            page: found.report.identity.bug().page,
            function: function(&found),
            calls: found.report.explanation.wrong_call().into_iter().collect(),
            operations: word(&found).into_iter().collect(),
            executions: found.executions,
            shortest: found,
            others: Vec::new(),
            standing: None,
            upstream: None,
            is_in_baseline: false,
        }
    }

    /// What is wrong, and near which functions, as far as that is known.
    pub fn sentence(&self) -> String {
        format!(
            "{}: {}{}",
            self.severity,
            self.wrong,
            words::near(&self.suspects())
        )
    }

    /// Looks for repairs of the finding that represents the row.
    pub fn look_for_repairs(&mut self, runner: &mut Runner, controls: &Controls) {
        self.shortest.report.look_for_repairs(runner, controls);
    }

    /// What the machine has to do for it that most machines do not do, a sentence each: the specification allows it.
    pub fn variations(&self) -> Vec<&'static str> {
        let variations = self.shortest.report.case().variations();
        variations.map(Variation::about).collect()
    }

    /// The functions of the kernel that are most likely to be wrong, the likeliest first, as far as that is known.
    pub fn suspects(&self) -> Vec<&str> {
        let explanation = &self.shortest.report.explanation;
        explanation.suspects(self.function.as_deref())
    }

    /// The files of its findings. The first is the shortest case.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let others = self.others.iter().map(|other| other.path.as_path());
        std::iter::once(self.shortest.path.as_path()).chain(others)
    }

    /// What else shows it: other operations than those of its own case, or other rules.
    pub fn also_shows_as(&self) -> Vec<Also> {
        also::grouped(&self.shortest, &self.others)
    }

    /// Adds another finding. The shorter case represents both.
    fn join(&mut self, found: Found, severity: Severity) {
        if let Some(word) = word(&found).filter(|word| !self.operations.contains(word)) {
            self.operations.push(word);
        }
        if let Some(call) = found.report.explanation.wrong_call()
            && !self.calls.contains(&call)
        {
            self.calls.push(call);
        }
        let function = function(&found);
        // A doubtful finding does not represent a row that is not doubtful.
        let is_weaker = self.doubt.is_none() && severity == Severity::Questionable;
        let other = if found.length() < self.shortest.length() && !is_weaker {
            let row = Row::new(found, severity, self.doubt);
            self.severity = severity.min(self.severity);
            self.function = function.or(self.function.take());
            (self.clause, self.wrong, self.page) = (row.clause, row.wrong, row.page);
            std::mem::replace(&mut self.shortest, row.shortest)
        } else {
            self.function = self.function.take().or(function);
            found
        };
        if self.calls.len() > 1 {
            // The code that they share is wrong.
            let explanation = &self.shortest.report.explanation;
            let shared = explanation.storer().or(explanation.function());
            self.function = shared.map(str::to_owned);
            self.wrong = words::of_calls(&self.shortest);
        }
        // Findings of one name share a file.
        let own = &self.shortest.path;
        self.others.retain(|known| known.path != *own);
        if self.files().all(|file| file != other.path) {
            self.others.push(Other::of(&other));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, rows};
    use crate::triage::ending::Ending;
    use crate::triage::specimens::{
        Does, found, found_resting_on_a_free_frame, found_with, found_with_bytes,
    };
    use oracle::{Clause, PageState, Severity};
    use std::path::Path;

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
            found_with("a: pause -1", Does::FallsSilent, Ending::Never),
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
        assert!(rows[3].doubt.is_some_and(|why| why.contains("unsigned")));
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
    fn findings_that_rest_on_one_mistake_are_one_row() {
        let refused = || Does::Returns(u64::MAX);
        let found = vec![
            found_resting_on_a_free_frame("a: sbrk +1p\na: open heap[0]", refused()),
            found_resting_on_a_free_frame("a: getpid", Does::Panics("panic: walk", "walk<fork")),
            found("a: sbrk +1p\na: pipe heap[0]", refused()),
        ];
        let rows = rows(found);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].clause, Clause::MappedNotFree);
        assert_eq!(rows[0].severity, Severity::BreaksIsolation);
        assert_eq!(
            rows[0].sentence(),
            "breaks isolation: a page maps a frame that is free"
        );
        let shows: Vec<_> = rows[0].also_shows_as().into_iter().collect();
        let words: Vec<&str> = shows.iter().map(|also| also.shows.as_str()).collect();
        let wanted = [
            "getpid: the kernel panics",
            "open: a system call returns a wrong value",
        ];
        assert_eq!(words, wanted);
        assert_eq!(
            shows[1].cases,
            [Path::new("a: sbrk +1p\na: open heap[0].case")]
        );
        assert!(rows[1].also_shows_as().is_empty());
    }

    #[test]
    fn a_page_that_a_call_stored_to_is_not_fresh() {
        let text = "a: sbrk +1p\na: read 9 heap[0] 1";
        let stored = |left_by| rows(vec![found_with_bytes(text, left_by)]).remove(0);
        let by_a_call = stored(Some("read"));
        assert_eq!(by_a_call.clause, Clause::PageContent);
        let sentence = "breaks isolation: read leaves wrong bytes in memory";
        assert_eq!(by_a_call.sentence(), sentence);
        let by_nobody = stored(None);
        assert_eq!(by_nobody.clause, Clause::FreshPageZero);
        let sentence = "breaks isolation: a fresh page is not zero";
        assert_eq!(by_nobody.sentence(), sentence);
    }

    #[test]
    fn a_point_of_doubt_is_one_row_and_a_file_is_listed_once() {
        let sleeps = |text: &str| found_with(text, Does::FallsSilent, Ending::Never);
        let doubtful = || sleeps("a: pause -1");
        let again = sleeps("a: sbrk +1p\na: pause -1");
        let rows = rows(vec![doubtful(), again, doubtful()]);
        assert_eq!(severities(&rows), [Severity::Questionable]);
        assert_eq!(rows[0].files().count(), 2);
    }

    #[test]
    fn the_shorter_case_represents_its_row() {
        let long = found("a: sbrk +1p\na: kill pid 0", Does::Returns(0));
        let short = found("a: kill pid 0", Does::Returns(0));
        let (long_path, short_path) = (long.path.clone(), short.path.clone());
        let rows = rows(vec![long, short]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].shortest.path, short_path);
        assert_eq!(rows[0].others[0].path, long_path);
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
                      case text also_shows_as others executions";
        assert_eq!(shown.join(" "), wanted);
    }
}
