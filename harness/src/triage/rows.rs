//! Findings put in order: one row for what is likely to be one bug.

use super::identity::bug::Kin;
use super::severity::severity;
use crate::triage::Found;
use crate::triage::minimise::Minimality;
use oracle::{Clause, PageState, Severity, Verdict};
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
        None if Kin::of(found).gets_through() => {
            "a system call reads or writes where the program may not"
        }
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

#[cfg(test)]
mod tests {
    use super::{Row, rows};
    use crate::triage::Found;
    use crate::triage::minimise::Minimality;
    use oracle::{
        Case, Dialect, Event, Failure, Judge, Layout, Observation, Process, Setting, Severity,
        bucket,
    };

    /// What a kernel does in the last operation of a case; in those before it does nothing wrong.
    enum Does {
        Returns(u64),
        Panics(&'static str, &'static str),
        FallsSilent,
    }

    fn found(text: &str, does: Does) -> Found {
        let case = Case::parse(&format!("faultline 1\n{text}")).unwrap();
        let dialect = Dialect::xv6_2025();
        let mut judge = Judge::new(&dialect, &Setting::nominal(&dialect, 3));
        let process = Process::FIRST;
        let returns = |value| Event::Returned { process, value };
        let (last, before) = case.operations.split_last().unwrap();
        for operation in before {
            let step = judge.plan(operation).unwrap();
            let observation = Observation {
                events: vec![returns(Layout::nominal().heap)],
                ..Observation::default()
            };
            judge.observe(&step, &observation).unwrap();
        }
        let step = judge.plan(last).unwrap();
        let mut observation = Observation::default();
        match does {
            Does::Returns(value) => observation.events.push(returns(value)),
            Does::FallsSilent => observation.events.push(Event::Silent {
                process,
                killed_message: false,
                trap: None,
            }),
            Does::Panics(said, functions) => {
                observation.failure = Some(Failure::Panic { text: said.into() });
                observation.stopped_in = Some(functions.into());
            }
        }
        let finding = judge.observe(&step, &observation).unwrap_err();
        Found {
            path: format!("{text}.case").into(),
            bucket: bucket(&finding),
            finding,
            case,
            minimality: Minimality::Proved,
            cause: None,
            slow: None,
            has_died: false,
            place: None,
            executions: 1,
            seconds: 1.0,
        }
    }

    fn severities(rows: &[Row]) -> Vec<Severity> {
        rows.iter().map(|row| row.severity).collect()
    }

    #[test]
    fn a_panic_is_one_row_whoever_leads_to_it() {
        let one = Does::Panics("panic: remap", "mappages<copyout<filestat");
        let other = Does::Panics("panic: remap", "mappages<copyin<pipewrite");
        let another = Does::Panics("panic: walk", "walk<walkaddr<copyin");
        let found = [
            found("a: fstat 0 guard[0]", one),
            found("a: write 0 guard[0] 1", other),
            found("a: write 0 maxva[0] 1", another),
        ];
        let rows = rows(&found);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].operations, ["fstat", "write"]);
        assert_eq!(rows[0].others.len(), 1);
    }

    #[test]
    fn a_function_that_serves_others_is_not_what_panics() {
        let said = "panic: kerneltrap";
        let found = [
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
        assert_eq!(rows(&found).len(), 2);
    }

    #[test]
    fn the_worst_comes_first() {
        let refused = u64::MAX;
        let found = [
            found("a: kill pid 0", Does::Returns(0)),
            found("a: sbrk +1p\na: open heap[0]", Does::Returns(refused)),
            found("a: pipe text[0]", Does::Returns(0)),
            found(
                "a: getpid",
                Does::Panics("panic: acquire", "acquire<myproc<sys_getpid"),
            ),
        ];
        let rows = rows(&found);
        let wanted = [
            Severity::BreaksTheMachine,
            Severity::BreaksIsolation,
            Severity::WrongResult,
            Severity::Questionable,
        ];
        assert_eq!(severities(&rows), wanted);
        assert!(rows[3].doubt.is_some_and(|why| why.contains("free slot")));
        assert_eq!(rows[1].page, Some("text"));
        assert!(rows[1].wrong.contains("may not"));
    }

    #[test]
    fn a_refusal_is_one_row_for_calls_that_share_the_code() {
        let lazy = |call: &str| found(&format!("a: sbrk +1p\na: {call}"), Does::Returns(u64::MAX));
        let rows = rows(&[
            lazy("open heap[0]"),
            lazy("chdir heap[0]"),
            lazy("pipe heap[0]"),
        ]);
        let shown: Vec<_> = rows.iter().map(|row| row.operations.clone()).collect();
        assert_eq!(shown, [vec!["open", "chdir"], vec!["pipe"]]);
    }

    #[test]
    fn to_die_in_silence_is_no_standstill() {
        let mut silent = found("a: getpid", Does::FallsSilent);
        assert_eq!(severities(&rows(&[silent])), [Severity::BreaksTheMachine]);
        silent = found("a: getpid", Does::FallsSilent);
        silent.has_died = true;
        let rows = rows(&[silent]);
        assert_eq!(severities(&rows), [Severity::WrongResult]);
        assert!(rows[0].seen.ends_with("it is dead"), "{}", rows[0].seen);
    }
}
