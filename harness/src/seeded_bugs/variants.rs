//! Sound variants of our own kernel: each does something in a way that another author may choose, and nothing wrong. A
//! check of a variant must report nothing.

use super::Trouble;
use super::patch::{Patch, PatchError};
use super::workshop::Workshop;
use std::path::{Path, PathBuf};

/// Variants of different kinds, which continuous integration checks.
pub const SAMPLE: [&str; 4] = [
    "first-runnable",
    "idle-hart-spins",
    "slices",
    "stack-of-two-pages",
];

/// A sound variant, as its patch describes it; `corpus/variants/README.md` explains the fields.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The patch.
    pub patch: Patch,
    /// What the kernel does differently.
    pub summary: String,
    /// Why an author may choose this.
    pub reason: String,
    /// What `faultline check` has to find out about it: a field of the board or of the dialect, and its value, as
    /// in a dialect file.
    pub shows: Vec<(String, String)>,
}

impl Variant {
    fn parse(patch: Patch) -> Result<Self, PatchError> {
        let show = |words: &str| {
            let parts = words.split_once(" = ");
            parts.map(|(field, value)| (field.to_owned(), value.to_owned()))
        };
        let shows: Option<Vec<_>> = patch.fields("Shows").map(show).collect();
        Ok(Self {
            summary: patch.needed("Variant")?,
            reason: patch.needed("Why")?,
            shows: shows.ok_or_else(|| patch.wrong("Shows"))?,
            patch,
        })
    }
}

/// All variants whose patches are in `folder`, by name.
///
/// # Errors
/// A patch is unreadable or does not explain itself.
pub fn read(folder: &Path) -> Result<Vec<Variant>, PatchError> {
    let patches = Patch::read_all(folder)?.into_iter();
    let mut variants: Vec<Variant> = patches.map(Variant::parse).collect::<Result<_, _>>()?;
    variants.sort_by(|one, other| one.patch.name.cmp(&other.patch.name));
    Ok(variants)
}

/// Builds the kernel with a variant, from the checkout `root`, below `folder`. Returns the folder of the kernel.
///
/// # Errors
/// The patch does not apply, or the kernel does not build.
pub fn build(variant: &Variant, root: &Path, folder: &Path) -> Result<PathBuf, Trouble> {
    let workshop = Workshop::open(root, folder)?;
    workshop.build(&variant.patch)?;
    Ok(workshop.folder_of(&variant.patch))
}

#[cfg(test)]
mod tests {
    use super::{Patch, SAMPLE, Variant, read};
    use std::path::Path;

    fn variant(text: &str) -> Option<Variant> {
        Variant::parse(Patch::new(Path::new("a.patch"), text.to_owned())).ok()
    }

    #[test]
    fn a_patch_says_what_it_chooses_and_what_shows_it() {
        let text =
            "Variant: another stack\nWhy: so\nShows: exec.stack_pages = 2\nShows: a = \"b\"\n\n";
        let shows = variant(text).unwrap().shows;
        let pair = |field: &str, value: &str| (field.to_owned(), value.to_owned());
        assert_eq!(shows, [pair("exec.stack_pages", "2"), pair("a", "\"b\"")]);
        for (right, wrong) in [("Variant: ", "Bug: "), ("Why: ", "Who: "), (" = 2", " 2")] {
            assert!(variant(&text.replace(right, wrong)).is_none(), "{wrong}");
        }
    }

    #[test]
    fn every_variant_explains_itself() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/variants");
        let variants = read(&folder).unwrap();
        assert!(variants.len() > SAMPLE.len());
        for name in SAMPLE {
            assert!(
                variants.iter().any(|variant| variant.patch.name == name),
                "{name}"
            );
        }
    }
}
