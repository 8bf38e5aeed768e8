//! The catalogue of seeded bugs: what each patch says of itself, and which of them are wanted.

use oracle::Profile;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One or two bugs of each feature and each kind of harm, all of which are found within seconds.
pub const SAMPLE: [&str; 12] = [
    "03-no-zeroing",
    "08-no-kill",
    "11-child-shares",
    "15-partial-page",
    "23-copy-without-fence",
    "31-address-masked",
    "37-string-in-one-page",
    "40-system-call",
    "51-fork-leaks",
    "59-fork-walks",
    "73-freed-while",
    "82-copy-panics",
];

/// The fuzz target that each feature of the kernel is tried with.
const TARGETS: [Profile; 10] = [
    Profile::SbrkFaults,
    Profile::SbrkFaults,
    Profile::SyscallBuffers,
    Profile::SbrkFaults,
    Profile::ForkCow,
    Profile::StackGrowth,
    Profile::ExecImages,
    Profile::ExecImages,
    Profile::ForkCow,
    Profile::OutOfMemory,
];

/// A seeded bug, as its patch describes it; `corpus/bugs/README.md` explains the fields.
#[derive(Clone, Debug)]
pub struct Bug {
    /// The patch's file name without its ending.
    pub name: String,
    /// Where the patch is.
    pub path: PathBuf,
    /// What is wrong, for a user of the kernel.
    pub summary: String,
    /// How an author may come to write it.
    pub reason: String,
    /// The kind of mistake.
    pub class: String,
    /// The memory feature that it breaks, from 1.
    pub feature: usize,
    /// The clauses that may report it, the intended one first.
    pub rules: Vec<String>,
    /// The fuzz target that finds it.
    pub target: Profile,
    /// The field of a dialect whose defect it is, if a probe of `faultline check` finds it.
    pub defect: Option<String>,
    /// Why the fuzzer does not find it, where it does not.
    pub missed: Option<String>,
    /// The whole patch.
    pub text: String,
}

/// A catalogue that cannot be read, or a patch that does not explain itself.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A field is missing or has no such value.
    #[error("{name}: the line {field:?} is missing or wrong (corpus/bugs/README.md explains it)")]
    Field {
        /// The bug.
        name: String,
        /// The field.
        field: &'static str,
    },
}

impl Bug {
    fn parse(path: &Path, text: String) -> Result<Self, CatalogueError> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = name.into_owned();
        let header = || text.lines().take_while(|line| !line.is_empty());
        let field = |field: &str| {
            let mut lines = header().filter_map(|line| line.split_once(": "));
            lines.find_map(|(known, words)| (known == field).then(|| words.to_owned()))
        };
        let wrong = |field| CatalogueError::Field {
            name: name.clone(),
            field,
        };
        let needed = |name| field(name).ok_or_else(|| wrong(name));
        let feature: usize = needed("Feature")?.parse().map_err(|_| wrong("Feature"))?;
        let usual = feature.checked_sub(1).and_then(|at| TARGETS.get(at));
        let usual = *usual.ok_or_else(|| wrong("Feature"))?;
        let named = field("Target").map(|name| name.parse());
        Ok(Self {
            path: path.to_owned(),
            summary: needed("Bug")?,
            reason: needed("Why")?,
            class: needed("Class")?,
            feature,
            rules: needed("Rules")?.split(' ').map(str::to_owned).collect(),
            target: named.unwrap_or(Ok(usual)).map_err(|_| wrong("Target"))?,
            defect: field("Defect"),
            missed: field("Missed"),
            name: name.clone(),
            text,
        })
    }

    /// Whether the bug may be reported by this rule.
    pub fn breaks(&self, rule: &str) -> bool {
        self.rules.iter().any(|known| known == rule)
    }

    /// Whether a canary shows that the changed code ran.
    pub fn has_canary(&self) -> bool {
        self.text.contains("canary::reached")
    }

    /// The change itself, without what the patch says about it.
    pub fn change(&self) -> &str {
        self.text
            .find("\ndiff ")
            .map_or("", |at| &self.text[at + 1..])
    }

    /// What bugs are sorted by.
    fn number(&self) -> u32 {
        let digits = self.name.split('-').next().unwrap_or_default();
        digits.parse().unwrap_or(u32::MAX)
    }
}

