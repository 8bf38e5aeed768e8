//! The sum of a run over the catalogue: bugs that were missed although they should be found, and bugs that
//! were found although their patches say that they are missed.

use super::catalogue::Bug;

/// The bugs whose results differ from what their patches say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that were not detected.
    pub missed: Vec<String>,
    /// Those that were detected although the patch says that they are missed.
    pub surprises: Vec<String>,
    /// Those that were not built, so that nothing is known of them.
    pub not_built: Vec<String>,
}

impl Tally {
    /// Counts a bug that was tried. Returns why it is missed, if that is known.
    pub fn count<'a>(&mut self, bug: &'a Bug, is_detected: bool) -> Option<&'a str> {
        match (&bug.missed, is_detected) {
            (Some(why), false) => return Some(why),
            (Some(_), true) => self.surprises.push(bug.patch.name.clone()),
            (None, false) => self.missed.push(bug.patch.name.clone()),
            (None, true) => {}
        }
        None
    }

    /// Whether the result of each bug that was tried is what its patch says.
    pub fn is_as_expected(&self) -> bool {
        self.missed.is_empty() && self.surprises.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use crate::seeded_bugs::catalogue;
    use std::path::Path;

    #[test]
    fn a_result_that_differs_from_the_patch_is_counted() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/bugs");
        let bugs = catalogue::read(&folder).unwrap();
        let known = bugs.iter().find(|bug| bug.missed.is_some()).unwrap();
        let other = bugs.iter().find(|bug| bug.missed.is_none()).unwrap();
        let mut tally = Tally::default();
        assert_eq!(tally.count(known, false), known.missed.as_deref());
        assert_eq!(tally.count(other, true), None);
        assert!(tally.is_as_expected());
        tally.count(known, true);
        tally.count(other, false);
        assert!(!tally.is_as_expected());
        assert_eq!(tally.surprises, std::slice::from_ref(&known.patch.name));
        assert_eq!(tally.missed, std::slice::from_ref(&other.patch.name));
    }
}
