//! Making cases: from nothing, or as children of existing cases.

use oracle::generation::{cross_over, generate, mutate};
use oracle::{Case, Profile};

/// One of this many cases with a parent has two parents.
const TWO_PARENTS: u32 = 5;

/// Makes cases.
#[derive(Clone, Copy, Debug, Default)]
pub struct CaseMaker {
    /// With the preferences of this fuzz target.
    pub target: Profile,
}

impl CaseMaker {
    /// A case of about `operations` operations, made from nothing.
    pub fn fresh(self, operations: u32, random: &mut fastrand::Rng) -> Case {
        generate(random.u64(..), operations, self.target)
    }

    /// A child of `parent`, sometimes of what `other` gives, too.
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
        let mut child = match second {
            Some(other) => cross_over(parent, &other, random.u64(..)),
            None => parent.clone(),
        };
        mutate(&mut child, random.u64(..), self.target);
        child
    }
}

#[cfg(test)]
mod tests {
    use super::CaseMaker;
    use oracle::generation::{count_inapplicable, generate};
    use oracle::{Case, Profile};

    #[test]
    fn children_are_runnable_and_differ_from_their_parents() {
        let maker = CaseMaker {
            target: Profile::ForkCow,
        };
        let mut random = fastrand::Rng::with_seed(1);
        let mut parent = maker.fresh(20, &mut random);
        let mut changed = 0;
        for _ in 0..300 {
            let other = generate(random.u64(..), 10, Profile::Files);
            let child = maker.child(&parent, |_| Some(other), &mut random);
            assert_eq!(count_inapplicable(&child), 0, "{child}");
            assert!(child.operations.len() <= Case::MAX_OPERATIONS);
            changed += u32::from(child != parent);
            parent = child;
        }
        assert!(changed > 200, "{changed} of 300");
    }
}
