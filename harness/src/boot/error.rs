//! Why a kernel could not be booted to the start of a case: what happened, where, and what to do next.

use super::progress::Progress;
use crate::guest::location::GuestFiles;
use std::path::PathBuf;

/// What a kernel was doing when the budget ran out.
pub(super) const STILL_RUNNING: &str = "it was still running";

/// Why a kernel could not be booted to the start of a case.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The image is not an xv6 file system, or is too full to take the agent.
    #[error(
        "cannot add the agent to the image {}: {error}\n  {}",
        path.display(),
        advice(error)
    )]
    FileSystem {
        /// The image.
        path: PathBuf,
        /// What is wrong with it.
        error: mkfs::Error,
    },
    /// The image has no first program, so the kernel would have nothing to run.
    #[error(
        "the image {} has no file `init` in its root, which xv6 runs first; the root holds {held}\n  \
         name the image that the kernel's own makefile builds (`make fs.img`)",
        path.display()
    )]
    NoInit {
        /// The image.
        path: PathBuf,
        /// What its root directory holds instead.
        held: String,
    },
    /// The kernel's ELF file does not fit the machine.
    #[error(
        "{0}\n  name the ELF file that the kernel's own makefile builds (`make kernel/kernel`)"
    )]
    Kernel(#[from] emulator::BuildError),
    /// The machine stopped before the agent ran.
    #[error(
        "the kernel did not get {stage}: {how}, after {instructions} instructions, at pc {pc:#x}{function}\n  \
         so far: {progress}\n  \
         its console shows:\n{console}"
    )]
    NeverReached {
        /// The stage that it should have reached.
        stage: &'static str,
        /// What it did instead.
        how: String,
        /// Instructions since power-on.
        instructions: u64,
        /// Where it was.
        pc: u64,
        /// In which function, as ` in name`, or nothing.
        function: String,
        /// How far the kernel got.
        progress: Progress,
        /// The tail of its console.
        console: String,
    },
    /// A system call that prepares the start of a case failed.
    #[error("the agent's first {call} returned {value}: the kernel cannot run a case")]
    Refused {
        /// The system call.
        call: &'static str,
        /// What it returned.
        value: i64,
    },
    /// The stack or the first program break is not where every xv6 has it.
    #[error(
        "the agent's address space is not laid out as in xv6: stack pointer {stack_pointer:#x}, first program break {heap:#x}"
    )]
    Layout {
        /// `sp` at the entry point.
        stack_pointer: u64,
        /// What `sbrk(0)` returned.
        heap: u64,
    },
}

impl BootError {
    pub(super) fn file_system(files: &GuestFiles) -> impl Fn(mkfs::Error) -> Self + use<'_> {
        |error| Self::FileSystem {
            path: files.file_system_path.clone(),
            error,
        }
    }

    pub(super) fn no_init(files: &GuestFiles, root: &[mkfs::Entry]) -> Self {
        let names: Vec<&str> = root.iter().map(|entry| entry.name.as_str()).collect();
        Self::NoInit {
            path: files.file_system_path.clone(),
            held: names.join(", "),
        }
    }

    /// Whether the kernel stopped, before the disk had completed a request, although its budget was not spent.
    pub(super) fn is_before_disk(&self) -> bool {
        match self {
            Self::NeverReached { progress, how, .. } => {
                progress.disk_requests == 0 && how != STILL_RUNNING
            }
            _ => false,
        }
    }
}

/// What to do if an image cannot be used.
fn advice(error: &mkfs::Error) -> &'static str {
    match error {
        mkfs::Error::OutOfBlocks => {
            "the agent and its files need about 40 blocks: raise FSSIZE in kernel/param.h, or leave \
             programs out of UPROGS"
        }
        mkfs::Error::OutOfInodes => {
            "the agent has several files: raise NINODES in mkfs/mkfs.c, or leave programs out of UPROGS"
        }
        _ => "name the image that the kernel's own makefile builds (`make fs.img`)",
    }
}
