//! Origins: which kernel and image a guest was booted from, and how that is written into a case file.

use super::Guest;
use super::location::GuestFiles;
use oracle::{Dialect, Situation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What the lines of a case file begin with that say where it was found. They are comments of the case.
const MARK: &str = "#|";

/// The kernel, the image, the board and the dialect that a case was found with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The situations that the case must avoid, to show its finding before any other one of this kernel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoided: Vec<Situation>,
    /// The kernel's ELF file.
    pub kernel: OriginFile,
    /// The file-system image.
    pub image: OriginFile,
    /// What hardware the kernel was found to need.
    pub board: Board,
    /// How the kernel may differ from others.
    pub dialect: Dialect,
}

/// A file, and what was in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginFile {
    /// Where it was.
    pub path: PathBuf,
    /// The SHA-256 hash of its bytes, in hexadecimal digits as `sha256sum` prints them.
    pub sha256: String,
}

/// The board of a guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// The registers of the virtio disk: `modern` or `legacy`.
    pub disk: String,
    /// Bytes of RAM.
    pub memory: u64,
    /// What interrupts the kernel sometimes: `clint`, `sstc` or `none`.
    pub timer: String,
    /// How many harts cases run on.
    pub harts: usize,
}

/// Lines of a case file that look like its origin, but are wrong.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("the lines that begin with {MARK} do not say where the case was found: {0}")]
#[diagnostic(help("remove these lines, and name the kernel with --kernel and --fs"))]
pub struct BadOrigin(String);

impl OriginFile {
    /// The file at `path`, which holds `bytes`. A path that can be made absolute is.
    pub fn new(path: &Path, bytes: &[u8]) -> Self {
        let digits = Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            path: path.canonicalize().unwrap_or_else(|_| path.to_path_buf()),
            sha256: digits,
        }
    }
}

impl Origin {
    /// The origin of `guest`.
    pub fn of(guest: &Guest) -> Self {
        let hardware = &guest.hardware;
        let [kernel, image] = guest.files.clone();
        Self {
            avoided: Vec::new(),
            kernel,
            image,
            board: Board {
                disk: hardware.disk.value.name().to_owned(),
                memory: hardware.memory.value,
                timer: hardware.timer.value.to_string(),
                harts: hardware.harts.value,
            },
            dialect: guest.dialect.clone(),
        }
    }

    /// The lines of a case file that say it.
    pub fn to_comments(&self) -> String {
        let text = toml::to_string(self).expect("TOML can express every field");
        let lines = text.lines().map(|line| match line {
            "" => format!("{MARK}\n"),
            _ => format!("{MARK} {line}\n"),
        });
        let lines: String = lines.collect();
        format!("\n# The kernel, the board and the dialect that this was found on:\n{lines}")
    }

    /// The origin that the text of a case file names; `None` if it names none.
    ///
    /// # Errors
    /// It has lines that look like it, and they are incomplete or wrong.
    pub fn in_text(text: &str) -> Result<Option<Self>, BadOrigin> {
        let lines = text
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix(MARK));
        let lines: Vec<&str> = lines
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        if lines.is_empty() {
            return Ok(None);
        }
        let read = toml::from_str(&lines.join("\n"));
        read.map(Some).map_err(|error| BadOrigin(error.to_string()))
    }

    /// The kernel and the image, from where they were. If they are not there any more, what
    /// `./scripts/setup` built, where that is the same.
    pub fn files(&self) -> Option<GuestFiles> {
        let there = GuestFiles::find(Some(&self.kernel.path), Some(&self.image.path)).ok();
        there.or_else(|| {
            let built = GuestFiles::find(None, None).ok()?;
            (self.is_kernel(&built)).then_some(built)
        })
    }

    /// Whether `files` hold the kernel that the case was found on, wherever they are.
    pub fn is_kernel(&self, files: &GuestFiles) -> bool {
        OriginFile::new(&files.kernel_path, &files.kernel).sha256 == self.kernel.sha256
    }
}

#[cfg(test)]
mod tests {
    use super::{Board, Origin, OriginFile};
    use oracle::{Case, Dialect};
    use std::path::Path;

    fn origin() -> Origin {
        Origin {
            avoided: vec!["fstat/touched/goes-on/nothing".parse().unwrap()],
            kernel: OriginFile::new(Path::new("/no/such/kernel"), b"abc"),
            image: OriginFile::new(Path::new("a \"strange\" name\n/fs.img"), b""),
            board: Board {
                disk: "legacy".into(),
                memory: 1 << 30,
                timer: "clint".into(),
                harts: 2,
            },
            dialect: Dialect::xv6_2025(),
        }
    }

    #[test]
    fn an_origin_is_read_back_from_a_case_file() {
        let text = format!("faultline 1\na: getpid\n{}", origin().to_comments());
        assert_eq!(Origin::in_text(&text).unwrap(), Some(origin()));
        assert_eq!(Case::parse(&text).unwrap().operations.len(), 1);
    }

    #[test]
    fn a_case_may_have_no_origin_and_not_half_of_one() {
        assert_eq!(
            Origin::in_text("faultline 1\n# a comment\na: getpid\n").unwrap(),
            None
        );
        let half = "faultline 1\n#| [kernel]\n#| path = \"kernel\"\n";
        let error = Origin::in_text(half).unwrap_err().to_string();
        assert!(error.contains("sha256"), "{error}");
    }

    /// The value is that of the standard (FIPS 180-2, appendix B.1).
    #[test]
    fn a_hash_is_what_other_programs_print() {
        let hash = origin().kernel.sha256;
        assert_eq!(
            hash,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
