//! The known defects of kernels: each has a case that shows it and nothing else.

mod support;

use oracle::dialect::{Class, Defect, Growth, RefusedBlock, SegmentRule, Tail};
use oracle::{Case, Dialect, Finding};
use std::path::Path;
use support::{Honest, Liberties, run, run_as};

/// Kernels without a defect, whose variants differ.
fn sound_kernels() -> [Dialect; 3] {
    let mut eager = Dialect::xv6_2025().mended();
    eager.sbrk.growth = Growth::AtOnce;
    eager.heap.tail = Tail::ForPrograms;
    eager.exec.segments = SegmentRule::Separate;
    eager.files.refused_block = RefusedBlock::FilledInPart;
    [Dialect::faultline(), Dialect::xv6_2025().mended(), eager]
}

fn shown(kernel: &Dialect, judged_by: &Dialect, case: &Case) -> Option<Finding> {
    run_as(kernel, judged_by, case, Liberties(0), &mut Honest)
        .0
        .err()
}

/// The same, if the kernel is judged by its own dialect.
fn own(kernel: &Dialect, case: &Case) -> Option<Finding> {
    run(kernel, case, Liberties(0), &mut Honest).0.err()
}

/// `kernel` with all defects except that one, each with its last wrong answer.
fn with_all_others(kernel: &Dialect, defect: &Defect) -> Dialect {
    let mut others = Defect::all();
    others.retain(|other| other.field != defect.field);
    let with = |kernel: Dialect, other: &Defect| other.in_each_way(&kernel).last().unwrap();
    others.iter().fold(kernel.clone(), with)
}

#[test]
fn our_own_kernel_has_no_defect() {
    let fields: Vec<&str> = Dialect::faultline()
        .defects()
        .iter()
        .map(|one| one.field)
        .collect();
    assert!(fields.is_empty(), "{fields:?}");
}

#[test]
fn each_field_says_why_it_is_there() {
    for field in Dialect::fields() {
        let (name, class) = (field.name, field.class);
        match class {
            Class::Variant { why, asked } => {
                assert!(why.ends_with('.'), "{name}: {why}");
                assert!(asked.ends_with(['.', '?']), "{name}: {asked}");
            }
            Class::Defect(defect) => {
                assert!(defect.source.ends_with('.'), "{name}: {}", defect.source);
                assert!(
                    !defect.sentence.ends_with('.'),
                    "{name}: {}",
                    defect.sentence
                );
                assert!(defect.is_in(&defect.in_each_way(&Dialect::faultline()).next().unwrap()));
            }
        }
    }
}

#[test]
fn a_defect_shows_in_its_case_and_a_kernel_without_it_is_not_accused() {
    for kernel in sound_kernels() {
        for defect in Defect::all() {
            let case = defect.case();
            let name = format!("{} of {}", defect.field, kernel.name);
            assert!(own(&kernel, &case).is_none(), "{name}: no defect");
            let others = with_all_others(&kernel, &defect);
            let other = shown(&others, &kernel, &case);
            assert!(
                other.is_none(),
                "{name} is shown by another defect: {}",
                other.unwrap()
            );
            for with in defect
                .in_each_way(&kernel)
                .chain(defect.in_each_way(&others))
            {
                assert!(
                    shown(&with, &kernel, &case).is_some(),
                    "{name} is not shown"
                );
                let followed = own(&with, &case);
                assert!(
                    followed.is_none(),
                    "{name} is not followed: {}",
                    followed.unwrap()
                );
            }
        }
    }
}

#[test]
fn a_case_needs_each_of_its_operations() {
    let kernel = Dialect::faultline();
    for defect in Defect::all() {
        let case = defect.case();
        for at in 0..case.operations.len() {
            let mut less = case.clone();
            less.operations.remove(at);
            // One case shows all wrong answers, and some need less of it.
            let is_needed = |with: &Dialect| {
                let wanted = oracle::bucket(&shown(with, &kernel, &case).unwrap());
                let shows = |less: Finding| oracle::bucket(&less) == wanted;
                !shown(with, &kernel, &less).is_some_and(shows)
            };
            let is_needed = defect.in_each_way(&kernel).any(|with| is_needed(&with));
            assert!(is_needed, "{} needs no operation {at}", defect.field);
        }
    }
}

#[test]
fn every_case_is_of_a_defect_and_written_as_cases_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dialect/defects");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut wanted = Vec::new();
    for defect in Defect::all() {
        wanted.push(format!("{}.case", defect.field));
        let mut lines = defect.text.lines().skip(1);
        assert!(
            lines.next().unwrap().starts_with("# "),
            "{} says nothing",
            defect.field
        );
    }
    names.sort();
    wanted.sort();
    assert_eq!(names, wanted);
}

#[test]
fn a_mended_dialect_keeps_its_variants() {
    let mended = Dialect::xv6_2025().mended();
    assert!(mended.defects().is_empty());
    assert_eq!(mended.heap, Dialect::xv6_2025().heap);
    assert_eq!(Dialect::faultline().mended(), Dialect::faultline());
}
