//! `faultline fmt`, `encode` and `decode`: convert between the two forms of a case.

use super::Conclusion;
use faultline::case_file::{self, TEXT_ENDING};
use oracle::Case;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline fmt --check corpus")]
pub(crate) struct FmtArguments {
    /// Text cases, or folders of them; the files are changed in place
    #[arg(required = true, value_name = "CASE")]
    paths: Vec<PathBuf>,
    /// Change nothing; print the files that are not in canonical form, and exit with 1 if there are any
    #[arg(long)]
    check: bool,
}

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    faultline encode corpus/seeds/sbrk_faults --output fuzz/corpus/sbrk_faults\n  \
    faultline decode fuzz/artifacts/sbrk_faults/crash-1234")]
pub(crate) struct ConvertArguments {
    /// A case file, or a folder of them and of folders
    input: PathBuf,
    /// Where to write: a file, or a folder if the input is one [default: standard output]
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
}

pub(crate) fn fmt(arguments: &FmtArguments) -> miette::Result<Conclusion> {
    let mut conclusion = Conclusion::Clean;
    for path in &arguments.paths {
        for file in case_file::list(path)? {
            let canonical = case_file::read_document(&file)?.to_string();
            let present = std::fs::read(&file).map_err(|error| cannot("read", &file, &error))?;
            if present == canonical.as_bytes() {
                continue;
            }
            if arguments.check {
                println!("not in canonical form: {}", file.display());
                conclusion = Conclusion::Findings;
            } else {
                write(&file, canonical.as_bytes())?;
                println!("formatted {}", file.display());
            }
        }
    }
    Ok(conclusion)
}

pub(crate) fn encode(arguments: &ConvertArguments) -> miette::Result<Conclusion> {
    convert(arguments, "bin", Case::to_bytes)
}

pub(crate) fn decode(arguments: &ConvertArguments) -> miette::Result<Conclusion> {
    convert(arguments, TEXT_ENDING, |case| case.to_string().into_bytes())
}

fn convert(
    arguments: &ConvertArguments,
    ending: &str,
    form: impl Fn(&Case) -> Vec<u8>,
) -> miette::Result<Conclusion> {
    if !arguments.input.is_dir() {
        let bytes = form(&case_file::read(&arguments.input)?);
        match &arguments.output {
            Some(output) => write(output, &bytes)?,
            None => print(&bytes)?,
        }
        return Ok(Conclusion::Clean);
    }
    let Some(folder) = &arguments.output else {
        return Err(miette::miette!(
            "{} is a folder: name the folder to write to with --output FOLDER",
            arguments.input.display()
        ));
    };
    let files = case_file::list_every(&arguments.input)?;
    for file in &files {
        let below = file.strip_prefix(&arguments.input).unwrap_or(file);
        let place = folder.join(below.parent().unwrap_or(below));
        std::fs::create_dir_all(&place).map_err(|error| cannot("make", &place, &error))?;
        let mut name = file.file_stem().unwrap_or_default().to_owned();
        name.push(".");
        name.push(ending);
        write(&place.join(name), &form(&case_file::read(file)?))?;
    }
    eprintln!("{} cases written to {}", files.len(), folder.display());
    Ok(Conclusion::Clean)
}

fn print(bytes: &[u8]) -> miette::Result<()> {
    use std::io::Write;
    std::io::stdout()
        .write_all(bytes)
        .map_err(|error| miette::miette!("cannot write to standard output: {error}"))
}

fn write(path: &Path, bytes: &[u8]) -> miette::Result<()> {
    std::fs::write(path, bytes).map_err(|error| cannot("write", path, &error))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> miette::Report {
    miette::miette!("cannot {what} {}: {error}", path.display())
}
