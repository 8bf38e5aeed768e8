//! `faultline programs`: runs a kernel's own test programs.

use super::{Conclusion, Format, GuestArguments, output};
use faultline::test_programs::{Bench, Budgets, LINES, Ran, Verdict};
use miette::{IntoDiagnostic, WrapErr};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "\
Each program starts at the shell's first prompt, on three harts. It counts as hung if it takes more
than --factor times the instructions that it took on a sound kernel. This makes the result repeatable.
A program stops at its first failing check, or when the kernel panics.

Exit codes:
  0  all programs passed
  1  a program did not pass
  2  the kernel starts no shell

Example:
  faultline programs --format json >sound.json
  faultline programs --sound sound.json --kernel other/kernel.elf --fs other/fs.img")]
pub(crate) struct Arguments {
    /// The command lines to type [default: lazytests, cowtests, stacktests, usertests -q]
    #[arg(value_name = "LINE")]
    lines: Vec<String>,
    /// The output of this command for the sound kernel with --format json
    #[arg(long, value_name = "FILE")]
    sound: Option<PathBuf>,
    /// Stop at the first program that does not pass
    #[arg(long)]
    until_failure: bool,
    /// A program may take N times the instructions that it took on the sound kernel
    #[arg(long, value_name = "N", default_value_t = 3)]
    factor: u64,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let budgets = match &arguments.sound {
        Some(path) => Budgets::times(arguments.factor, &read(path)?),
        None => Budgets::default(),
    };
    let lines = match arguments.lines.as_slice() {
        [] => LINES.map(str::to_owned).to_vec(),
        lines => lines.to_vec(),
    };
    let files = arguments.guest.files()?;
    let mut bench = Bench::boot(files).map_err(|error| miette::miette!("{error}"))?;
    let mut ran = BTreeMap::new();
    for line in &lines {
        let one = bench.run(line, budgets.of(line), |_| ());
        ran.insert(line.clone(), one);
        if arguments.format == Format::Text {
            print(line, one);
        }
        if arguments.until_failure && one.verdict != Verdict::Passed {
            break;
        }
    }
    match arguments.format {
        Format::Text => {}
        Format::Json => output::print_json(&ran)?,
    }
    let passed = ran.values().all(|ran| ran.verdict == Verdict::Passed);
    Ok(if passed {
        Conclusion::Clean
    } else {
        Conclusion::Findings
    })
}

fn read(path: &PathBuf) -> miette::Result<BTreeMap<String, Ran>> {
    let what = || format!("cannot read {}", path.display());
    let text = std::fs::read_to_string(path)
        .into_diagnostic()
        .wrap_err_with(what)?;
    serde_json::from_str(&text)
        .into_diagnostic()
        .wrap_err_with(what)
}

fn print(line: &str, ran: Ran) {
    println!(
        "{line:<16} {:<8} {:>14} instructions",
        ran.verdict, ran.instructions
    );
}
