//! Patches to our own kernel: the fields that describe them, and the change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A patch. It begins with fields, one a line (`Why: because`). An empty line and the output of `git diff` follow.
#[derive(Clone, Debug)]
pub struct Patch {
    /// Its file name without the ending.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
}

/// A folder of patches that cannot be read, or a patch that does not explain itself.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A field is missing or has no such value.
    #[error("{name}: the line {field:?} is missing or wrong (README.md in its folder explains it)")]
    Field {
        /// The patch.
        name: String,
        /// The field.
        field: &'static str,
    },
}

impl Patch {
    pub(super) fn new(path: &Path, text: String) -> Self {
        let name = path.file_stem().unwrap_or_default();
        Self {
            name: name.to_string_lossy().into_owned(),
            path: path.to_owned(),
            text,
        }
    }

    /// All patches in `folder`, in no order.
    pub(super) fn read_all(folder: &Path) -> Result<Vec<Self>, PatchError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| PatchError::Unreadable { path, source }
        };
        let mut patches = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            if path.extension().is_some_and(|ending| ending == "patch") {
                let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
                patches.push(Self::new(&path, text));
            }
        }
        Ok(patches)
    }

    /// What the fields of that name say, in the order of the file.
    pub(super) fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let header = self.text.lines().take_while(|line| !line.is_empty());
        let fields = header.filter_map(|line| line.split_once(": "));
        fields.filter_map(move |(known, words)| (known == name).then_some(words))
    }

    /// What the field of that name says, if there is one.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        self.fields(name).next().map(str::to_owned)
    }

    /// What the field of that name says, which has to be there.
    pub(super) fn needed(&self, field: &'static str) -> Result<String, PatchError> {
        self.field(field).ok_or_else(|| self.wrong(field))
    }

    /// The error that a field is missing or wrong.
    pub(super) fn wrong(&self, field: &'static str) -> PatchError {
        PatchError::Field {
            name: self.name.clone(),
            field,
        }
    }

    /// The change itself, without what the patch says about it.
    pub fn change(&self) -> &str {
        self.text
            .find("\ndiff ")
            .map_or("", |at| &self.text[at + 1..])
    }
}
