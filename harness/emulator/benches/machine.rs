//! Speed of the machine alone: guest instructions a second, and the cost of a reset.
//!
//! `cargo bench -p emulator --bench machine`; elements a second are guest instructions a second.

#[path = "../tests/support/mod.rs"]
mod support;

mod processor_time;
mod programs;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use emulator::{Config, Coverage, Exit, Machine};
use processor_time::ProcessorTime;
use programs::{Guest, PROGRAMS, RAM, RAM_BYTES};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Guest instructions of one measured run.
const RUN: u64 = 1_000_000;

fn config() -> Config {
    Config {
        ram_bytes: RAM_BYTES,
        coverage: Coverage::All,
        ..Config::default()
    }
}

/// A machine in the middle of a program that does not end.
fn warm(text: &str) -> Machine {
    let guest = Guest::new(text, u64::MAX >> 1);
    let mut machine =
        Machine::new(&config(), &guest.elf(), Vec::new()).expect("the guest is well formed");
    assert_eq!(machine.run(20_000_000), Exit::Budget);
    machine
}

fn guests(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("guest instructions");
    group.throughput(Throughput::Elements(RUN));
    for (name, text, _) in PROGRAMS {
        let mut machine = warm(text);
        group.bench_function(name, |bencher| {
            bencher.iter(|| assert_eq!(machine.run(black_box(RUN)), Exit::Budget));
        });
    }
    group.finish();
}

/// The guest stores one byte into each of so many pages, and the machine goes back.
fn reset(criterion: &mut Criterion) {
    const DIRTY: &str = "
        li t1, 0x80100000
        li t2, 4096
        again:
        sb a0, 0(t1)
        add t1, t1, t2
        addi a0, a0, -1
        bnez a0, again
        j 0
    ";
    let program = support::assembler::Program::new(RAM, DIRTY, &[]);
    let file = support::elf::executable(RAM, &[(RAM, &program.code)]);
    let mut group = criterion.benchmark_group("reset");
    for pages in [0_u64, 8, 64, 512] {
        let mut machine =
            Machine::new(&config(), &file, vec![0; 1 << 20]).expect("the guest is well formed");
        machine.set_x(0, 10, pages.max(1));
        machine.snapshot();
        group.throughput(Throughput::Elements(pages));
        group.bench_function(BenchmarkId::new("dirty pages", pages), |bencher| {
            bencher.iter_custom(|iterations| {
                let mut spent = Duration::ZERO;
                for _ in 0..iterations {
                    if pages > 0 {
                        machine.run(4 + 4 * pages);
                    }
                    let started = Instant::now();
                    let stats = machine.reset();
                    spent += started.elapsed();
                    assert_eq!(stats.dirty_pages as u64, pages);
                }
                spent
            });
        });
    }
    group.finish();
}

fn settings() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

fn processor_time() -> Criterion<ProcessorTime> {
    settings().with_measurement(ProcessorTime)
}

criterion_group! { name = speed; config = processor_time(); targets = guests }
criterion_group! { name = resets; config = settings(); targets = reset }
criterion_main!(speed, resets);
