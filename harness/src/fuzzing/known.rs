//! Known findings: what was reported already, and what to steer around for it.

use crate::triage::Name;
use oracle::{Bucket, Clause, Finding, Situation};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Findings that were reported already, by one session or by several that share this.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<Mutex<Reported>>);

#[derive(Debug, Default)]
struct Reported {
    names: HashSet<Name>,
    /// Where they were found.
    situations: Vec<Situation>,
}

impl Known {
    /// Whether nothing of that name was reported; from now on it was. `finding` has that name.
    pub(super) fn is_new(&self, finding: &Finding, name: &Name) -> bool {
        let mut reported = self.lock();
        // A case that is slow at its end hides nothing that comes before the end.
        let hides_others = name.cause.is_none() || finding.clause != Clause::EndsInTime;
        if let Some(situation) = name.situation(finding)
            && hides_others
            && !reported.situations.contains(&situation)
        {
            reported.situations.push(situation);
        }
        reported.names.insert(name.clone())
    }

    /// Whether a finding of this bucket was reported, whatever it came from.
    pub(super) fn has(&self, bucket: &Bucket) -> bool {
        let reported = self.lock();
        reported.names.iter().any(|name| name.bucket == *bucket)
    }

    /// Where something was found.
    pub(super) fn situations(&self) -> Vec<Situation> {
        self.lock().situations.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Reported> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let known = Known::default();
        let (_, finding) = finding("a: kill pid 0", Does::Returns(0));
        let name = Name::of(&finding, None);
        assert!(!known.has(&name.bucket));
        assert!(known.is_new(&finding, &name));
        assert!(!known.is_new(&finding, &name));
        assert!(known.has(&name.bucket));
        assert_eq!(known.situations(), [finding.situation().unwrap()]);
    }

    #[test]
    fn another_cause_is_another_name_of_a_known_bucket() {
        let known = Known::default();
        let (_, finding) = finding("a: kill pid 0", Does::Returns(0));
        let [plain, caused] = [None, Some(EXIT)].map(|cause| Name::of(&finding, cause));
        assert!(known.is_new(&finding, &plain));
        assert!(known.has(&caused.bucket));
        assert!(known.is_new(&finding, &caused));
        assert_eq!(known.situations(), [finding.situation().unwrap(), EXIT]);
    }

    #[test]
    fn what_is_slow_at_the_end_hides_nothing() {
        let known = Known::default();
        let (_, finding) = finding("a: sbrk +1p", Does::SpendsItsTime("uvmfree<freeproc"));
        assert!(known.is_new(&finding, &Name::of(&finding, Some(EXIT))));
        assert!(known.situations().is_empty());
    }
}
