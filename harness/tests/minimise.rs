//! Minimising is neither too strict (it finds the small case although names, pages and amounts
//! change) nor too loose (it does not drift to another bug), and proves that a case is minimal.

use faultline::triage::minimise::{Budget, Minimality, Minimised, minimise};
use oracle::{Bucket, Call, Case, Process};
use std::cell::Cell;
use std::collections::HashMap;
use std::time::Instant;

/// What a process of the kernel below has done.
#[derive(Clone, Default)]
struct Life {
    pages: i32,
    stores: u32,
    forked_after_store: bool,
    is_child: bool,
}

/// A kernel with two bugs. A shrink after a store leaks; a child that stores to what its parent had
/// stored to sees the wrong value. Whatever comes first is the finding.
fn two_bugs(case: &Case) -> Option<Bucket> {
    let mut lives = HashMap::from([(Process::FIRST, Life::default())]);
    for operation in &case.operations {
        let Some(life) = lives.get_mut(&operation.process) else {
            continue;
        };
        match operation.call {
            Call::Sbrk { amount, .. } => {
                let pages = i32::from(amount.extra_pages());
                if pages < 0 && life.stores > 0 {
                    return Some(Bucket::from("leak"));
                }
                life.pages += pages;
            }
            Call::Store { address, .. } if i32::from(address.page()) < life.pages => {
                if life.is_child && life.forked_after_store {
                    return Some(Bucket::from("wrong value"));
                }
                life.stores += 1;
            }
            Call::Fork { child } => {
                let child_life = Life {
                    forked_after_store: life.stores > 0,
                    is_child: true,
                    ..life.clone()
                };
                lives.entry(child).or_insert(child_life);
            }
            _ => {}
        }
    }
    None
}

fn case(text: &str) -> Case {
    Case::parse(&format!("faultline 1\n{text}")).unwrap()
}

fn shrunk(case: &Case, budget: u64, kernel: impl Fn(&Case) -> Option<Bucket>) -> Minimised {
    let wanted = kernel(case).expect("the case shows something");
    let executions = Cell::new(0);
    let minimised = minimise(
        case,
        &wanted,
        None,
        budget,
        |candidate| {
            executions.set(executions.get() + 1);
            kernel(candidate).into_iter().collect()
        },
        |_, _| {},
    );
    assert_eq!(kernel(&minimised.case), Some(wanted), "{}", minimised.case);
    assert_eq!(minimised.executions, executions.get());
    assert!(minimised.executions <= budget);
    minimised
}

/// Both bugs are in it, the leak first.
const LEAK_FIRST: &str = "a: getpid
a: b = fork
b: c = fork
c: sbrk +7p
c: sbrk +2p
b: sbrk +1p
c: store8 heap[6]+0x128 0x4242
a: yield 3
c: d = fork
c: sbrk -3p
d: store4 heap[2] 9
b: exit 7
";

/// The wrong value comes first.
const VALUE_FIRST: &str = "a: sbrk +5p
a: store8 heap[4]+0x10 0x77
a: b = fork
b: getpid
a: c = fork
c: store2 heap[3]+0x800 5
a: sbrk -1p
b: wait
";

#[test]
fn a_finding_stays_the_same_bug_although_names_and_pages_change() {
    let minimised = shrunk(&case(LEAK_FIRST), 10_000, two_bugs);
    assert_eq!(
        minimised.case,
        case("a: sbrk +1p\na: store1 heap[0] 0\na: sbrk -1p\n"),
        "{}",
        minimised.case
    );
    assert_eq!(minimised.minimality, Minimality::Proved);
}

#[test]
fn a_search_does_not_drift_to_the_other_bug_of_a_case() {
    let minimised = shrunk(&case(VALUE_FIRST), 10_000, two_bugs);
    assert_eq!(
        minimised.case,
        case("a: sbrk +1p\na: store1 heap[0] 0\na: b = fork\nb: store1 heap[0] 0\n"),
        "{}",
        minimised.case
    );
    // The minimised case shows why each operation is needed.
    assert!(minimised.needs.iter().all(|need| need.without.is_none()));
}

