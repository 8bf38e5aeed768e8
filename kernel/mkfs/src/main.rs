//! The command `mkfs`: builds, lists, edits and checks xv6 file-system images.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mkfs::{Builder, Image};

/// Builds, lists, edits and checks xv6 file-system images.
#[derive(Parser)]
#[command(version, after_help = "Example: mkfs build fs.img init sh=target/sh")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes an image that holds the given files
    #[command(after_help = "Example: mkfs build fs.img target/init shell=target/sh")]
    Build {
        /// The image to write
        image: PathBuf,
        /// Files to put in: PATH, or NAME=PATH to call it NAME
        files: Vec<String>,
        /// Blocks of 1024 bytes
        #[arg(long, default_value_t = 2000)]
        blocks: u32,
        /// Inodes
        #[arg(long, default_value_t = 200)]
        inodes: u32,
    },
    /// Replaces or adds files in an image
    #[command(after_help = "Example: mkfs put fs.img init=agent.elf")]
    Put {
        /// The image to change
        image: PathBuf,
        /// Files to put in: PATH, or NAME=PATH to call it NAME
        files: Vec<String>,
    },
    /// Lists a directory of an image
    #[command(after_help = "Example: mkfs list fs.img /")]
    List {
        /// The image to read
        image: PathBuf,
        /// The directory
        #[arg(default_value = "/")]
        path: String,
    },
    /// Checks an image: blocks, bitmap, directories, link counts
    #[command(after_help = "Example: mkfs check fs.img")]
    Check {
        /// The image to read
        image: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("mkfs: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, String> {
    match command {
        Command::Build {
            image,
            files,
            blocks,
            inodes,
        } => {
            let mut builder = Builder::new().blocks(blocks).inodes(inodes);
            for file in &files {
                let (name, bytes) = input(file)?;
                builder = builder.file(&name, &bytes);
            }
            let built = builder.build().map_err(|error| error.to_string())?;
            write(&image, built.as_bytes())?;
        }
        Command::Put { image, files } => {
            let mut opened = open(&image)?;
            for file in &files {
                let (name, bytes) = input(file)?;
                opened
                    .replace_file(&name, &bytes)
                    .map_err(|error| error.to_string())?;
            }
            write(&image, opened.as_bytes())?;
        }
        Command::List { image, path } => {
            let entries = open(&image)?.list(&path);
            for entry in entries.map_err(|error| error.to_string())? {
                println!(
                    "{:14} {:9?} inode {:3} {:7} bytes",
                    entry.name, entry.kind, entry.inode, entry.size
                );
            }
        }
        Command::Check { image } => {
            let problems = open(&image)?.check();
            for problem in &problems {
                println!("{}: {problem}", image.display());
            }
            if !problems.is_empty() {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads `PATH` or `NAME=PATH`, and returns the name in the image and the bytes.
fn input(argument: &str) -> Result<(String, Vec<u8>), String> {
    let (name, path) = match argument.split_once('=') {
        Some((name, path)) => (name.to_owned(), Path::new(path)),
        None => {
            let path = Path::new(argument);
            let name = path.file_name().unwrap_or_default();
            (name.to_string_lossy().into_owned(), path)
        }
    };
    Ok((name, read(path)?))
}

fn open(path: &Path) -> Result<Image, String> {
    Image::open(read(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
