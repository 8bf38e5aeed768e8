//! Laws of running cases: two runs agree to the instruction, a reset forgets everything, the clean
//! kernel shows nothing wrong, and no bytes do harm.

use arbitrary::{Arbitrary, Unstructured};
use faultline::counters::{EDGE_COUNTERS, FEATURE_COUNTERS};
use faultline::fuzzing::{Execution, Session};
use faultline::guest::Guest;
use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use oracle::generation::repaired_case;
use oracle::{Case, Dialect};
use std::sync::{Arc, OnceLock};

fn guest() -> &'static Arc<Guest> {
    static GUEST: OnceLock<Arc<Guest>> = OnceLock::new();
    GUEST.get_or_init(|| {
        let files = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
        faultline::boot(&files, Dialect::faultline()).unwrap_or_else(|error| panic!("{error}"))
    })
}

/// Bytes that differ from seed to seed and are the same in every run (splitmix64).
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word >> 56) as u8
    };
    (0..bytes).map(|_| next()).collect()
}

fn generated(seed: u64) -> Case {
    let bytes = noise(seed, 2048);
    Case::arbitrary(&mut Unstructured::new(&bytes)).unwrap()
}

#[test]
fn a_reset_machine_runs_like_a_new_one() {
    let mut used = Runner::new(guest());
    for seed in 0..200 {
        let case = generated(seed);
        let mut fresh = Runner::new(guest());
        let [mut first_edges, mut second_edges] = [(); 2].map(|()| vec![0; EDGE_COUNTERS]);
        let first = fresh.run_counting(&case, &mut first_edges);
        let second = used.run_counting(&case, &mut second_edges);
        assert_eq!(first.instructions, second.instructions, "{case}");
        assert_eq!(first_edges, second_edges, "{case}");
    }
}

#[test]
fn edges_of_a_case_are_its_own_whatever_ran_before() {
    let mut runner = Runner::new(guest());
    for seed in 0..50 {
        let (case, other) = (generated(seed), generated(seed + 50));
        let [mut first, mut second] = [(); 2].map(|()| vec![0; EDGE_COUNTERS]);
        runner.run_counting(&case, &mut first);
        runner.run(&other);
        runner.run_counting(&case, &mut second);
        assert_eq!(first, second, "{case}");
        // Two runs that are counted add up.
        runner.run_counting(&case, &mut second);
        let sum = |(one, two): (&u8, &u8)| *two == one.saturating_add(*one);
        assert!(first.iter().zip(&second).all(sum), "{case}");
    }
}

#[test]
fn generated_cases_are_clean_and_bite() {
    let mut runner = Runner::new(guest());
    let mut meter = oracle::BiteMeter::default();
    for seed in 1000..2000 {
        let case = generated(seed);
        let outcome = runner.run(&case);
        if let Some(finding) = outcome.first() {
            panic!("seed {seed}: {finding}\n{case}");
        }
        meter += outcome.meter;
    }
    assert!(meter.bites(), "{meter}");
    assert!(meter.skipped * 4 < meter.operations, "{meter}");
}

#[test]
fn any_bytes_are_a_case_without_a_finding() {
    let mut session = Session::new(Arc::clone(guest()));
    let mut edges = vec![0; EDGE_COUNTERS];
    let mut features = vec![0; FEATURE_COUNTERS];
    for seed in 0..1000 {
        let case = repaired_case(&noise(seed, (seed % 700) as usize));
        match session.execute(&case, &mut edges, &mut features) {
            Ok(execution) => assert_eq!(execution, Execution::Clean),
            Err(alarm) => panic!("{alarm}"),
        }
    }
    assert!(edges.iter().filter(|count| **count > 0).count() > 100);
    assert!(features.iter().filter(|count| **count > 0).count() > 50);
    assert!(session.totals().repeated > 0);
}
