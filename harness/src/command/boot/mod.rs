//! `faultline boot`: opens a kernel's console, for a person or for a script.

mod host;
mod input;
mod relay;
mod terminal;

use super::{Conclusion, GuestArguments};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use emulator::{Config, DiskFlavour, Machine};
use faultline::case_file;
use faultline::guest::location::GuestFiles;
use faultline::guest::origin::Origin;
use faultline::guest::symbols::Symbols;
use host::Host;
use miette::{IntoDiagnostic, WrapErr};
use oracle::Dialect;
use relay::{End, Relay};
use std::path::{Path, PathBuf};
use std::time::Duration;

const EXAMPLES: &str = "\
At a terminal, Ctrl-A X leaves, and Ctrl-A Ctrl-A types one Ctrl-A. If the input is not a terminal, each
line is typed when the machine is idle. The command ends when the machine has been idle for a minute
after the last line. This is a minute of the machine's own time, which passes in a moment.

Exit codes:
  0  the user left, or the text of --until was shown
  1  the kernel panicked, or the text was not shown
  2  the kernel could not be booted

Examples:
  faultline boot --harts 3
  echo usertests | faultline boot --until 'ALL PASSED' --timeout 300";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A case file: boot the kernel that it was found on, with the same disk and RAM
    #[arg(value_name = "CASE")]
    case: Option<PathBuf>,
    #[command(flatten)]
    guest: GuestArguments,
    /// The number of harts, 1 to 8
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u8).range(1..=8))]
    harts: u8,
    /// RAM in MiB, 1 to 4096 [default: what the kernel needs]
    #[arg(long, value_name = "MIB",
        value_parser = clap::value_parser!(u64).range(1..=4096))]
    memory: Option<u64>,
    /// The registers of the virtio disk: `modern` (1.0 and later) or `legacy` [default: what the kernel
    /// needs]
    #[arg(long, value_name = "FLAVOUR", value_parser = flavours())]
    disk: Option<DiskFlavour>,
    /// Boot arguments for the kernel, like QEMU's -append
    #[arg(long, value_name = "OPTIONS")]
    append: Option<String>,
    /// Write the disk to FILE at the end; otherwise its changes are lost
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Write the disk back to the image given with --fs at the end
    #[arg(long, requires = "fs", conflicts_with = "keep")]
    write: bool,
    /// Leave when the console shows TEXT
    #[arg(long, value_name = "TEXT")]
    until: Option<String>,
    /// Leave after this many seconds
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<Conclusion> {
    let origin = match &arguments.case {
        Some(case) => case_file::origin(case)?,
        None => None,
    };
    let case = arguments.case.as_deref().unwrap_or(Path::new(""));
    let (files, _) = arguments.guest.files_for(case, origin.as_ref())?;
    let keep = if arguments.write {
        Some(&files.file_system_path)
    } else {
        arguments.keep.as_ref()
    };
    let mut machine = machine(arguments, &files, origin.as_ref())?;
    let end = {
        // When the host is dropped, the terminal is restored, even after an error.
        let host = Host::take(arguments.timeout.map(Duration::from_secs)).into_diagnostic()?;
        Relay::new(&mut machine, host, arguments.until.as_deref())
            .run()
            .into_diagnostic()?
    };
    if let Some(path) = keep {
        std::fs::write(path, machine.disk())
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot write the disk to {}", path.display()))?;
    }
    eprintln!("\nfaultline: {end}");
    Ok(conclusion(&end, arguments.until.is_some()))
}

fn machine(
    arguments: &Arguments,
    files: &GuestFiles,
    origin: Option<&Origin>,
) -> miette::Result<Machine> {
    let (disk, memory) = needs(arguments, files, origin);
    let config = Config {
        harts: arguments.harts.into(),
        disk: arguments.disk.unwrap_or(disk),
        ram_bytes: arguments.memory.map_or(memory, |mebibytes| mebibytes << 20),
        command_line: arguments.append.clone(),
        ..Config::default()
    };
    let machine = Machine::new(&config, &files.kernel, files.file_system.clone());
    let mut machine =
        machine.map_err(|error| miette::miette!("{}: {error}", files.kernel_path.display()))?;
    // xv6 kernels call this function when they panic.
    if let Some(panic) = Symbols::read(&files.kernel).address("panic") {
        machine.set_breakpoint(panic);
    }
    Ok(machine)
}

/// The disk and the bytes of RAM that the kernel needs: as its case says, or as it shows when it is
/// booted to the start of a case. A kernel that does not come that far gets the usual ones.
fn needs(arguments: &Arguments, files: &GuestFiles, origin: Option<&Origin>) -> (DiskFlavour, u64) {
    let usual = Config::default();
    if let Some(origin) = origin {
        let disk = DiskFlavour::named(&origin.board.disk);
        return (disk.unwrap_or(usual.disk), origin.board.memory);
    }
    let is_known = arguments.disk.is_some() && arguments.memory.is_some();
    if is_known || files.named_dialect().is_some() {
        return (usual.disk, usual.ram_bytes);
    }
    match faultline::boot(files, Dialect::xv6_2025()) {
        Ok(guest) => (guest.hardware.disk.value, guest.hardware.memory.value),
        Err(_) => (usual.disk, usual.ram_bytes),
    }
}

fn flavours() -> impl TypedValueParser<Value = DiskFlavour> {
    PossibleValuesParser::new(DiskFlavour::ALL.map(DiskFlavour::name))
        .map(|name| DiskFlavour::named(&name).unwrap_or_default())
}

fn conclusion(end: &End, wants_text: bool) -> Conclusion {
    match end {
        End::Shown | End::Finished(0) => Conclusion::Clean,
        End::Left | End::InputEnded | End::TimedOut | End::Signalled if !wants_text => {
            Conclusion::Clean
        }
        _ => Conclusion::Findings,
    }
}
