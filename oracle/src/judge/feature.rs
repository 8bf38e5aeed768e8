//! State features: the kind of an operation, what it met, and how it ended, as one small number.

use super::{Extent, Fate, Planned, Situation};
use crate::case::{Family, Kind};
use crate::model::{Answer, Death, FAILED, Outcome, PageState, Reply};

/// Outcomes take three bits, situations four, kinds six.
const OUTCOME_BITS: u32 = 3;
const SITUATION_BITS: u32 = 4;
const KIND_BITS: u32 = 6;
const _: () =
    assert!(Kind::ALL.len() <= 1 << KIND_BITS && PageState::ALL.len() < 1 << SITUATION_BITS);

/// A number below 8192 for the step.
pub(super) fn feature(planned: &Planned, replies: &[Reply], moved: i64) -> u16 {
    let operation = &planned.operation;
    let kind = operation.call.kind();
    let situation = match planned.page {
        Some(page) => {
            1 + PageState::ALL
                .iter()
                .position(|state| *state == page)
                .unwrap_or(0)
        }
        None if kind.family() == Family::Break => sbrk_situation(moved, planned.budget.must_give()),
        None => 0,
    };
    let own = replies
        .iter()
        .rev()
        .find(|reply| reply.process == operation.process);
    let outcome = match own {
        Some(reply) if reply.excused => 1,
        Some(reply) => match reply.outcome {
            Outcome::Returns(Answer::Exactly(FAILED)) => 2,
            Outcome::Returns(_) if replies.len() > 1 => 3,
            Outcome::Returns(_) | Outcome::Starts { .. } => 4,
            Outcome::Blocks => 5,
            Outcome::Dies(Death::ForbiddenAccess) => 6,
            Outcome::Dies(_) | Outcome::PerhapsReturns(_) | Outcome::Born | Outcome::Stays => 7,
        },
        None => 0,
    };
    let kind = (kind as usize) << (SITUATION_BITS + OUTCOME_BITS);
    (kind | situation << OUTCOME_BITS | outcome) as u16
}

/// The class of a move of the break by `moved` bytes that has to free `gives_back` frames.
fn sbrk_situation(moved: i64, gives_back: u64) -> usize {
    match (moved, gives_back) {
        (0, _) => 0,
        (1..0x1000, _) => 1,
        (0x1000..0x20_0000, _) => 2,
        (0x20_0000..0x8000_0000, _) => 3,
        (0x8000_0000.., _) => 4,
        (-0xfff..0, 0) => 5,
        (-0xfff..0, _) => 6,
        (_, 0) => 7,
        (_, 1..16) => 8,
        (..=-0x1000, _) => 9,
    }
}

impl Situation {
    /// Whether a step with this feature met this situation, and ended as it had to.
    ///
    /// A feature says less than a situation. It names the page of the first byte, so a step whose decisive
    /// page is another one is not recognised. For a move of the break both say how large it was, but in
    /// different classes. This is true if the classes overlap.
    pub fn is_met_by(&self, feature: u16) -> bool {
        let feature = usize::from(feature);
        let kind = feature >> (SITUATION_BITS + OUTCOME_BITS);
        let met = feature >> OUTCOME_BITS & ((1 << SITUATION_BITS) - 1);
        let outcome = feature & ((1 << OUTCOME_BITS) - 1);
        kind == self.kind as usize && self.has_page_or_move(met) && self.fate.is_outcome(outcome)
    }

    fn has_page_or_move(&self, met: usize) -> bool {
        match self.page {
            Some(page) => met.checked_sub(1).and_then(|at| PageState::ALL.get(at)) == Some(&page),
            None if self.kind.family() != Family::Break => met == 0,
            None => match self.extent {
                Extent::Nothing | Extent::Small => met <= 3,
                Extent::Vast => met == 3 || met == 4,
                Extent::LittleLess => met >= 5,
                Extent::VastlyLess => met >= 7,
            },
        }
    }
}

impl Fate {
    /// Whether this fate is the outcome to which [`feature`] gives that number.
    fn is_outcome(self, outcome: usize) -> bool {
        match self {
            Fate::Fails => outcome == 2,
            Fate::GoesOn => outcome == 3 || outcome == 4,
            Fate::Sleeps => outcome == 5,
            Fate::Ends => outcome == 6 || outcome == 7,
        }
    }
}
