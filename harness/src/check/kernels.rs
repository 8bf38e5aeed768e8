//! Which kernels to check: one by its files, or all in a folder.

use serde::Serialize;
use std::path::{Path, PathBuf};

/// Where a built tree has its kernel and its image: first where xv6's makefile puts them, then where our
/// build does.
const PLACES: [(&str, &str); 3] = [
    ("kernel/kernel", "fs.img"),
    ("target/guest/kernel.elf", "target/guest/fs.img"),
    ("kernel.elf", "fs.img"),
];

/// A kernel to check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Its name in tables.
    pub name: String,
    /// Its ELF file.
    pub kernel: PathBuf,
    /// Its file-system image.
    pub file_system: PathBuf,
}

/// Parts of a kernel's path that many kernels have.
const COMMON: [&str; 5] = ["kernel", "target", "guest", "build", "src"];
/// How many parts of its path name a kernel: its tree, and the folder of the tree.
const PARTS: usize = 2;

impl Candidate {
    /// A kernel given by its files. Its name is the last parts of its path that distinguish it from others, so
    /// that `alice/xv6-riscv/kernel/kernel` and `bob/xv6-riscv/kernel/kernel` do not share a folder of findings.
    pub fn of_files(kernel: &Path, file_system: &Path) -> Self {
        let whole = kernel
            .canonicalize()
            .unwrap_or_else(|_| kernel.to_path_buf());
        let stem = whole.with_extension("");
        let parts = stem.iter().map(|part| part.to_string_lossy());
        let parts: Vec<_> = parts
            .filter(|part| !COMMON.contains(&&**part) && part != "/")
            .collect();
        let name = match parts[parts.len().saturating_sub(PARTS)..].join("-") {
            name if name.is_empty() => COMMON[0].to_owned(),
            name => name,
        };
        Self {
            name,
            kernel: kernel.to_path_buf(),
            file_system: file_system.to_path_buf(),
        }
    }
}

/// Why no kernel was found in a folder.
#[derive(Debug, thiserror::Error)]
pub enum NoKernel {
    /// The folder cannot be read.
    #[error("cannot read {}: {source}", folder.display())]
    Unreadable {
        /// Which folder.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The folder holds no kernel.
    #[error(
        "no kernel in {}: this folder, or each folder in it, must hold kernel/kernel and fs.img, or \
         kernel.elf and fs.img (build a tree with `make kernel/kernel fs.img`)",
        folder.display()
    )]
    None {
        /// Which folder.
        folder: PathBuf,
    },
}

/// The kernel in `folder`, or else the kernels of the folders in it, sorted by name.
///
/// # Errors
/// No kernel was found, or a folder cannot be read.
pub fn find(folder: &Path) -> Result<Vec<Candidate>, NoKernel> {
    if let Some(candidate) = candidate(folder) {
        return Ok(vec![candidate]);
    }
    let unreadable = |source| NoKernel::Unreadable {
        folder: folder.to_path_buf(),
        source,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        found.extend(candidate(&entry.map_err(unreadable)?.path()));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    if found.is_empty() {
        Err(NoKernel::None {
            folder: folder.to_path_buf(),
        })
    } else {
        Ok(found)
    }
}

fn candidate(folder: &Path) -> Option<Candidate> {
    let places = PLACES.map(|(kernel, image)| (folder.join(kernel), folder.join(image)));
    let (kernel, file_system) = places
        .into_iter()
        .find(|(kernel, image)| kernel.is_file() && image.is_file())?;
    // A link keeps its own name. `.` and `..` get the name of the folder.
    let resolved = folder.canonicalize().ok();
    let name = folder
        .file_name()
        .or(resolved.as_ref().and_then(|folder| folder.file_name()))
        .unwrap_or(folder.as_os_str());
    Some(Candidate {
        name: name.to_string_lossy().into_owned(),
        kernel,
        file_system,
    })
}

#[cfg(test)]
mod tests {
    use super::{Candidate, NoKernel, find};
    use std::fs;
    use std::path::Path;

    #[test]
    fn kernels_in_two_trees_have_two_names() {
        let name = |kernel| Candidate::of_files(Path::new(kernel), Path::new("fs.img")).name;
        assert_eq!(
            name("/nowhere/alice/xv6-riscv/kernel/kernel"),
            "alice-xv6-riscv"
        );
        assert_eq!(
            name("/nowhere/bob/xv6-riscv/kernel/kernel"),
            "bob-xv6-riscv"
        );
        assert_eq!(
            name("/nowhere/ours/target/guest/kernel.elf"),
            "nowhere-ours"
        );
        assert_eq!(name("/kernel"), "kernel");
    }

    #[test]
    fn a_folder_of_trees_gives_each_of_them() {
        let folder = std::env::temp_dir().join(format!("faultline-kernels-{}", std::process::id()));
        for tree in ["second", "first", "unbuilt"] {
            fs::create_dir_all(folder.join(tree).join("kernel")).unwrap();
        }
        assert!(matches!(find(&folder), Err(NoKernel::None { .. })));
        for tree in ["second", "first"] {
            fs::write(folder.join(tree).join("kernel/kernel"), "").unwrap();
            fs::write(folder.join(tree).join("fs.img"), "").unwrap();
        }
        let names: Vec<String> = find(&folder)
            .unwrap()
            .into_iter()
            .map(|one| one.name)
            .collect();
        assert_eq!(names, ["first", "second"]);
        let alone = find(&folder.join("second")).unwrap();
        assert_eq!(alone.len(), 1);
        std::os::unix::fs::symlink(folder.join("first"), folder.join("linked")).unwrap();
        assert_eq!(find(&folder.join("linked")).unwrap()[0].name, "linked");
        assert_eq!(find(&folder.join("first/.")).unwrap()[0].name, "first");
        fs::remove_dir_all(&folder).unwrap();
    }
}
