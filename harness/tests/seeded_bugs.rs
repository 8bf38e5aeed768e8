//! The catalogue of seeded bugs, `corpus/bugs`, against the clauses: each clause has a bug that only
//! it catches.

use faultline::seeded_bugs::catalogue::{self, Bug};
use oracle::Dialect;
use oracle::dialect::Defect;
use oracle::judge::Clause;
use std::collections::BTreeMap;
use std::path::Path;

fn bugs() -> Vec<Bug> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/bugs");
    catalogue::read(&folder).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_patch_names_rules_that_exist() {
    let bugs = bugs();
    assert!(bugs.len() >= 50, "only {} seeded bugs", bugs.len());
    for bug in bugs {
        for rule in bug.rules.iter().chain(&bug.varied) {
            let is_known = Clause::ALL.into_iter().any(|clause| clause.name() == rule);
            assert!(is_known, "{}: there is no rule {rule:?}", bug.patch.name);
        }
    }
}

#[test]
fn a_patch_with_several_bugs_names_their_rules() {
    let bugs = bugs();
    let several = || bugs.iter().filter(|bug| !bug.hides.is_empty());
    assert!(several().count() >= 4, "bugs behind bugs are not tried");
    for bug in several() {
        assert!(bug.hides.len() > 1, "{} hides nothing", bug.patch.name);
        for rule in bug.hides.iter().flatten() {
            assert!(
                bug.breaks(rule),
                "{}: {rule} is not in Rules",
                bug.patch.name
            );
        }
    }
}

#[test]
fn no_two_patches_have_one_number() {
    let mut numbers = BTreeMap::new();
    for bug in bugs() {
        let name = bug.patch.name;
        let number = name.split('-').next().unwrap().to_owned();
        if let Some(other) = numbers.insert(number, name.clone()) {
            panic!("{name} and {other} have the same number");
        }
    }
}

#[test]
fn every_defect_has_a_bug_for_each_wrong_answer() {
    let bugs = bugs();
    let dialect = Dialect::faultline();
    for defect in Defect::all() {
        let seeded = bugs
            .iter()
            .filter(|bug| bug.defect.as_deref() == Some(defect.field));
        let ways = defect.in_each_way(&dialect).count();
        let seeded = seeded.count();
        // One wrong answer may show by several rules, in kernels that differ in something else.
        assert!(
            seeded >= ways,
            "{seeded} seeded bugs have the line `Defect: {}`, and it has {ways} wrong answers",
            defect.field,
        );
    }
    for bug in &bugs {
        let Some(field) = &bug.defect else { continue };
        let is_known = Defect::all().iter().any(|defect| defect.field == field);
        assert!(is_known, "{}: there is no defect {field:?}", bug.patch.name);
    }
}

#[test]
fn every_clause_has_a_bug_that_only_it_catches() {
    let bugs = bugs();
    let lacking: Vec<&str> = Clause::ALL
        .into_iter()
        .map(Clause::name)
        .filter(|clause| !bugs.iter().any(|bug| bug.rules == [*clause]))
        .collect();
    assert!(
        lacking.is_empty(),
        "no seeded bug is caught by these clauses alone: {}.\n\
         Write a patch to the kernel that breaks the rule and no other, say `Rules: {}` in it \
         (corpus/bugs/README.md has the format), and show that it holds: ./scripts/bugs --alone NAME",
        lacking.join(", "),
        lacking[0],
    );
}
