//! What `fstat` reveals in addition to a status, which is seen at once, and only once; and what `wait` stores.

use oracle::dialect::ExitStatus;
use oracle::{Case, Clause, Dialect, Event, Finding, Judge, Observation, Process, Setting};

const A: Process = Process::FIRST;

/// A judge that has seen these events of each operation of a case.
fn after(dialect: &Dialect, text: &str, seen: Vec<Vec<Event>>) -> Judge {
    let mut judge = Judge::new(dialect, &Setting::nominal(dialect, 3));
    let case = Case::parse(&format!("faultline 1\n{text}\n")).unwrap();
    for (operation, events) in case.operations.iter().zip(seen) {
        let step = judge.plan(operation).expect("it applies");
        let observation = Observation {
            events,
            ..Observation::default()
        };
        judge.observe(&step, &observation).unwrap();
    }
    judge
}

fn returned(value: u64) -> Event {
    Event::Returned { process: A, value }
}

/// A judge that has seen `a` open the current directory and ask for its status at `place`.
fn after_fstat(dialect: &Dialect, place: &str) -> Judge {
    let heap = Setting::nominal(dialect, 3).booted.layout.heap;
    let text = format!("a: sbrk +1p\na: open stack[0]\na: fstat 0 {place}");
    let seen = [heap, 0, 0].map(|value| vec![returned(value)]);
    after(dialect, &text, seen.to_vec())
}

/// Where the padding is, and what is noted if it is `seen` there.
fn compare(judge: &mut Judge, seen: [u8; 4]) -> (u64, Option<Finding>) {
    let (process, place) = judge.paddings_written().next().expect("it was fstat");
    assert_eq!((process, place.end - place.start), (A, 4));
    judge.compare_padding(process, place.start, &seen);
    (place.start, judge.noted().last().cloned())
}

#[test]
fn what_the_kernel_adds_to_a_status_is_seen_at_the_fstat() {
    let dialect = Dialect::xv6_2025();
    let mut judge = after_fstat(&dialect, "heap[0]");
    assert_eq!(compare(&mut judge, [0; 4]).1, None);
    let finding = compare(&mut judge, [0x3f, 0, 0, 0]).1.unwrap();
    assert_eq!(finding.clause, Clause::PageContent);
    assert_eq!(finding.operation.as_deref(), Some("a: fstat 0 heap[0]"));
    let mut elsewhere = after_fstat(&dialect, "stack[0]");
    let again = compare(&mut elsewhere, [1, 2, 3, 4]).1.unwrap();
    assert_eq!(oracle::bucket(&again), oracle::bucket(&finding));
}

#[test]
fn what_is_added_is_taken_over_and_told_once() {
    let dialect = Dialect::xv6_2025();
    let mut judge = after_fstat(&dialect, "heap[0]");
    for seen in [[0x3f, 0, 7, 0], [0x3f, 0, 8, 0]] {
        let (place, _) = compare(&mut judge, seen);
        assert_eq!(judge.noted().len(), 1);
        let mut bytes = [0; 4];
        judge.memory_of(A).read(place, &mut bytes);
        assert_eq!(bytes, seen);
    }
}

/// A judge of a kernel that speaks `dialect`, on which a child ended with status 7, and `wait` has returned it.
fn after_wait(dialect: &Dialect, address: &str) -> Judge {
    let child = Process::all().nth(1).unwrap();
    let seen = vec![
        vec![returned(4), Event::Born { child }],
        vec![],
        vec![returned(4)],
    ];
    let text = format!("a: b = fork\nb: exit 7\na: wait {address}");
    after(dialect, &text, seen)
}

/// At how many places the judge looks for the status.
fn places_of_statuses(dialect: &Dialect, address: &str) -> usize {
    after_wait(dialect, address).statuses_written().count()
}

#[test]
fn a_kernel_that_tells_no_status_stores_none() {
    let told = Dialect::xv6_2025();
    let mut untold = told.clone();
    untold.wait.status = ExitStatus::Untold;
    assert_eq!(places_of_statuses(&told, "data[0]"), 1);
    assert_eq!(places_of_statuses(&untold, "data[0]"), 0);
    assert_eq!(places_of_statuses(&untold, "trapframe[0]"), 0);
}

#[test]
fn a_kernel_that_loses_statuses_may_tell_the_right_one() {
    let mut zero = Dialect::xv6_2025();
    zero.wait.status = ExitStatus::Zero;
    let noted = |status: i32| {
        let mut judge = after_wait(&zero, "data[0]");
        let (process, place) = judge.statuses_written().next().expect("it tells one");
        judge.compare_status(process, place, status.to_le_bytes());
        judge.noted().len()
    };
    assert_eq!((noted(0), noted(7)), (0, 0));
    assert_eq!(noted(6), 1);
}
