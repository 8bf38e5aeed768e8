//! The catalogue of seeded bugs: what each patch says about its bug, and which bugs are wanted.

use super::patch::{Patch, PatchError};
use oracle::Profile;
use std::path::Path;

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

/// The fuzz target for each feature of the kernel.
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
    /// The patch.
    pub patch: Patch,
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
    /// Further clauses that may report it if a case asks for a machine that varies.
    pub varied: Vec<String>,
    /// The fuzz target that finds it.
    pub target: Profile,
    /// The field of a dialect whose defect it is, if a probe of `faultline check` finds it.
    pub defect: Option<String>,
    /// In a patch with several bugs, the clauses that may report each of them. A check that goes on after a finding has
    /// to find all of them.
    pub hides: Vec<Vec<String>>,
    /// Why the fuzzer does not find it, if it does not.
    pub missed: Option<String>,
}

impl Bug {
    fn parse(patch: Patch) -> Result<Self, PatchError> {
        let feature: usize = patch.needed("Feature")?.parse().unwrap_or(0);
        let usual = feature.checked_sub(1).and_then(|at| TARGETS.get(at));
        let usual = *usual.ok_or_else(|| patch.wrong("Feature"))?;
        let named = patch.field("Target").map(|name| name.parse());
        let rules = patch.needed("Rules")?;
        Ok(Self {
            summary: patch.needed("Bug")?,
            reason: patch.needed("Why")?,
            class: patch.needed("Class")?,
            feature,
            rules: words(&rules),
            varied: patch
                .field("Varied")
                .map_or(Vec::new(), |rules| words(&rules)),
            target: named
                .unwrap_or(Ok(usual))
                .map_err(|_| patch.wrong("Target"))?,
            defect: patch.field("Defect"),
            hides: patch
                .field("Hides")
                .map_or(Vec::new(), |bugs| each_by_its_rules(&bugs)),
            missed: patch.field("Missed"),
            patch,
        })
    }

    /// Whether the bug may be reported by this rule.
    pub fn breaks(&self, rule: &str) -> bool {
        let mut known = self.rules.iter().chain(&self.varied);
        known.any(|known| known == rule)
    }

    /// Whether the patch has one bug, and not several that hide each other.
    pub fn is_one(&self) -> bool {
        self.hides.is_empty()
    }

    /// Whether a canary shows that the changed code ran.
    pub fn has_canary(&self) -> bool {
        self.patch.text.contains("canary::reached")
    }

    /// The number by which bugs are sorted.
    fn number(&self) -> u32 {
        let digits = self.patch.name.split('-').next().unwrap_or_default();
        digits.parse().unwrap_or(u32::MAX)
    }
}

/// The words of a field.
fn words(rules: &str) -> Vec<String> {
    rules.split(' ').map(str::to_owned).collect()
}

/// Several bugs, one in each word. The clauses that may report one bug are separated by slashes.
fn each_by_its_rules(bugs: &str) -> Vec<Vec<String>> {
    let bugs = bugs.split(' ');
    bugs.map(|rules| rules.split('/').map(str::to_owned).collect())
        .collect()
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
pub fn read(folder: &Path) -> Result<Vec<Bug>, PatchError> {
    let patches = Patch::read_all(folder)?.into_iter();
    let mut bugs: Vec<Bug> = patches.map(Bug::parse).collect::<Result<_, _>>()?;
    bugs.sort_by_key(|bug| (bug.number(), bug.patch.name.clone()));
    Ok(bugs)
}

/// The bugs that are wanted, in their order.
pub fn select(bugs: Vec<Bug>, selection: &Selection) -> Vec<Bug> {
    let names = &selection.names;
    let is_wanted = |bug: &Bug| {
        (names.is_empty()
            || names
                .iter()
                .any(|name| bug.patch.name.contains(name.as_str())))
            && (!selection.one_rule || bug.rules.len() == 1)
    };
    let wanted = bugs.into_iter().filter(is_wanted);
    wanted.step_by(selection.every.max(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Bug, Patch, SAMPLE, Selection, select};
    use oracle::Profile;
    use std::path::Path;

    const PATCH: &str = "Bug: a page\nWhy: so\nClass: pages\nFeature: 5\nRules: one two\n\n\
                         diff --git a b\n+ crate::canary::reached(true);\n";

    fn bug(name: &str, text: &str) -> Bug {
        let path = format!("bugs/{name}.patch");
        Bug::parse(Patch::new(Path::new(&path), text.to_owned())).unwrap()
    }

    #[test]
    fn a_patch_explains_itself() {
        let bug = bug("07-a-page", PATCH);
        assert_eq!((bug.patch.name.as_str(), bug.feature), ("07-a-page", 5));
        assert!(bug.breaks("two") && !bug.breaks("three") && bug.has_canary());
        assert!(bug.patch.change().starts_with("diff --git"));
        assert_eq!(bug.target, Profile::ForkCow);
        let varied = PATCH.replace("Rules", "Varied: three\nRules");
        assert!(self::bug("07-a-page", &varied).breaks("three"));
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
            let patch = Patch::new(Path::new("1.patch"), text);
            assert!(Bug::parse(patch).is_err(), "{wrong}");
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
            selected.map(|bug| bug.patch.name).collect::<Vec<_>>()
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
            let named = bugs.iter().filter(|bug| bug.patch.name.contains(name));
            assert_eq!(named.count(), 1, "{name}");
        }
    }
}
