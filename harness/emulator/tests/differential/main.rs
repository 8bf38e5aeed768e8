//! Random instruction streams, run here and on a machine that we did not write; and our assembler
//! against one that we did not write.
//!
//! One bare-metal image holds many short random programs and a runtime that executes each in turn,
//! in M, S or U mode, with and without Sv39. Every trap, the final registers, memory, page-table
//! entries and status are folded into one number a program, which the image itself prints on the
//! serial port. QEMU and the emulator must print the same.
//!
//! `FAULTLINE_DIFFERENTIAL_PROGRAMS=200000` runs more programs than the usual few thousand, and
//! `FAULTLINE_DIFFERENTIAL_SEED=7` others.

#[path = "../support/mod.rs"]
mod support;

mod assembler;
mod generate;
mod image;
mod qemu;
mod random;

use emulator::{Config, Exit, Machine};
use generate::Sequence;
use image::Image;
use libtest_mimic::{Arguments, Trial};
use peers::{QEMU, trial};
use std::process::ExitCode;
use support::rig::RAM;

/// Programs in one image, and so in one start of QEMU.
const BATCH: usize = 1500;
/// Batches unless the environment asks for more.
const BATCHES: usize = 3;
/// Instructions after which a run here is given up.
const BUDGET: u64 = 400_000_000;

fn main() -> ExitCode {
    let tests: [(&str, fn()); 2] = [
        (
            "random_programs_agree_with_qemu",
            random_programs_agree_with_qemu,
        ),
        (
            "every_compressed_arithmetic_encoding_agrees_with_qemu",
            every_compressed_arithmetic_encoding_agrees_with_qemu,
        ),
    ];
    let trials: Vec<Trial> = tests
        .map(|(name, test)| trial(name, || QEMU.command(), move |_| test()))
        .into_iter()
        .chain(assembler::trials())
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What the image prints when it runs here.
fn run_here(image: &Image, config: &Config) -> Result<String, String> {
    let file = support::elf::executable(RAM, &[(RAM, &image.bytes)]);
    let mut machine = Machine::new(config, &file, Vec::new()).map_err(|error| error.to_string())?;
    let exit = machine.run(BUDGET);
    let output = String::from_utf8_lossy(&machine.console_output()).into_owned();
    match exit {
        Exit::Finished { code: 0 } => Ok(output),
        other => Err(format!(
            "{other:?} at {:#x}; printed so far: {} lines",
            machine.pc(0),
            output.lines().count()
        )),
    }
}

fn config() -> Config {
    Config {
        ram_bytes: image::RAM_BYTES,
        ..Config::default()
    }
}

/// Runs one program on both sides with every observation printed, and says where they part.
fn explain(sequence: &Sequence) -> String {
    let image = Image::new(std::slice::from_ref(sequence), true);
    let here = run_here(&image, &config()).unwrap_or_else(|error| error);
    let there = qemu::run(&image.bytes);
    let mut text = format!("{sequence}\n");
    let labels = image::labels(&there);
    let lines = here.lines().zip(there.lines()).enumerate();
    for (index, (ours, theirs)) in lines {
        if ours != theirs {
            let label = labels.get(index).map_or("?", String::as_str);
            text += &format!("{label}: here {ours}, QEMU {theirs}\n");
        }
    }
    if here.lines().count() != there.lines().count() {
        text += &format!(
            "here {} observations, QEMU {}\n",
            here.lines().count(),
            there.lines().count()
        );
    }
    text
}

/// Runs programs on both sides and panics with the first few that differ.
fn compare(sequences: &[Sequence]) {
    let image = Image::new(sequences, false);
    let there = qemu::run(&image.bytes);
    assert_eq!(
        there.lines().count(),
        sequences.len(),
        "QEMU ran every program"
    );
    let here = run_here(&image, &config())
        .unwrap_or_else(|error| panic!("the emulator did not finish: {error}"));
    let differing: Vec<usize> = (0..sequences.len())
        .filter(|index| here.lines().nth(*index) != there.lines().nth(*index))
        .collect();
    if !differing.is_empty() {
        let reports: Vec<String> = differing
            .iter()
            .take(3)
            .map(|index| explain(&sequences[*index]))
            .collect();
        panic!(
            "{} of {} programs differ\n{}",
            differing.len(),
            sequences.len(),
            reports.join("\n")
        );
    }
    let strict = run_here(
        &image,
        &Config {
            strict_tlb: true,
            ..config()
        },
    );
    assert_eq!(
        strict.as_ref(),
        Ok(&here),
        "strict translation makes no difference"
    );
}

fn random_programs_agree_with_qemu() {
    let seed = environment("FAULTLINE_DIFFERENTIAL_SEED").unwrap_or(1);
    let programs = environment("FAULTLINE_DIFFERENTIAL_PROGRAMS")
        .map_or(BATCH * BATCHES, |count| count as usize);
    let mut number = 0;
    while number < programs {
        let count = BATCH.min(programs - number);
        let sequences: Vec<Sequence> = (number..number + count)
            .map(|number| generate::random(seed << 32 | number as u64))
            .collect();
        compare(&sequences);
        number += count;
    }
}

/// All 16-bit encodings that neither touch memory nor jump, reserved ones included.
fn every_compressed_arithmetic_encoding_agrees_with_qemu() {
    let sequences = generate::compressed();
    assert!(
        sequences
            .iter()
            .map(|sequence| sequence.instructions)
            .sum::<usize>()
            > 20_000
    );
    for sequences in sequences.chunks(BATCH) {
        compare(sequences);
    }
}