#[test]
fn needs_say_when_another_finding_takes_the_place() {
    let kernel = |case: &Case| {
        let stores = |call: &Call| matches!(call, Call::Store { .. });
        let count = case
            .operations
            .iter()
            .filter(|operation| stores(&operation.call));
        match count.count() {
            0 => None,
            1 => Some(Bucket::from("one")),
            _ => Some(Bucket::from("two")),
        }
    };
    let start = case("a: getpid\na: store1 data[0] 1\na: store1 data[0] 2\na: store1 data[0] 3\n");
    let minimised = shrunk(&start, 10_000, kernel);
    assert_eq!(minimised.case.operations.len(), 2, "{}", minimised.case);
    assert_eq!(minimised.minimality, Minimality::Proved);
    for need in &minimised.needs {
        assert_eq!(need.without, Some(Bucket::from("one")));
        assert_eq!(need.to_string(), "without it, another finding (one)");
    }
    assert!(
        minimised
            .annotated()
            .contains("# without it, another finding (one)")
    );
    assert_eq!(Case::parse(&minimised.annotated()).unwrap(), minimised.case);
}

#[test]
fn operations_that_undo_each_other_go_together() {
    // The growths must cancel out, so neither can be removed alone.
    let kernel = |case: &Case| {
        let mut pages = 0;
        let mut stores = 0;
        for operation in &case.operations {
            match operation.call {
                Call::Sbrk { amount, .. } => pages += amount.extra_pages(),
                Call::Store { .. } => stores += 1,
                _ => {}
            }
        }
        (pages == 0 && stores > 0).then(|| Bucket::from("even"))
    };
    let start = case("a: sbrk +3p\na: store1 data[0] 1\na: sbrk -3p\n");
    let minimised = shrunk(&start, 10_000, kernel);
    assert_eq!(minimised.case, case("a: store1 heap[0] 0\n"));
}

#[test]
fn a_spent_budget_is_reported_and_proves_nothing() {
    for budget in [0, 1, 5, 20] {
        let minimised = shrunk(&case(LEAK_FIRST), budget, two_bugs);
        assert_eq!(minimised.minimality, Minimality::BudgetSpent, "{budget}");
    }
}

#[test]
fn what_one_process_does_stands_together() {
    // The order of the processes does not matter here, but all four stores are needed.
    let kernel = |case: &Case| {
        let by = |letter| {
            let process = Process::from_letter(letter);
            let mut all = case.operations.iter();
            let stores = all.by_ref().filter(|operation| {
                Some(operation.process) == process && matches!(operation.call, Call::Store { .. })
            });
            stores.count()
        };
        (by('a') >= 2 && by('b') >= 2).then(|| Bucket::from("both"))
    };
    let start = case(
        "a: b = fork\na: store1 data[0] 0\nb: store1 data[0] 0\na: store1 data[0] 0\nb: store1 data[0] 0\n",
    );
    let minimised = shrunk(&start, 10_000, kernel);
    let letters: String = minimised
        .case
        .operations
        .iter()
        .map(|operation| operation.process.letter())
        .collect();
    assert!(letters == "aabb" || letters == "bbaa", "{}", minimised.case);
}

/// The smallest case is `wanted`, and known to be the smallest.
fn minimal(text: &str, kernel: impl Fn(&Case) -> Option<Bucket>, wanted: &str) {
    let minimised = shrunk(&case(text), 10_000, kernel);
    assert_eq!(minimised.case, case(wanted), "{}", minimised.case);
    assert_eq!(minimised.minimality, Minimality::Proved);
}

