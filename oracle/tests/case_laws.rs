//! Laws of the language of cases: the forms agree, any bytes mean something, nothing is lost.

use arbitrary::{Arbitrary, Unstructured};
use oracle::case::{Document, Kind, simplifications};
use oracle::generation::{count_inapplicable, cross_over, generate, mutate, repair, repaired_case};
use oracle::{Call, Case, Operation, Profile};
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
use std::collections::BTreeSet;

fn parsed(text: &str) -> Case {
    Case::parse(text).unwrap_or_else(|error| panic!("{error}\nin\n{text}"))
}

proptest! {
    #[test]
    fn every_byte_string_is_a_runnable_case(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let case = repaired_case(&bytes);
        prop_assert!(case.operations.len() <= bytes.len().div_ceil(8));
        prop_assert_eq!(count_inapplicable(&case), 0, "{}", case);
        let mut again = case.clone();
        repair(&mut again);
        prop_assert_eq!(again, case);
    }

    #[test]
    fn binary_form_loses_nothing(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let as_decoded = Case::decode(&bytes);
        prop_assert_eq!(&Case::decode(&as_decoded.to_bytes()), &as_decoded);
        let runnable = repaired_case(&bytes);
        prop_assert_eq!(repaired_case(&runnable.to_bytes()), runnable);
    }

    #[test]
    fn text_form_loses_nothing(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let case = Case::decode(&bytes);
        prop_assert_eq!(&parsed(&case.to_string()), &case);
        prop_assert_eq!(&parsed(&format!("{case:?}")), &case);
        prop_assert_eq!(&parsed(&format!("{case:#?}")), &case);
        let document = Document::from_case(&case);
        prop_assert_eq!(&document.case(), &case);
        prop_assert_eq!(document.to_string(), case.to_string());
    }

    #[test]
    fn comments_survive_formatting(
        bytes in prop::collection::vec(any::<u8>(), 8..80),
        comments in prop::collection::vec("[ a-z#:+]{0,12}", 1..12),
    ) {
        let case = Case::decode(&bytes);
        let mut text = String::from("# before everything\n\n  faultline 1 # as it says\n");
        for (at, operation) in case.operations.iter().enumerate() {
            let comment = &comments[at % comments.len()];
            text.push_str(&format!("   {operation}   #{comment}\n\n#{comment}\n"));
        }
        let document = Document::parse(&text).unwrap();
        prop_assert_eq!(&document.case(), &case);
        let formatted = document.to_string();
        let again = Document::parse(&formatted).unwrap();
        prop_assert_eq!(again.to_string(), formatted);
        prop_assert_eq!(&again, &document);
        let kept: Vec<&str> = again.comments().collect();
        prop_assert_eq!(kept.len(), 2 + 2 * case.operations.len());
        prop_assert_eq!(kept[2], comments[0].trim_start_matches('#').trim());
    }

    #[test]
    fn any_text_is_a_case_or_an_error_that_points_into_it(text in "[ -~\n]{0,80}") {
        for text in [text.clone(), format!("faultline 1\n{text}"), format!("faultline 1\na: {text}")] {
            if let Err(error) = Case::parse(&text) {
                let line = text.split('\n').nth(error.line - 1);
                let length = line.map(|line| line.chars().count());
                prop_assert!(length.is_some_and(|length| error.column <= length + 1), "{}", error);
                prop_assert!(!error.message.is_empty());
            }
        }
    }

    #[test]
    fn generated_cases_are_runnable(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let case = Case::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
        prop_assert!(!case.operations.is_empty());
        prop_assert_eq!(count_inapplicable(&case), 0, "{}", case);
        prop_assert_eq!(&Case::decode(&case.to_bytes()), &case);
        let rest = Case::arbitrary_take_rest(Unstructured::new(&bytes)).unwrap();
        prop_assert_eq!(rest, repaired_case(&bytes));
    }

    #[test]
    fn mutated_cases_are_runnable(seed: u64, rounds in 1usize..40) {
        let profile = Profile::default();
        let mut case = Case::default();
        let mut other = generate(seed, 20, Profile::default());
        for round in 0..rounds {
            mutate(&mut case, seed.wrapping_add(round as u64), profile);
            prop_assert_eq!(count_inapplicable(&case), 0, "{}", case);
            prop_assert!(case.operations.len() <= Case::MAX_OPERATIONS);
            other = cross_over(&case, &other, seed ^ round as u64);
            prop_assert_eq!(count_inapplicable(&other), 0, "{}", other);
        }
        let mut same = case.clone();
        mutate(&mut case, seed, profile);
        mutate(&mut same, seed, profile);
        prop_assert_eq!(case, same);
    }

    #[test]
    fn simpler_operations_have_both_forms(record in any::<[u8; 8]>()) {
        let operation = Case::decode(&record).operations[0];
        let operations = simplifications(&operation);
        let case = Case { operations };
        prop_assert_eq!(&parsed(&case.to_string()), &case);
        prop_assert_eq!(&Case::decode(&case.to_bytes()), &case);
    }

    #[test]
    fn renaming_keeps_a_case_runnable(seed: u64) {
        let mut case = generate(seed, 40, Profile::default());
        case.rename_processes();
        prop_assert_eq!(count_inapplicable(&case), 0, "{}", case);
        let mut again = case.clone();
        again.rename_processes();
        prop_assert_eq!(again, case);
    }
}

