//! Known findings: what was reported already, and the situations to steer around.

use crate::triage::Name;
use oracle::{Aftermath, Bucket, Clause, Finding, Situation};
use std::collections::HashSet;
use std::sync::Arc;

/// Findings that were reported already. A copy is cheap. Adding to it does not change the original.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<Reported>);

#[derive(Clone, Debug, Default)]
struct Reported {
    names: HashSet<Name>,
    /// The situations of those that end a case.
    ending: Vec<Situation>,
    /// The situations of those after which the case goes on in doubt.
    doubtful: Vec<Situation>,
}

impl Known {
    /// Adds a finding of that name. Returns false if one of that name was reported already.
    pub(crate) fn add(&mut self, finding: &Finding, name: &Name) -> bool {
        let reported = Arc::make_mut(&mut self.0);
        // A case that is slow only at its end hides no other finding.
        let hides_others = name.cause.is_none() || finding.clause != Clause::EndsInTime;
        if let Some(situation) = name.situation(finding)
            && hides_others
        {
            let situations = match finding.aftermath {
                Aftermath::Ends => Some(&mut reported.ending),
                Aftermath::InDoubt => Some(&mut reported.doubtful),
                Aftermath::GoesOn => None,
            };
            if let Some(situations) = situations.filter(|known| !known.contains(&situation)) {
                situations.push(situation);
            }
        }
        reported.names.insert(name.clone())
    }

    /// Whether a finding of this bucket was reported, no matter what caused it.
    pub(super) fn has(&self, bucket: &Bucket) -> bool {
        self.0.names.iter().any(|name| name.bucket == *bucket)
    }

    /// The situations of findings that end a case.
    pub(super) fn ending(&self) -> &[Situation] {
        &self.0.ending
    }

    /// The situations of findings after which the case goes on in doubt.
    pub(super) fn doubtful(&self) -> &[Situation] {
        &self.0.doubtful
    }
}

#[cfg(test)]
mod tests {
    use super::Known;
    use crate::triage::Name;
    use crate::triage::specimens::{Does, finding};
    use oracle::case::Kind;
    use oracle::{Extent, Fate, Situation};

    const EXIT: Situation = Situation {
        kind: Kind::Exit,
        page: None,
        fate: Fate::Ends,
        extent: Extent::Small,
    };

    #[test]
    fn a_name_is_new_once_and_its_situation_is_kept() {
        let mut known = Known::default();
        let (_, finding) = finding("a: getpid", Does::FallsSilent);
        let name = Name::of(&finding, None);
        assert!(!known.has(&name.bucket));
        assert!(known.add(&finding, &name));
        assert!(!known.add(&finding, &name));
        assert!(known.has(&name.bucket));
        assert_eq!(known.ending(), [finding.situation().unwrap()]);
    }

    #[test]
    fn what_is_added_to_a_copy_is_not_in_the_original() {
        let (original, mut copy) = (Known::default(), Known::default());
        let (_, finding) = finding("a: getpid", Does::FallsSilent);
        let name = Name::of(&finding, None);
        copy.clone_from(&original);
        assert!(copy.add(&finding, &name));
        assert!(copy.has(&name.bucket) && !original.has(&name.bucket));
    }

    #[test]
    fn another_cause_is_another_name_of_a_known_bucket() {
        let mut known = Known::default();
        let (_, finding) = finding("a: getpid", Does::FallsSilent);
        let [plain, caused] = [None, Some(EXIT)].map(|cause| Name::of(&finding, cause));
        assert!(known.add(&finding, &plain));
        assert!(known.has(&caused.bucket));
        assert!(known.add(&finding, &caused));
        assert_eq!(known.ending(), [finding.situation().unwrap(), EXIT]);
    }

    #[test]
    fn what_is_slow_at_the_end_hides_nothing() {
        let mut known = Known::default();
        let (_, finding) = finding("a: sbrk +1p", Does::SpendsItsTime("uvmfree<freeproc"));
        assert!(known.add(&finding, &Name::of(&finding, Some(EXIT))));
        assert!(known.ending().is_empty());
    }

    #[test]
    fn only_what_hides_others_is_steered_around() {
        let mut known = Known::default();
        let (_, harmless) = finding("a: close 0", Does::Returns(0));
        let (_, doubtful) = finding("a: sbrk +1p", Does::Returns(u64::MAX));
        for finding in [&harmless, &doubtful] {
            assert!(known.add(finding, &Name::of(finding, None)));
        }
        assert!(known.ending().is_empty());
        assert_eq!(known.doubtful(), [doubtful.situation().unwrap()]);
    }
}
