//! `faultline export`: writes a case as a user program that shows its finding without a fuzzer.

use super::output::print_json;
use super::{Conclusion, Format, GuestArguments};
use faultline::case_file;
use faultline::export::{Language, export};
use std::path::PathBuf;

const EXAMPLE: &str = "\
The program prints a line for the operation that differs. Its last line is REPRODUCED or not reproduced.
A program cannot see page tables or the kernel's own tables. If this hides the finding, the program ends
with NOT SHOWN and the reason, and the exit code of this command is 3. A program cannot arrange a race or
make a certain allocation of a frame fail. For such a case no program is written, and the exit code is 2.
See docs/findings.md.

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
    /// Write the program in C, for an xv6-riscv of 2019 to 2025
    #[arg(long)]
    c: bool,
    /// Write the program in Rust, for our kernel
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
    let language = if arguments.c {
        Language::C
    } else {
        Language::Rust
    };
    let mut runner = arguments.guest.runner_for(&arguments.case)?;
    let exported = export(&mut runner, &case, language);
    runner.check_machine()?;
    let exported =
        exported.map_err(|refusal| miette::miette!("{}: {refusal}", arguments.case.display()))?;
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
        eprintln!("the program performs the case, but it cannot show the finding: {hidden}");
        return Ok(Conclusion::NotShown);
    }
    Ok(match &exported.finding {
        Some(_) => Conclusion::Findings,
        None => {
            eprintln!("the case shows no finding on this kernel, and the program will show none");
            Conclusion::Clean
        }
    })
}
