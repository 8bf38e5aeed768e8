//! What is no excuse: a refusal although enough frames are free, and a page that is gone from the page table although
//! a program can load from it.

use oracle::model::FAILED;
use oracle::{
    Action, Case, Clause, Dialect, Event, Finding, Judge, Observation, Process, Setting, Step,
};

const A: Process = Process::FIRST;
const PAGE: u64 = 4096;

/// A judge that has seen these operations do what they should, and the step of the last one, which it has not seen.
fn at_the_last(lines: &[&str]) -> (Judge, Step) {
    let dialect = Dialect::faultline();
    let setting = Setting::nominal(&dialect, 3);
    let mut judge = Judge::new(&dialect, &setting);
    let case = Case::parse(&format!("faultline 1\n{}\n", lines.join("\n"))).unwrap();
    let (last, others) = case.operations.split_last().unwrap();
    for operation in others {
        let step = judge.plan(operation).expect("it applies");
        let value = match step.action {
            Action::SystemCall { .. } => setting.booted.layout.heap,
            _ => 0,
        };
        let returned = Event::Returned { process: A, value };
        judge.observe(&step, &seen(returned)).unwrap();
    }
    let step = judge.plan(last).expect("it applies");
    (judge, step)
}

fn seen(event: Event) -> Observation {
    Observation {
        events: vec![event],
        ..Observation::default()
    }
}

/// What is wrong if the last operation is refused a frame when so many are free.
fn refused(lines: &[&str], event: Event, available: Option<u64>) -> Option<Finding> {
    let (mut judge, step) = at_the_last(lines);
    let observation = Observation {
        out_of_frames: true,
        available,
        ..seen(event)
    };
    let ended_by = judge.observe(&step, &observation).err();
    judge.noted().first().cloned().or(ended_by)
}

/// The operation may be refused a frame if fewer are free than `enough`, and not if as many are.
fn needs(lines: &[&str], event: Event, enough: u64, clause: Clause) {
    assert_eq!(refused(lines, event, None), None, "{lines:?}");
    assert_eq!(refused(lines, event, Some(enough - 1)), None, "{lines:?}");
    let finding = refused(lines, event, Some(enough)).expect("enough frames were free");
    assert_eq!(finding.clause, clause, "{finding:?}");
    assert!(
        finding.seen.contains(&format!("{enough} frames were free")),
        "{finding:?}"
    );
}

#[test]
fn a_refusal_with_frames_enough_is_a_finding() {
    let fails = Event::Returned {
        process: A,
        value: FAILED,
    };
    let is_killed = Event::Silent {
        process: A,
        trap: None,
        killed_message: true,
    };
    let grow = "a: sbrk +2p";
    // A page, and two tables that map it.
    needs(
        &[grow, "a: store8 heap[0] 7"],
        is_killed,
        3,
        Clause::InnocentLive,
    );
    needs(
        &[grow, "a: load8 heap[1]"],
        is_killed,
        3,
        Clause::InnocentLive,
    );
    // Across the end of a page.
    needs(
        &[grow, "a: load8 heap[0]+0xffc"],
        is_killed,
        4,
        Clause::InnocentLive,
    );
    needs(&["a: sbrk +3p eager"], fails, 5, Clause::ReturnedValue);
    // The pipe itself, and the page for its descriptors.
    needs(&[grow, "a: pipe heap[0]"], fails, 4, Clause::ReturnedValue);
}

#[test]
fn a_child_needs_a_page_table_and_frames_for_what_is_not_loaded() {
    let fails = Event::Returned {
        process: A,
        value: FAILED,
    };
    // The root, and two tables below it: the harness has loaded the program that a case begins in.
    needs(&["a: b = fork"], fails, 3, Clause::ReturnedValue);
    let tables = ["a: sbrk +600p", "a: store1 heap[599] 1", "a: b = fork"];
    needs(&tables, fails, 4, Clause::ReturnedValue);
}

#[test]
fn pages_that_were_stored_to_are_held_until_they_are_given_back() {
    let grow = "a: sbrk +9p";
    let store = "a: store1 heap[2] 7";
    let heap = Setting::nominal(&Dialect::faultline(), 3)
        .booted
        .layout
        .heap
        / PAGE;
    let held =
        |lines: &[&str]| -> Vec<u64> { at_the_last(lines).0.held_pages(A).flatten().collect() };
    assert_eq!(held(&[grow, "a: load1 heap[0]", "a: getpid"]), []);
    assert_eq!(held(&[grow, store, "a: getpid"]), [heap + 2]);
}

#[test]
fn a_missing_page_is_lost_if_a_load_does_not_find_what_it_held() {
    let lines = [
        "a: sbrk +9p",
        "a: store1 heap[2]+9 7",
        "a: store1 heap[3] 1",
    ];
    let (mut judge, step) = at_the_last(&lines);
    judge
        .observe(
            &step,
            &seen(Event::Returned {
                process: A,
                value: 0,
            }),
        )
        .unwrap();
    let page = judge.held_pages(A).next().unwrap().start;
    let look = judge.look_at_page(A, page);
    assert!(matches!(look.action, Action::Load { address, .. } if address == page * PAGE + 9));
    let loads = |value| seen(Event::Returned { process: A, value });
    assert_eq!(judge.judge_look(&look, &loads(7)), Ok(()));
    for wrong in [loads(0), Observation::default()] {
        let finding = judge.judge_look(&look, &wrong).unwrap_err();
        assert_eq!(
            (finding.clause, finding.subject),
            (Clause::PageContent, Some(page * PAGE))
        );
        assert_eq!(finding.operation.as_deref(), Some(lines[2]));
    }
    // A kernel that knows where the page is may have no frame for it.
    let refused = Observation {
        out_of_frames: true,
        ..Observation::default()
    };
    assert_eq!(judge.judge_look(&look, &refused), Ok(()));
    assert!(judge.is_in_doubt());
}
