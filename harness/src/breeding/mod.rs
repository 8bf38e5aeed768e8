//! Breeding: how fuzz engines make new cases from old ones.

mod bytes;

use oracle::case::RECORD_BYTES;
use oracle::generation::{cross_over, generate, mutate, repaired_case};
use oracle::{Case, Profile};

/// Of so many cases that have a parent, one has two.
const TWO_PARENTS: u32 = 5;

/// What is changed about a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mutations {
    /// Its operations, by what they mean.
    #[default]
    Operations,
    /// The bytes of its binary form, blindly, as a fuzz engine does that knows nothing of cases: to
    /// measure what the knowledge is worth.
    Bytes,
}

/// Makes cases.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breeder {
    /// To the taste of this fuzz target.
    pub target: Profile,
    /// In this way.
    pub mutations: Mutations,
}

impl Breeder {
    /// A case of about so many operations, made from nothing.
    pub fn fresh(self, operations: u32, random: &mut fastrand::Rng) -> Case {
        match self.mutations {
            Mutations::Operations => generate(random.u64(..), operations, self.target),
            Mutations::Bytes => {
                let mut bytes = vec![0; operations as usize * RECORD_BYTES];
                random.fill(&mut bytes);
                repaired_case(&bytes)
            }
        }
    }

    /// A child of `parent`, now and then of what `other` gives, too.
    pub fn child(
        self,
        parent: &Case,
        other: impl FnOnce(&mut fastrand::Rng) -> Option<Case>,
        random: &mut fastrand::Rng,
    ) -> Case {
        let second = match random.u32(..TWO_PARENTS) {
            0 => other(random),
            _ => None,
        };
        match self.mutations {
            Mutations::Operations => {
                let mut child = match second {
                    Some(other) => cross_over(parent, &other, random.u64(..)),
                    None => parent.clone(),
                };
                mutate(&mut child, random.u64(..), self.target);
                child
            }
            Mutations::Bytes => {
                let mut child = parent.to_bytes();
                if let Some(other) = second {
                    bytes::splice(&mut child, &other.to_bytes(), random);
                }
                bytes::havoc(&mut child, random);
                repaired_case(&child)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Breeder, Mutations};
    use oracle::generation::{count_inapplicable, generate};
    use oracle::{Case, Profile};

    #[test]
    fn both_ways_make_runnable_cases_that_differ_from_their_parents() {
        for mutations in [Mutations::Operations, Mutations::Bytes] {
            let breeder = Breeder {
                target: Profile::ForkCow,
                mutations,
            };
            let mut random = fastrand::Rng::with_seed(1);
            let mut parent = breeder.fresh(20, &mut random);
            let mut changed = 0;
            for _ in 0..300 {
                let other = generate(random.u64(..), 10, Profile::Files);
                let child = breeder.child(&parent, |_| Some(other), &mut random);
                assert_eq!(count_inapplicable(&child), 0, "{child}");
                assert!(child.operations.len() <= Case::MAX_OPERATIONS);
                changed += u32::from(child != parent);
                parent = child;
            }
            assert!(changed > 200, "{mutations:?}: {changed} of 300");
        }
    }
}
