//! `faultline export`: a case as a user program that shows its finding with no fuzzer near.

use super::output::print_json;
use super::{Conclusion, Format, GuestArguments};
use faultline::case_file;
use faultline::export::{Language, export};
use faultline::runner::Runner;
use std::path::PathBuf;

const EXAMPLE: &str = "\
The program prints a line for the operation that differs, and REPRODUCED or not reproduced as
its last one. What no program can see (page tables, the kernel's own tables) it does not claim to
show: it ends with NOT SHOWN and the reason, and the exit code is 3. A race, and a request for
frames that fails at the right moment, cannot be arranged by a program: exit code 2. See
docs/findings.md.

Example:
  faultline export findings/leak.case --c --output ../xv6-riscv/user/repro.c \\
      --kernel ../xv6-riscv/kernel/kernel --fs ../xv6-riscv/fs.img --dialect xv6-2025
  faultline export findings/leak.case --rust --output kernel/user/src/bin/repro.rs";

#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
#[group(id = "language", required = true, args = ["c", "rust"])]
pub(crate) struct Arguments {
    /// A case that shows a finding, text or binary
    case: PathBuf,
    /// Write it in C, for an xv6-riscv of 2019 to 2025
    #[arg(long)]
    c: bool,
    /// Write it in Rust, for our kernel
    #[arg(long, conflicts_with = "c")]
    rust: bool,
    /// Where to write the program [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    guest: GuestArguments,
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let case = case_file::read(&arguments.case)?;
    let language = match arguments.c {
        true => Language::C,
        false => Language::Rust,
    };
    let mut runner = Runner::new(&arguments.guest.boot()?);
    let exported = export(&mut runner, &case, language)
        .map_err(|refusal| miette::miette!("{}: {refusal}", arguments.case.display()))?;
    if let Some(path) = &arguments.output {
        std::fs::write(path, &exported.program)
            .map_err(|error| miette::miette!("cannot write {}: {error}", path.display()))?;
    }
    match arguments.format {
        Format::Json => print_json(&exported)?,
        Format::Text if arguments.output.is_none() => print!("{}", exported.program),
        Format::Text => {}
    }
    for note in &exported.notes {
        eprintln!("note: {note}");
    }
    if let Some(hidden) = exported.hidden {
        eprintln!("the program does what the case does and does not show what is wrong: {hidden}");
        return Ok(Conclusion::NotShown);
    }
    Ok(match &exported.finding {
        Some(_) => Conclusion::Findings,
        None => {
            eprintln!(
                "the case shows no finding on this kernel: the program shows that there is none"
            );
            Conclusion::Clean
        }
    })
}
