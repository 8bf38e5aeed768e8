//! The catalogue of seeded bugs, `corpus/bugs`, against the clauses: each clause has a bug that only
//! it catches.

use oracle::Profile;
use oracle::judge::Clause;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What a patch says of itself, by field.
type Fields = BTreeMap<String, String>;

/// Every patch of the catalogue, by file name.
fn catalogue() -> BTreeMap<String, Fields> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/bugs");
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "patch"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fields(&fs::read_to_string(path).unwrap()))
        })
        .collect()
}

/// The explanation that a patch opens with: up to the first empty line.
fn fields(patch: &str) -> Fields {
    patch
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": "))
        .map(|(field, words)| (field.to_owned(), words.to_owned()))
        .collect()
}

fn clause(name: &str) -> Option<Clause> {
    Clause::ALL.into_iter().find(|clause| clause.name() == name)
}

#[test]
fn every_patch_explains_itself() {
    let bugs = catalogue();
    assert!(bugs.len() >= 50, "only {} seeded bugs", bugs.len());
    for (name, fields) in bugs {
        for field in ["Bug", "Why", "Class", "Feature", "Rules"] {
            assert!(fields.contains_key(field), "{name} has no line {field:?}");
        }
        let feature: u32 = fields["Feature"].parse().unwrap();
        assert!((1..=10).contains(&feature), "{name}: feature {feature}");
        for rule in fields["Rules"].split(' ') {
            assert!(clause(rule).is_some(), "{name}: there is no rule {rule:?}");
        }
        if let Some(target) = fields.get("Target") {
            let known = Profile::ALL.into_iter().any(|known| known.name() == target);
            assert!(known, "{name}: there is no fuzz target {target:?}");
        }
    }
}

#[test]
fn no_two_patches_have_one_number() {
    let mut numbers = BTreeMap::new();
    for name in catalogue().into_keys() {
        let number = name.split('-').next().unwrap().to_owned();
        if let Some(other) = numbers.insert(number, name.clone()) {
            panic!("{name} and {other} have the same number");
        }
    }
}

#[test]
fn every_clause_has_a_bug_that_only_it_catches() {
    let bugs = catalogue();
    let lacking: Vec<&str> = Clause::ALL
        .into_iter()
        .map(Clause::name)
        .filter(|clause| !bugs.values().any(|fields| fields["Rules"] == *clause))
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
