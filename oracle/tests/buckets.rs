//! The golden set of buckets: findings and the buckets that they belong to, so that a change of
//! buckets is a conscious act.
//!
//! `buckets.golden` is read in paragraphs: a bucket, a case, and what the kernel does wrong in its
//! last operation or at its end.

mod support;

use oracle::{Bucket, Case, Dialect, End, Event, Failure, Judge, Observation, Process, bucket};
use std::collections::BTreeSet;
use support::{Honest, Liberties, Tamper, run};

/// A kernel that does what the words say, when the last operation is performed or at the end.
struct Wrong<'a> {
    last: usize,
    words: &'a str,
}

impl Tamper for Wrong<'_> {
    fn step(&mut self, index: usize, _: &Judge, observation: &mut Observation) {
        if index == self.last {
            apply(self.words, observation);
        }
    }

    fn end(&mut self, end: &mut End) {
        match self.words.strip_prefix("at the end ") {
            Some("frames are missing") => end.frames = Some((1000, 998)),
            Some("frames are invented") => end.frames = Some((1000, 1001)),
            Some(words) => (end.failure, end.stopped_in) = failure(words),
            None => {}
        }
    }
}

fn apply(words: &str, observation: &mut Observation) {
    if let Some(words) = words.strip_prefix("takes ") {
        let taken: u64 = words.trim_end_matches(" frames").parse().unwrap();
        observation.frames = Some((1000, 1000 - taken));
        return;
    }
    if let Some((process, words)) = words.split_once(" returns ") {
        let process = process
            .chars()
            .next()
            .and_then(Process::from_letter)
            .unwrap();
        let value = words.parse::<i64>().unwrap() as u64;
        observation.events = vec![Event::Returned { process, value }];
    } else if let Some(process) = words.strip_suffix(" is killed") {
        let process = process
            .chars()
            .next()
            .and_then(Process::from_letter)
            .unwrap();
        observation.events = vec![Event::Silent {
            process,
            trap: None,
            killed_message: true,
        }];
    } else if !words.starts_with("at the end") {
        (observation.failure, observation.stopped_in) = failure(words);
    }
}

/// `panics WORDS`, `hangs` or `is stuck`, with ` in FUNCTIONS` where they are known.
fn failure(words: &str) -> (Option<Failure>, Option<Box<str>>) {
    let (words, place) = match words.split_once(" in ") {
        Some((words, place)) => (words, Some(place.into())),
        None => (words, None),
    };
    let failure = match words {
        "hangs" => Failure::Hang,
        "is stuck" => Failure::Stuck { pc: 0x8000_1234 },
        _ => Failure::Panic {
            text: words.strip_prefix("panics ").unwrap().to_owned(),
        },
    };
    (Some(failure), place)
}

#[test]
fn findings_keep_their_buckets() {
    let golden = include_str!("buckets.golden");
    let mut buckets = BTreeSet::new();
    for paragraph in golden.split("\n\n").filter(|text| !text.starts_with('#')) {
        let lines: Vec<&str> = paragraph.lines().collect();
        let [name, operations @ .., wrong] = lines.as_slice() else {
            panic!("a paragraph has a bucket, operations, and what goes wrong:\n{paragraph}");
        };
        let text = format!("faultline 1\n{}\n", operations.join("\n"));
        let case = Case::parse(&text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        let (clean, _) = run(&Dialect::faultline(), &case, Liberties(0), &mut Honest);
        assert_eq!(clean, Ok(()), "{paragraph}");
        let mut kernel = Wrong {
            last: operations.len() - 1,
            words: wrong.strip_prefix("! ").unwrap(),
        };
        let (result, _) = run(&Dialect::faultline(), &case, Liberties(0), &mut kernel);
        let finding = result.expect_err(paragraph);
        assert_eq!(bucket(&finding), Bucket::from(*name), "{paragraph}");
        buckets.insert(*name);
    }
    assert!(buckets.len() > 12, "the golden set has too few buckets");
}
