//! Mutation takes every way to change a case that it promises, and each of them alone.

use oracle::generation::{cross_over, mutate};
use oracle::{Address, Case, Operation, Profile};

const PARENT: &str = "faultline 1
a: sbrk +8p
a: b = fork
a: store8 heap[1]+0x10 7
b: load8 heap[2]+0x20
a: touch heap[3] 2
b: getpid
a: dup 0
";

fn children() -> impl Iterator<Item = Case> {
    (0..6000).map(|seed| {
        let mut child = Case::parse(PARENT).unwrap();
        mutate(&mut child, seed, Profile::default());
        child
    })
}

/// Whether some child of [`PARENT`] is as `wanted`, which is given the parent's operations and the
/// child's.
fn some(wanted: impl Fn(&[Operation], &[Operation]) -> bool) -> bool {
    let parent = Case::parse(PARENT).unwrap();
    children().any(|child| wanted(&parent.operations, &child.operations))
}

/// The one operation in which both differ, before and after.
fn only_change(parent: &[Operation], child: &[Operation]) -> Option<(Operation, Operation)> {
    let pairs = parent.iter().zip(child).filter(|(old, new)| old != new);
    let mut pairs = pairs.map(|(old, new)| (*old, *new));
    let first = pairs.next();
    if parent.len() == child.len() && pairs.next().is_none() {
        first
    } else {
        None
    }
}

/// The addresses of the one operation that differs in nothing but its address.
fn only_address(parent: &[Operation], child: &[Operation]) -> Option<(Address, Address)> {
    let (old, new) = only_change(parent, child)?;
    let (from, to) = (old.call.address()?, new.call.address()?);
    (old.process == new.process && old.call.with_address(to) == new.call).then_some((from, to))
}

#[test]
fn only_the_page_or_only_the_offset_changes() {
    let address = |wanted: &dyn Fn(Address, Address) -> bool| {
        some(|parent, child| {
            only_address(parent, child)
                .is_some_and(|(old, new)| old.region() == new.region() && wanted(old, new))
        })
    };
    assert!(address(
        &|old, new| old.page() != new.page() && old.offset() == new.offset()
    ));
    assert!(address(
        &|old, new| old.page() == new.page() && old.offset() != new.offset()
    ));
}

#[test]
fn another_process_acts() {
    assert!(some(|parent, child| only_change(parent, child)
        .is_some_and(
            |(old, new)| old.process != new.process && old.call == new.call
        )));
}

#[test]
fn operations_are_taken_out_moved_and_swapped() {
    assert!(some(|parent, child| {
        let without = |at| [&parent[..at], &parent[at + 1..]].concat();
        (0..parent.len()).any(|at| child == without(at))
    }));
    let sorted = |operations: &[Operation]| {
        let mut lines: Vec<String> = operations.iter().map(ToString::to_string).collect();
        lines.sort();
        lines
    };
    assert!(some(|parent, child| {
        let differ = parent.iter().zip(child).filter(|(old, new)| old != new);
        sorted(parent) == sorted(child) && differ.count() == 2
    }));
    assert!(some(|parent, child| {
        let differ = parent.iter().zip(child).filter(|(old, new)| old != new);
        sorted(parent) == sorted(child) && differ.count() > 2
    }));
}

#[test]
fn operations_are_repeated_where_they_stand_and_elsewhere() {
    for times in 1..=3 {
        assert!(some(|parent, child| {
            (2..parent.len()).any(|at| {
                let repeated = vec![parent[at]; times];
                child == [&parent[..at], &repeated, &parent[at..]].concat()
            })
        }));
    }
    assert!(some(|parent, child| {
        let count = parent.len();
        let runs = (0..count).flat_map(|at| (at + 1..=count).map(move |end| at..end));
        let mut copies = runs.flat_map(|run| (0..=count).map(move |to| (run.clone(), to)));
        copies.any(|(run, to)| {
            let elsewhere = to < run.start || to > run.end;
            elsewhere && child == [&parent[..to], &parent[run], &parent[to..]].concat()
        })
    }));
}

#[test]
fn a_case_goes_on_as_another() {
    let first = Case::parse(PARENT).unwrap();
    let second = Case::parse("faultline 1\na: uptime\na: close 0\n").unwrap();
    let spliced = (0..200).any(|seed| {
        let child = cross_over(&first, &second, seed).operations;
        child == [&first.operations[..3], &second.operations[1..]].concat()
    });
    assert!(spliced);
}