/// Two kernels in one: two stores by different processes meet if one is stopped after 2,600 to 3,300
/// instructions; two growths meet on several harts whenever they are.
fn two_races(case: &Case) -> Option<Bucket> {
    case.operations.windows(3).find_map(|three| {
        let [first, second, third] = three else {
            return None;
        };
        let Call::Together { schedule } = first.call else {
            return None;
        };
        let stops = schedule
            .switches()
            .iter()
            .any(|at| (2600..3300).contains(at));
        let forked = |of: Process| {
            let mut all = case.operations.iter();
            all.any(|operation| matches!(operation.call, Call::Fork { child } if child == of))
        };
        match (second.call, third.call) {
            _ if second.process == third.process || !forked(third.process) => None,
            (Call::Store { .. }, Call::Store { .. }) if stops => Some(Bucket::from("stores meet")),
            (Call::Sbrk { .. }, Call::Sbrk { .. }) if schedule.harts() > 1 => {
                Some(Bucket::from("growths meet"))
            }
            _ => None,
        }
    })
}

#[test]
fn a_race_keeps_the_one_change_point_that_it_needs_and_a_round_one() {
    minimal(
        "a: sbrk +3p\na: b = fork\na: getpid\n\
         together 3 harts, order 2 1, switch 117 2869 4711, pre-empt\n\
         a: store8 heap[2]+0x10 7\nb: store4 heap[1] 9\na: yield 4\n",
        two_races,
        "a: b = fork\ntogether 1 hart, order 1 2, switch 3000\n\
         a: store1 heap[0] 0\nb: store1 heap[0] 0\n",
    );
}

#[test]
fn a_race_does_not_drift_to_another_race_or_to_fewer_harts_than_it_needs() {
    minimal(
        "a: b = fork\ntogether 3 harts, order 2 1, switch 2869\na: sbrk +3p\nb: sbrk -7p\n\
         together 2 harts, order 2 1, switch 2869\na: store8 heap[2] 7\nb: store4 heap[1] 9\n",
        two_races,
        "a: b = fork\ntogether 2 harts, order 1 2\na: sbrk +0p\nb: sbrk +0p\n",
    );
}

/// A kernel that panics when a fork finds fewer than four frames, and leaks when a store does or when
/// one of its first three requests fails.
fn short_of_frames(case: &Case) -> Option<Bucket> {
    let mut free = Call::ALL_FRAMES;
    let mut fails = false;
    for operation in &case.operations {
        match operation.call {
            Call::Frames { free: left } => free = left,
            Call::FailFrame { nth } => fails = nth.get() <= 3,
            Call::Fork { .. } if free < 4 => return Some(Bucket::from("fork panics")),
            Call::Store { .. } if free < 4 || fails => return Some(Bucket::from("store leaks")),
            _ => {}
        }
    }
    None
}

#[test]
fn pressure_is_no_greater_than_the_finding_needs() {
    minimal(
        "a: sbrk +2p\na: getpid\nframes 0\na: getpid\na: b = fork\nb: store8 heap[0] 7\nframes all\n",
        short_of_frames,
        "frames 3\na: b = fork\n",
    );
}

#[test]
fn the_request_that_fails_is_the_first_that_shows_the_leak() {
    minimal(
        "a: sbrk +2p\na: store1 data[0] 4\nframes fail 3\na: getpid\n\
         a: store8 heap[1]+0x123 0x77\nframes 2\na: b = fork\n",
        short_of_frames,
        "frames fail 1\na: store1 heap[0] 0\n",
    );
}

#[test]
fn a_leak_does_not_drift_to_the_panic_that_less_memory_would_bring() {
    // Without the store that leaks, the fork would panic.
    minimal(
        "a: sbrk +2p\nframes 2\na: store8 heap[1] 5\na: b = fork\nb: getpid\n",
        short_of_frames,
        "frames 3\na: store1 heap[0] 0\n",
    );
}

#[test]
fn a_limit_of_time_is_kept() {
    let wanted = two_bugs(&case(LEAK_FIRST)).unwrap();
    let budget = Budget {
        executions: 10_000,
        until: Some(Instant::now()),
    };
    let minimised = minimise(
        &case(LEAK_FIRST),
        &wanted,
        None,
        budget,
        |candidate| two_bugs(candidate).into_iter().collect(),
        |_, _| {},
    );
    assert_eq!(minimised.minimality, Minimality::BudgetSpent);
    assert_eq!(minimised.executions, 0);
    assert_eq!(minimised.case, case(LEAK_FIRST));
}