/// Which bugs are wanted.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Parts of their names. An empty list means all bugs.
    pub names: Vec<String>,
    /// Of those, only every n-th in the order of their numbers, beginning with the first. At least 1.
    pub every: usize,
    /// Only bugs that name one rule.
    pub one_rule: bool,
}

/// All bugs whose patches are in `folder`, by number.
///
/// # Errors
/// A patch is unreadable or does not explain itself.
pub fn read(folder: &Path) -> Result<Vec<Bug>, CatalogueError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| CatalogueError::Unreadable { path, source }
    };
    let mut bugs = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        if path.extension().is_some_and(|ending| ending == "patch") {
            let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
            bugs.push(Bug::parse(&path, text)?);
        }
    }
    bugs.sort_by_key(|bug| (bug.number(), bug.name.clone()));
    Ok(bugs)
}

/// The bugs that are wanted, in their order.
pub fn select(bugs: Vec<Bug>, selection: &Selection) -> Vec<Bug> {
    let names = &selection.names;
    let is_wanted = |bug: &Bug| {
        (names.is_empty() || names.iter().any(|name| bug.name.contains(name.as_str())))
            && (!selection.one_rule || bug.rules.len() == 1)
    };
    let wanted = bugs.into_iter().filter(is_wanted);
    wanted.step_by(selection.every.max(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Bug, SAMPLE, Selection, select};
    use oracle::Profile;
    use std::path::Path;

    const PATCH: &str = "Bug: a page\nWhy: so\nClass: pages\nFeature: 5\nRules: one two\n\n\
                         diff --git a b\n+ crate::canary::reached(true);\n";

    fn bug(name: &str, text: &str) -> Bug {
        Bug::parse(Path::new(&format!("bugs/{name}.patch")), text.to_owned()).unwrap()
    }

    #[test]
    fn a_patch_explains_itself() {
        let bug = bug("07-a-page", PATCH);
        assert_eq!((bug.name.as_str(), bug.feature), ("07-a-page", 5));
        assert!(bug.breaks("two") && !bug.breaks("three") && bug.has_canary());
        assert!(bug.change().starts_with("diff --git"));
        assert_eq!(bug.target, Profile::ForkCow);
        let named = PATCH.replace("Rules", "Target: files\nRules");
        assert_eq!(self::bug("07-a-page", &named).target, Profile::Files);
    }

    #[test]
    fn a_patch_that_does_not_explain_itself_is_refused() {
        for (right, wrong) in [
            ("Bug: ", "Bag: "),
            ("Feature: 5", "Feature: 11"),
            ("Feature: 5", "Feature: 0"),
            ("Rules: ", "Target: nobody\nRules: "),
        ] {
            let text = PATCH.replace(right, wrong);
            assert!(Bug::parse(Path::new("1.patch"), text).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_and_steps_select() {
        let one = PATCH.replace("one two", "one");
        let bugs: Vec<Bug> = (1..=6)
            .map(|n| bug(&format!("{n}-x"), if n == 3 { &one } else { PATCH }))
            .collect();
        let names = |names: &[&str], every, one_rule| {
            let selection = Selection {
                names: names.iter().map(|name| (*name).to_owned()).collect(),
                every,
                one_rule,
            };
            let selected = select(bugs.clone(), &selection).into_iter();
            selected.map(|bug| bug.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[], 2, false), ["1-x", "3-x", "5-x"]);
        assert_eq!(names(&["2-", "4-"], 1, false), ["2-x", "4-x"]);
        assert_eq!(names(&[], 1, true), ["3-x"]);
    }

    #[test]
    fn the_sample_names_bugs() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/bugs");
        let bugs = super::read(&folder).unwrap();
        for name in SAMPLE {
            let named = bugs.iter().filter(|bug| bug.name.contains(name));
            assert_eq!(named.count(), 1, "{name}");
        }
    }
}
