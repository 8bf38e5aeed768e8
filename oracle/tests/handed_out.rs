//! What `fstat` reveals in addition to a status. It is seen at once, and only once.

use oracle::{Case, Clause, Dialect, Event, Finding, Judge, Observation, Process, Setting};

const A: Process = Process::FIRST;

/// A judge that has seen `a` open the current directory and ask for its status at `place`.
fn after_fstat(dialect: &Dialect, avoided: &[oracle::Situation], place: &str) -> Judge {
    let mut judge = Judge::new(dialect, &Setting::nominal(dialect, 3));
    judge.avoid(avoided);
    let text = format!("faultline 1\na: sbrk +1p\na: open stack[0]\na: fstat 0 {place}\n");
    let case = Case::parse(&text).unwrap();
    for (operation, value) in case.operations.iter().zip([None, Some(0), Some(0)]) {
        let step = judge.plan(operation).expect("it applies");
        let layout = &Setting::nominal(dialect, 3).booted.layout;
        let observation = Observation {
            events: vec![Event::Returned {
                process: A,
                value: value.unwrap_or(layout.heap),
            }],
            ..Observation::default()
        };
        judge.observe(&step, &observation).unwrap();
    }
    judge
}

fn compare(judge: &mut Judge, seen: [u8; 4]) -> Result<u64, Finding> {
    let (process, place) = judge.paddings_written().next().expect("it was fstat");
    assert_eq!((process, place.end - place.start), (A, 4));
    judge.compare_padding(process, place.start, &seen)?;
    Ok(place.start)
}

#[test]
fn what_the_kernel_adds_to_a_status_is_seen_at_the_fstat() {
    let dialect = Dialect::xv6_2025();
    let mut judge = after_fstat(&dialect, &[], "heap[0]");
    compare(&mut judge, [0; 4]).unwrap();
    let finding = compare(&mut judge, [0x3f, 0, 0, 0]).unwrap_err();
    assert_eq!(finding.clause, Clause::PageContent);
    assert_eq!(finding.operation.as_deref(), Some("a: fstat 0 heap[0]"));
    let mut elsewhere = after_fstat(&dialect, &[], "stack[0]");
    let again = compare(&mut elsewhere, [1, 2, 3, 4]).unwrap_err();
    assert_eq!(oracle::bucket(&again), oracle::bucket(&finding));
}

#[test]
fn what_is_known_to_be_added_is_taken_over() {
    let dialect = Dialect::xv6_2025();
    let mut judge = after_fstat(&dialect, &[], "heap[0]");
    let known = compare(&mut judge, [0x3f, 0, 0, 0]).unwrap_err();
    let mut judge = after_fstat(&dialect, known.situation().as_slice(), "heap[0]");
    let place = compare(&mut judge, [0x3f, 0, 7, 0]).unwrap();
    let mut bytes = [0; 4];
    judge.memory_of(A).read(place, &mut bytes);
    assert_eq!(bytes, [0x3f, 0, 7, 0]);
}