#[test]
fn long_inputs_are_cut() {
    let case = repaired_case(&[0x50; 10_000]);
    assert_eq!(case.operations.len(), Case::MAX_OPERATIONS);
    let long = "faultline 1\n".to_owned() + &"a: getpid\n".repeat(257);
    let error = Case::parse(&long).unwrap_err();
    assert_eq!((error.line, error.column), (258, 1));
}

#[test]
fn every_kind_of_operation_is_generated_and_decoded() {
    let all: BTreeSet<Kind> = Kind::ALL.into_iter().collect();
    let kinds = |cases: &mut dyn Iterator<Item = Case>| -> BTreeSet<Kind> {
        let operations = cases.flat_map(|case| case.operations);
        operations.map(|operation| operation.call.kind()).collect()
    };
    let generated = kinds(&mut (0..400).map(|seed| generate(seed, 40, Profile::default())));
    let bytes = |seed: u64| {
        // Bytes that do not depend on each other: some operations apply only after another one.
        let mixed = |number: u64| (number ^ number >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let byte = |at: u64| (mixed(mixed(seed << 8 | at)) >> 56) as u8;
        repaired_case(&(0..256).map(byte).collect::<Vec<_>>())
    };
    assert_eq!(kinds(&mut (0..2000).map(bytes)), all);
    let mut mutated = Case::default();
    let mut mutants = (0..4000).map(|seed| {
        mutate(&mut mutated, seed, Profile::default());
        if mutated.operations.len() > 60 {
            mutated = mutated.without(0..40);
            repair(&mut mutated);
        }
        mutated.clone()
    });
    // An operation without a row in the table of weights is made by mutation alone.
    let mutated = kinds(&mut mutants);
    assert_eq!(mutated, all);
    assert!(
        generated.is_subset(&mutated) && generated.len() >= 32,
        "{generated:?}"
    );
}

/// `oracle/README.md` explains every operation to people who write cases.
#[test]
fn every_operation_is_in_the_table_for_people() {
    let table = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let is_there = |word: &str| {
        ["`", "= "].iter().any(|before| {
            let word = format!("{before}{word}");
            let mut after = table.split(&word).skip(1);
            after.any(|after| !after.starts_with(|c: char| c.is_ascii_lowercase() || c == '-'))
        })
    };
    let words = Kind::ALL.into_iter().map(Kind::word);
    let missing: Vec<&str> = words.filter(|word| !is_there(word)).collect();
    assert!(missing.is_empty(), "oracle/README.md lacks {missing:?}");
}

/// What a fork needs most: cases in which more than one process acts.
#[test]
fn generated_cases_are_mostly_meaningful() {
    let cases: Vec<Case> = (0..500)
        .map(|seed| generate(seed, 32, Profile::default()))
        .collect();
    let with = |wanted: &dyn Fn(&Operation) -> bool| {
        cases
            .iter()
            .filter(|case| case.operations.iter().any(wanted))
            .count()
    };
    assert!(with(&|operation| operation.process.index() > 0) > 350);
    assert!(with(&|operation| matches!(operation.call, Call::Sbrk { .. })) > 490);
    assert!(with(&|operation| operation.call.kind() == Kind::Pipe) > 250);
    assert!(
        cases
            .iter()
            .filter(|case| case.operations.len() == 32)
            .count()
            > 400
    );
}

#[test]
fn errors_say_where_and_what() {
    let wrong = [
        ("a: sbrk +3p", 1, 1, "does not say that it is a case"),
        ("faultline 2\na: getpid", 1, 1, "version 2"),
        ("", 1, 1, "faultline 1"),
        ("faultline 1\na: frok", 2, 4, "did you mean `fork`?"),
        ("faultline 1\na: fork", 2, 4, "a: b = fork"),
        ("faultline 1\nsbrk +1", 2, 1, "a: sbrk"),
        ("faultline 1\nx: getpid", 2, 1, "`a` to `h`"),
        ("faultline 1\na getpid", 2, 3, "`:` after the process"),
        (
            "faultline 1\n\n# c\n  a:   load8 haep[1]",
            4,
            14,
            "did you mean `heap`?",
        ),
        ("faultline 1\na: load3 heap", 2, 4, "1, 2, 4 or 8"),
        ("faultline 1\na: load8 heap[9999]", 2, 10, "out of range"),
        (
            "faultline 1\na: load8 heap[1",
            2,
            16,
            "expected `]`, but the line ends here",
        ),
        (
            "faultline 1\na: store8 heap 0x12345678",
            2,
            16,
            "0x5678567856785678",
        ),
        ("faultline 1\na: sbrk 99999999999", 2, 9, "2^n"),
        ("faultline 1\na: sbrk 2^99", 2, 11, "an exponent is 0 to 63"),
        ("faultline 1\na: sbrk to nowhere", 2, 12, "trapframe"),
        ("faultline 1\na: sbrk", 2, 8, "such as `+3p`"),
        (
            "faultline 1\na: touch heap 4 stride 3",
            2,
            24,
            "power of two",
        ),
        ("faultline 1\na: getpid now", 2, 11, "the end of the line"),
        ("faultline 1\na: kill", 2, 8, "a process, or `pid`"),
        ("faultline 1\nframes many", 2, 8, "a number of frames"),
        ("faultline 1\nframes fail 0", 2, 13, "out of range"),
        ("faultline 1\na: read 99 heap 4", 2, 9, "out of range"),
        ("faultline 1\ntogether 4 harts", 2, 10, "out of range"),
        ("faultline 1\ntogether 2 harts", 2, 17, "`, order`"),
        (
            "faultline 1\ntogether 2 harts, order 2 2",
            2,
            25,
            "each once",
        ),
        (
            "faultline 1\ntogether 1 hart, order 1 2, switch 9 3",
            2,
            36,
            "ascending",
        ),
        (
            "faultline 1\ntogether 1 hart, order 1 2, soon",
            2,
            29,
            "`switch` and instructions, or `pre-empt`",
        ),
    ];
    for (text, line, column, words) in wrong {
        let error = Case::parse(text).expect_err(text);
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text}: {error}"
        );
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn text_may_be_written_in_more_ways_than_one() {
    let same = [
        ("a: sbrk 3p", "a: sbrk +3p"),
        ("a: sbrk +3p lazy", "a: sbrk +3p"),
        ("a: sbrk 0", "a: sbrk +0"),
        ("a: sbrk 2^31 -1", "a: sbrk +2^31-1"),
        ("a: sbrk 0x10p", "a: sbrk +16p"),
        ("a: sbrk 100000", "a: sbrk +24p+1696"),
        ("a: sbrk to trapframe +1p", "a: sbrk to trapframe+1p"),
        ("a: load8 heap", "a: load8 heap[0]"),
        ("a: load8 heap-8", "a: load8 heap[-1]+0xff8"),
        ("a: load8 heap[1]+0x1008", "a: load8 heap[2]+0x8"),
        ("a : load8 heap [1]+8", "a: load8 heap[1]+0x8"),
        ("a: store1 heap 0xff", "a: store1 heap[0] 255"),
        ("a: store8 heap 0xffffffffffffffff", "a: store8 heap[0] -1"),
        ("a: touch heap 2 stride 4096", "a: touch heap[0] 2"),
        ("a: yield", "a: yield 1"),
        (
            "together 1 hart, order 2 1, pre-empt",
            "together 1 hart, order 2 1",
        ),
    ];
    for (written, canonical) in same {
        let case = parsed(&format!("faultline 1\n{written}\n"));
        assert_eq!(case.to_string(), format!("faultline 1\n{canonical}\n"));
    }
}

/// Records as the encoder has written them since they came into the language.
#[test]
fn old_binary_files_keep_their_meaning() {
    let old: [([u8; 8], &str); 10] = [
        ([0x00, 0x00, 0x00, 0x00, 3, 0, 0, 0], "a: sbrk +3p"),
        (
            [0x09, 0x04, 0xf8, 0x8f, 1, 3, 0, 0],
            "b: load8 heap[1]+0xff8",
        ),
        ([0x30, 0, 0, 0, 0, 1, 0, 0], "a: b = fork"),
        (
            [0xa2, 0x03, 0x10, 0x80, 0, 0, 0, 0],
            "c: wait stack[0]+0x10",
        ),
        (
            [0x60, 0x04, 0x00, 0xff, 0xff, 0x85, 0xff, 0xff],
            "a: read 5 heap[-1]+0xf00 -1",
        ),
        ([0x98, 0, 0, 0, 0, 0, 0xff, 0xff], "frames all"),
        ([0x98, 0xff, 0, 0, 0, 0, 3, 0], "frames fail 3"),
        (
            [0xf9, 0xef, 0xbe, 0xad, 0xde, 0, 0, 0],
            "b: high-half 0xdeadbeef",
        ),
        ([0xfa, 4, 8, 0x80, 2, 2, 0, 0], "c: stack heap[2]+0x8"),
        ([0xf8, 1, 31, 0, 0, 1, 0xff, 0xff], "a: call 2^31-1"),
    ];
    for (record, text) in old {
        let operation = Case::decode(&record).operations[0];
        assert_eq!(operation.to_string(), text);
        assert_eq!(
            Case {
                operations: vec![operation]
            }
            .to_bytes(),
            record,
            "{text}"
        );
    }
}

#[test]
fn change_points_that_are_far_are_kept() {
    for harts in ["1 hart", "2 harts", "3 harts"] {
        for switches in ["258859", "9 70000", "70000 16777215"] {
            let text = format!(
                "faultline 1\na: b = fork\ntogether {harts}, order 2 1, switch {switches}\na: getpid\nb: getpid\n"
            );
            let case = Case::parse(&text).unwrap();
            assert_eq!(case.to_string(), text);
            assert_eq!(repaired_case(&case.to_bytes()), case);
        }
    }
    let three = "faultline 1\na: b = fork\ntogether 2 harts, order 1 2, switch 9 10 70000\na: getpid\nb: getpid\n";
    assert!(
        Case::parse(three)
            .unwrap_err()
            .to_string()
            .contains("there are at most 2")
    );
}
