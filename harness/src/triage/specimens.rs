//! Findings for tests: what the judge says about a kernel that does one thing wrong.

use super::ending::Ending;
use super::explain::Explanation;
use super::minimise::{Minimality, Minimised};
use super::{Found, Identity, Name, Report};
use oracle::{
    Case, Dialect, Event, Failure, Finding, Judge, Layout, Observation, Passage, Process, Setting,
};

/// What a kernel does in the last operation of a case. In the others it does nothing wrong.
pub(crate) enum Does {
    Returns(u64),
    /// What it says, and its functions, the innermost first.
    Panics(&'static str, &'static str),
    /// Its functions, the innermost first.
    SpendsItsTime(&'static str),
    FallsSilent,
    ChangesRegister,
}

/// A case whose last operation goes wrong, and the finding.
pub(crate) fn finding(text: &str, does: Does) -> (Case, Finding) {
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
        Does::ChangesRegister => {
            observation.failure = Some(Failure::Registers {
                process,
                register: "s10",
                expected: 1,
                seen: 2,
                passage: Passage::SystemCall,
            });
        }
        Does::SpendsItsTime(functions) => {
            observation.failure = Some(Failure::Hang);
            observation.stopped_in = Some(functions.into());
        }
    }
    let ended = judge.observe(&step, &observation).err();
    let noted = judge.noted().first().cloned();
    let finding = noted.or(ended).expect("the last operation goes wrong");
    (case, finding)
}

/// The finding, with nothing more known about it.
pub(crate) fn found(text: &str, does: Does) -> Found {
    found_with(text, does, Ending::CameBack)
}

/// The finding, which rests on a frame that is mapped and free.
pub(crate) fn found_resting_on_a_free_frame(text: &str, does: Does) -> Found {
    let mut found = found(text, does);
    let dialect = Dialect::xv6_2025();
    let judge = Judge::new(&dialect, &Setting::nominal(&dialect, 3));
    let report = &mut found.report;
    report.explanation.root = Some(judge.freed_of_supervisor(0x8020_0000));
    let name = Name::of(&report.finding, None);
    report.identity = Identity::of(name, &report.finding, &report.explanation, report.ending);
    found
}

/// The finding that the page at the start of the heap holds a byte that is not zero after the last operation of a case
/// that had to fail. `left_by` is the system call that stored it.
pub(crate) fn found_with_bytes(text: &str, left_by: Option<&'static str>) -> Found {
    let heap = Layout::nominal().heap;
    let mut found = found_with(text, Does::Returns(0), Ending::CameBack);
    let dialect = Dialect::xv6_2025();
    let mut judge = Judge::new(&dialect, &Setting::nominal(&dialect, 3));
    for (operation, value) in found.report.case().operations.iter().zip([heap, u64::MAX]) {
        let process = Process::FIRST;
        let step = judge.plan(operation).unwrap();
        let observation = Observation {
            events: vec![Event::Returned { process, value }],
            ..Observation::default()
        };
        judge.observe(&step, &observation).unwrap();
    }
    let report = &mut found.report;
    report.finding = judge
        .compare_page(Process::FIRST, heap, &[1])
        .expect_err("the page has to be zero");
    report.explanation.left_by = left_by;
    let name = Name::of(&report.finding, None);
    report.identity = Identity::of(name, &report.finding, &report.explanation, report.ending);
    found
}

/// The finding, with how its operation ended.
pub(crate) fn found_with(text: &str, does: Does, ending: Ending) -> Found {
    let (case, finding) = finding(text, does);
    Found {
        path: format!("{text}.case").into(),
        report: Report {
            identity: Identity::of(
                Name::of(&finding, None),
                &finding,
                &Explanation::default(),
                ending,
            ),
            finding,
            minimised: Minimised {
                operations_before: case.operations.len(),
                case,
                executions: 0,
                minimality: Minimality::Proved,
                needs: Vec::new(),
            },
            explanation: Explanation::default(),
            ending,
            avoided: Vec::new(),
            shown_without: Vec::new(),
            instructions: 1,
        },
        origin: "a test".to_owned(),
        executions: 1,
        seconds: 1.0,
    }
}
