//! What an execution costs: whole cases by length, with a warm and a cold machine, and the reset
//! alone. Cases come from fixed seeds, so two runs measure the same work.
//!
//! `docs/benchmarks.md` explains the figures.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use faultline::guest::Guest;
use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use oracle::generation::generate;
use oracle::{Case, Dialect, Profile};
use std::hint::black_box;
use std::sync::Arc;

/// Cases per measured set: enough, so that no single case decides.
const CASES: usize = 64;

/// Operations per case.
const LENGTHS: [u32; 4] = [8, 32, 64, 128];

fn guest() -> Arc<Guest> {
    let files = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
    faultline::boot(&files, Dialect::faultline()).unwrap_or_else(|error| panic!("{error}"))
}

/// The measured set: generated cases of exactly `length` operations.
fn cases(length: u32) -> Vec<Case> {
    (0..CASES)
        .map(|seed| generate(seed as u64, length, Profile::default()))
        .collect()
}

fn executions(criterion: &mut Criterion) {
    let guest = guest();
    let mut group = criterion.benchmark_group("sbrk_faults");
    group.throughput(Throughput::Elements(CASES as u64));
    for length in LENGTHS {
        let cases = cases(length);
        let mut runner = Runner::new(&guest);
        group.bench_function(BenchmarkId::new("warm", length), |bencher| {
            bencher.iter(|| {
                for case in &cases {
                    black_box(runner.run(case));
                }
            });
        });
        group.bench_function(BenchmarkId::new("cold", length), |bencher| {
            bencher.iter_batched(
                || Runner::new(&guest),
                |mut runner| {
                    for case in &cases {
                        black_box(runner.run(case));
                    }
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn boot(criterion: &mut Criterion) {
    criterion.bench_function("boot to the agent", |bencher| bencher.iter(guest));
}

criterion_group!(benches, executions, boot);
criterion_main!(benches);
