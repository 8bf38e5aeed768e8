//! Where the built kernel and its file-system image are.

use object::{Object, ObjectSection};
use std::path::{Path, PathBuf};

/// Names another kernel ELF than the built one.
pub const KERNEL_VARIABLE: &str = "FAULTLINE_KERNEL";
/// Names another file-system image than the built one.
pub const FILE_SYSTEM_VARIABLE: &str = "FAULTLINE_FS";

/// The section of a kernel's ELF file in which it may name its dialect.
pub const DIALECT_SECTION: &str = ".faultline.dialect";

const KERNEL_PATH: &str = "target/guest/kernel.elf";
const FILE_SYSTEM_PATH: &str = "target/guest/fs.img";

/// A kernel and an image, as read from disk.
#[derive(Clone, Debug)]
pub struct GuestFiles {
    /// Where the kernel came from, for messages.
    pub kernel_path: PathBuf,
    /// The kernel's ELF file.
    pub kernel: Vec<u8>,
    /// Where the image came from, for messages.
    pub file_system_path: PathBuf,
    /// The file-system image.
    pub file_system: Vec<u8>,
}

/// A guest file that is not there or not readable.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the {what} {}: {source}\n  {advice}", path.display())]
pub struct MissingGuest {
    what: &'static str,
    path: PathBuf,
    source: std::io::Error,
    advice: String,
}

impl GuestFiles {
    /// The name of the dialect that the kernel itself says it has: the content of its section
    /// [`DIALECT_SECTION`].
    pub fn named_dialect(&self) -> Option<String> {
        let file = object::File::parse(&*self.kernel).ok()?;
        let section = file.section_by_name(DIALECT_SECTION)?;
        let name = section.data().ok()?.to_vec();
        String::from_utf8(name).ok()
    }

    /// Whether the environment names another kernel or another image than the built ones.
    pub fn are_named_by_environment() -> bool {
        [KERNEL_VARIABLE, FILE_SYSTEM_VARIABLE]
            .iter()
            .any(|variable| std::env::var_os(variable).is_some())
    }

    /// Reads the kernel and the image: the given paths, else the environment's, else what
    /// `./scripts/setup` built in this checkout.
    ///
    /// # Errors
    /// Says which file is missing and how to make it.
    pub fn find(kernel: Option<&Path>, file_system: Option<&Path>) -> Result<Self, MissingGuest> {
        let (kernel_path, kernel) = read("kernel", kernel, KERNEL_VARIABLE, KERNEL_PATH)?;
        let (file_system_path, file_system) = read(
            "file-system image",
            file_system,
            FILE_SYSTEM_VARIABLE,
            FILE_SYSTEM_PATH,
        )?;
        Ok(Self {
            kernel_path,
            kernel,
            file_system_path,
            file_system,
        })
    }
}

fn read(
    what: &'static str,
    given: Option<&Path>,
    variable: &'static str,
    built: &str,
) -> Result<(PathBuf, Vec<u8>), MissingGuest> {
    let named = given
        .map(Path::to_path_buf)
        .or_else(|| std::env::var_os(variable).map(PathBuf::from));
    let is_named = named.is_some();
    let path = named.unwrap_or_else(|| checkout().join(built));
    match std::fs::read(&path) {
        Ok(bytes) => Ok((path, bytes)),
        Err(source) => Err(MissingGuest {
            what,
            path,
            source,
            advice: if is_named {
                "build it in its own tree first (`make kernel/kernel fs.img`)".to_owned()
            } else {
                format!("build it with `./scripts/setup`, or name another with {variable}=PATH")
            },
        }),
    }
}

/// The checkout this program runs in: the nearest folder upwards that holds a built guest, else
/// the one it was compiled in.
pub fn checkout() -> PathBuf {
    let compiled_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::current_dir()
        .ok()
        .and_then(|here| {
            here.ancestors()
                .find(|folder| folder.join(KERNEL_PATH).is_file())
                .map(Path::to_path_buf)
        })
        .unwrap_or(compiled_in)
}
