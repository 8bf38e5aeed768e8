//! The command line: its commands, and what the exit codes mean.

mod boot;
mod bugs;
mod campaign;
mod check;
mod convert;
mod distil;
mod export;
mod guest;
mod limits;
mod minimise;
mod mutants;
mod nightly;
mod output;
mod parallel;
mod programs;
mod replay;
mod run;
mod trace;

use clap::{Parser, Subcommand};
use guest::GuestArguments;
use signal_hook::consts::SIGPIPE;
use signal_hook::flag::register_conditional_default;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub(crate) use output::Format;

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing wrong was found
  1  at least one finding
  2  the command could not run, for example because a file is missing or is not a case
  3  export only: the program was written, but it cannot show the finding; it says why
  4  check only: nothing was found, but too little was done to say that nothing is wrong

Example:
  faultline run corpus/seeds/sbrk_faults/*.case";

/// Differential fuzzing of lazy memory in xv6-class kernels.
#[derive(Parser)]
#[command(name = "faultline", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Boot the kernel and open its console.
    Boot(boot::Arguments),
    /// Run cases on the kernel and the oracle, and print the verdict of each.
    Run(run::Arguments),
    /// Run all cases of a folder in parallel, with a summary.
    Replay(replay::Arguments),
    /// Fuzz the kernel with our own engine: parallel, guided by coverage, on stable Rust.
    Campaign(campaign::Arguments),
    /// Keep a few cases that together cover as much as all of them.
    Distil(distil::Arguments),
    /// Check one or many xv6 kernels: find out the dialect, fuzz, and list the likely bugs.
    Check(check::Arguments),
    /// Find the smallest case that shows the same finding.
    Minimise(minimise::Arguments),
    /// Show a case operation by operation: expected, seen, instructions, frames.
    Trace(trace::Arguments),
    /// Write a case as a user program in C or Rust that shows its finding without a fuzzer.
    Export(export::Arguments),
    /// Change the kernel's machine code in many small ways, and count the changes that cases notice.
    Mutants(mutants::Arguments),
    /// Fuzz kernels with one seeded bug each, to measure the fuzzer.
    Bugs(bugs::Arguments),
    /// Run the kernel's own test programs at its shell, within a budget of instructions.
    Programs(programs::Arguments),
    /// Fuzz every target for a night, and print a summary of one page.
    Nightly(nightly::Arguments),
    /// Rewrite text cases in canonical form; comments stay.
    Fmt(convert::FmtArguments),
    /// Convert text cases to the binary form, which fuzz engines mutate.
    Encode(convert::ConvertArguments),
    /// Convert binary cases to text.
    Decode(convert::ConvertArguments),
}

/// What a command found out, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conclusion {
    /// Nothing is wrong.
    Clean,
    /// At least one finding.
    Findings,
    /// There is a finding, but the program that was written cannot show it.
    NotShown,
    /// Nothing wrong, but too little was done to say so.
    Inconclusive,
}

/// Parses the command line and runs it.
pub(crate) fn main() -> ExitCode {
    // A closed pipe (`faultline … | head`) ends the program quietly. If the handler cannot be
    // registered, the write panics instead, which is no worse than without it.
    let _ = register_conditional_default(SIGPIPE, Arc::new(AtomicBool::new(true)));
    let result = match Arguments::parse().command {
        Command::Boot(arguments) => boot::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Campaign(arguments) => campaign::run(&arguments),
        Command::Distil(arguments) => distil::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Minimise(arguments) => minimise::run(&arguments),
        Command::Trace(arguments) => trace::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Mutants(arguments) => mutants::run(&arguments),
        Command::Bugs(arguments) => bugs::run(&arguments),
        Command::Programs(arguments) => programs::run(&arguments),
        Command::Nightly(arguments) => nightly::run(&arguments),
        Command::Fmt(arguments) => convert::fmt(&arguments),
        Command::Encode(arguments) => convert::encode(&arguments),
        Command::Decode(arguments) => convert::decode(&arguments),
    };
    match result {
        Ok(Conclusion::Clean) => ExitCode::SUCCESS,
        Ok(Conclusion::Findings) => ExitCode::from(1),
        Ok(Conclusion::NotShown) => ExitCode::from(3),
        Ok(Conclusion::Inconclusive) => ExitCode::from(4),
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::from(2)
        }
    }
}
