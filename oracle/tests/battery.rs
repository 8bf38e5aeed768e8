//! What the battery promises: it is always the same, its operations apply, and it forgets none.

use oracle::case::Kind;
use oracle::generation::{battery, battery_of_crashes, battery_of_pairs, count_inapplicable};
use oracle::model::{Model, PageState, Witness};
use oracle::{Call, Case, Dialect, Setting, Variation};
use std::collections::BTreeSet;

/// Cases on a C kernel cost about 10 million instructions each, those with a power cut three times as much: a campaign of
/// a minute runs some 2,000.
const MOST_CASES: usize = 500;

fn all() -> Vec<Case> {
    let pairs = [battery_of_crashes(), battery_of_pairs()].concat();
    [battery(&Variation::ALL), pairs].concat()
}

#[test]
fn the_battery_is_short_and_always_the_same() {
    let cases = all();
    assert_eq!(cases, all());
    assert!(cases.len() <= MOST_CASES, "{} cases", cases.len());
    let longest = cases.iter().map(|case| case.operations.len()).max();
    assert!(
        longest.is_some_and(|most| most <= Case::MAX_OPERATIONS),
        "{longest:?}"
    );
}

#[test]
fn its_operations_apply() {
    for (number, case) in all().iter().enumerate() {
        assert_eq!(count_inapplicable(case), 0, "case {number}:\n{case}");
    }
}

/// Which address of an operation, from 0 on.
type Which = usize;

/// What no case can meet, and why.
fn is_impossible(kind: Kind, which: Which, page: PageState) -> bool {
    match (kind, which) {
        // What is stored is an address: nothing lies there as far as the operation goes.
        (Kind::Point, 1) => true,
        // A jump to instructions that nobody knows is not driven.
        (Kind::Fetch, _) => matches!(page, PageState::Text | PageState::TextUnloaded),
        _ => false,
    }
}

#[test]
fn every_address_of_every_operation_meets_every_state_of_a_page() {
    let mut met: BTreeSet<(Kind, Which, PageState)> = BTreeSet::new();
    each_operation(&battery(&Variation::ALL), |call, process, model| {
        for (which, address) in [call.address(), call.second_address()]
            .into_iter()
            .enumerate()
        {
            if let Some(address) = address {
                met.insert((call.kind(), which, model.page_state(process, address)));
            }
        }
    });
    let mut missing = Vec::new();
    let tried: BTreeSet<(Kind, Which)> =
        met.iter().map(|(kind, which, _)| (*kind, *which)).collect();
    for (kind, which) in tried {
        for page in PageState::ALL {
            if !met.contains(&(kind, which, page)) && !is_impossible(kind, which, page) {
                missing.push(format!("{kind:?} {which} {page:?}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "{} are missing: {missing:#?}",
        missing.len()
    );
}

#[test]
fn every_kind_of_operation_occurs() {
    let mut met = BTreeSet::new();
    let cases = [battery(&Variation::ALL), battery_of_crashes()].concat();
    each_operation(&cases, |call, _, _| {
        met.insert(call.kind());
    });
    let missing: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| !met.contains(kind))
        .collect();
    // What is typed is for nobody here.
    assert_eq!(missing, [Kind::Type]);
}

/// Operations between the two of a pair, at most: a process that would end has a child do it.
const BETWEEN: usize = 8;

#[test]
fn every_operation_follows_every_other_one_of_another_process() {
    let mut met: BTreeSet<(Kind, Kind)> = BTreeSet::new();
    for case in battery_of_pairs() {
        for (at, first) in case.operations.iter().enumerate() {
            let others = case.operations[at + 1..].iter().take(BETWEEN);
            for second in others.filter(|second| second.process != first.process) {
                met.insert((first.call.kind(), second.call.kind()));
            }
        }
    }
    let kinds = || Kind::ALL.into_iter().filter(|kind| !kind.is_done_to_all());
    let pairs = kinds().flat_map(|first| kinds().map(move |second| (first, second)));
    let missing: Vec<(Kind, Kind)> = pairs.filter(|pair| !met.contains(pair)).collect();
    assert!(
        missing.is_empty(),
        "{} are missing: {missing:?}",
        missing.len()
    );
}

/// Calls `note` before each operation, with the model that is about to perform it.
fn each_operation(cases: &[Case], mut note: impl FnMut(&Call, oracle::Process, &Model)) {
    let dialect = Dialect::faultline();
    let mut model = Model::new(&dialect, &Setting::nominal(&dialect, 2));
    for case in cases {
        model.reset();
        for (index, operation) in case.operations.iter().enumerate() {
            note(&operation.call, operation.process, &model);
            if model.applies(operation) {
                model.perform(index, operation, &Witness::ideal());
            }
        }
    }
}
