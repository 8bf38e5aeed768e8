//! Walks: whether an operation takes long because the kernel goes through memory that no process has touched.
//!
//! The time that an operation takes says little: a kernel may merely be slow. So the same case is run again
//! with smaller holes in its address spaces. If the operation takes longer for a larger hole, it is a walk.

use super::{Runner, Watch};
use abi::SystemCall;
use oracle::case::{Amount, Base, Call};
use oracle::{Action, Case, Judge, Observation, Operation, Race, Step};

/// The sizes of holes to try, in bytes, as powers of two. Several moves of the break share them.
const SIZES: [u8; 3] = [24, 25, 26];
/// The smallest hole, in pages, that can make an operation late.
const LEAST_HOLE: u64 = 1 << (SIZES[2] - PAGE_SHIFT);
/// Pages by which the holes of the second and the third size differ.
const DIFFERENCE: u64 = (1 << (SIZES[2] - PAGE_SHIFT)) - (1 << (SIZES[1] - PAGE_SHIFT));
/// The fewest instructions in which a kernel looks at a page.
const LEAST_COST: u64 = 4;
const PAGE_SHIFT: u8 = 12;

/// An operation that takes longer if a hole is larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Instructions that the kernel takes for each page of the hole.
    pub instructions: u64,
    /// Pages of the hole.
    pub pages: u64,
}

/// An operation of a case that was late: the one at which it was cut short, or else the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    /// Its number; `None` for the end of the case.
    index: Option<usize>,
    /// Instructions that it took.
    instructions: u64,
    /// Pages that no process had touched.
    hole: u64,
}

/// What has to be known of the case that runs to recognise a walk.
#[derive(Default)]
pub(super) struct Trail {
    late: Option<Late>,
    /// Whether the case was cut short at the late operation.
    gave_up: bool,
    /// Each `sbrk` that moves the break far: its number in the case, and the bytes.
    moves: Vec<(usize, i64)>,
}

impl Trail {
    pub(super) fn clear(&mut self) {
        self.late = None;
        self.gave_up = false;
        self.moves.clear();
    }

    /// Whether the break has moved far, or the next step moves it.
    pub(super) fn has_moves(&self) -> bool {
        !self.moves.is_empty()
    }

    /// Whether the case was cut short at a late operation.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// Notes the step that comes next: the one of the operation numbered `index`.
    pub(super) fn note_step(&mut self, index: usize, step: &Step) {
        if let Action::SystemCall {
            number, arguments, ..
        } = step.action
            && number == SystemCall::Sbrk.number()
            && (arguments[0] as i64).unsigned_abs() > 1 << SIZES[0]
        {
            self.moves.push((index, arguments[0] as i64));
        }
    }

    /// Notes that an operation was late, and whether the case was cut short there.
    pub(super) fn note_late(
        &mut self,
        index: Option<usize>,
        instructions: u64,
        judge: &Judge,
        gave_up: bool,
    ) {
        let late = Late {
            index,
            instructions,
            hole: judge.untouched_pages(),
        };
        self.gave_up = gave_up;
        if gave_up {
            self.late = Some(late);
        } else {
            self.late.get_or_insert(late);
        }
    }

    /// Notes that the judge's model contains the operation numbered `index`, which may have made a hole.
    pub(super) fn note_judged(&mut self, index: usize, judge: &Judge) {
        if let Some(late) = self.late.as_mut().filter(|late| late.index == Some(index)) {
            late.hole = late.hole.max(judge.untouched_pages());
        }
    }
}

impl Runner {
    /// Whether the late operation of the last case walks through a hole.
    pub(super) fn look_for_walk(&mut self, case: &Case) -> Option<Walk> {
        let late = self.trail.late.filter(|late| late.hole >= LEAST_HOLE)?;
        let moves = std::mem::take(&mut self.trail.moves);
        let mut costs = [0; SIZES.len()];
        for (cost, size) in costs.iter_mut().zip(SIZES) {
            let smaller = with_holes(case, &moves, late.index, size);
            *cost = self.cost(&smaller, late.index)?;
        }
        let [small, middle, large] = costs;
        let per_page = large.checked_sub(middle)? / DIFFERENCE;
        // From the second hole to the third the size grows more than from the first to the second. So must the time.
        let is_walk = per_page >= LEAST_COST && large - middle > middle.saturating_sub(small);
        let explains = per_page.saturating_mul(late.hole) >= late.instructions / 2;
        (is_walk && explains).then_some(Walk {
            instructions: per_page,
            pages: late.hole,
        })
    }

    /// Instructions that the operation numbered `index` takes in a case, or the end of the case if `index` is
    /// `None`. Nothing if the case ends before.
    fn cost(&mut self, case: &Case, index: Option<usize>) -> Option<u64> {
        let mut costs = Costs::default();
        let outcome = self.run_once(case, &mut costs);
        match index {
            Some(_) => {
                let mut steps = costs.steps.iter();
                let step = steps.find(|(step, _)| Some(*step) == index);
                step.map(|(_, instructions)| *instructions)
            }
            None if outcome.ended_by().is_some() => None,
            None => {
                let steps: u64 = costs
                    .steps
                    .iter()
                    .map(|(_, instructions)| instructions)
                    .sum();
                Some(outcome.instructions.saturating_sub(steps))
            }
        }
    }
}

/// Whether a case may move the break so far that a walk through the hole is late. Only its text is looked at.
pub(super) fn may_make_hole(case: &Case) -> bool {
    case.operations.iter().any(may_move_far)
}

fn may_move_far(operation: &Operation) -> bool {
    let Call::Sbrk { amount, .. } = operation.call else {
        return false;
    };
    match amount.base() {
        Base::Power(size) | Base::MinusPower(size) => size >= SIZES[0],
        Base::Distance(_) => true,
        Base::Nothing => amount.extra_pages().unsigned_abs() >= 1 << (SIZES[0] - PAGE_SHIFT),
    }
}

/// The case in which `moves` move the break by 2 to the power of `size` bytes together, or by a little less, in equal
/// parts. What comes after the operation numbered `last` does not move it far.
fn with_holes(case: &Case, moves: &[(usize, i64)], last: Option<usize>, size: u8) -> Case {
    let parts = moves.len().next_power_of_two().ilog2() as u8;
    let size = size.saturating_sub(parts).max(PAGE_SHIFT);
    let mut case = case.clone();
    for (index, operation) in case.operations.iter_mut().enumerate() {
        let moved = moves.iter().find(|(moved, _)| *moved == index);
        let is_later = last.is_some_and(|last| index > last) && may_move_far(operation);
        let by = match moved {
            Some((_, by)) if *by < 0 => Amount::new(Base::MinusPower(size), 0, 0),
            Some(_) => Amount::new(Base::Power(size), 0, 0),
            None if is_later => Amount::bytes(0),
            None => continue,
        };
        if let Call::Sbrk { amount, .. } = &mut operation.call {
            *amount = by;
        }
    }
    case
}

/// Instructions that each operation takes, by its number. Those of a race count for its first operation.
#[derive(Default)]
struct Costs {
    steps: Vec<(usize, u64)>,
}

impl Watch for Costs {
    fn step(
        &mut self,
        index: usize,
        _operation: &Operation,
        _step: &Step,
        _judge: &Judge,
        observation: &Observation,
    ) {
        self.note(index, observation);
    }

    fn race(
        &mut self,
        index: usize,
        _operations: &[Operation],
        _race: &Race,
        _judge: &Judge,
        observation: &Observation,
    ) {
        self.note(index, observation);
    }
}

impl Costs {
    fn note(&mut self, index: usize, observation: &Observation) {
        if observation.failure.is_none() {
            self.steps.push((index, observation.instructions));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{may_make_hole, with_holes};
    use oracle::Case;

    fn case(text: &str) -> Case {
        Case::parse(&format!("faultline 1\n{text}")).unwrap()
    }

    #[test]
    fn moves_share_the_hole() {
        let moves = [(0, 1 << 33), (1, 1 << 33), (2, -(1 << 32))];
        let walks = case("a: sbrk +2^33\na: sbrk +2^33\na: sbrk -2^32\na: b = fork\n");
        let smaller = case("a: sbrk +2^22\na: sbrk +2^22\na: sbrk -2^22\na: b = fork\n");
        assert_eq!(with_holes(&walks, &moves, Some(3), 24), smaller);
    }

    /// The case was cut short before: what follows may make the largest hole of all.
    #[test]
    fn nothing_moves_far_after_the_late_operation() {
        let walks = case("a: sbrk +2^33\na: b = fork\nb: sbrk +2^38\nb: sbrk +1p\n");
        let smaller = case("a: sbrk +2^24\na: b = fork\nb: sbrk +0\nb: sbrk +1p\n");
        assert_eq!(with_holes(&walks, &[(0, 1 << 33)], Some(1), 24), smaller);
    }

    #[test]
    fn only_a_far_move_makes_a_hole() {
        assert!(may_make_hole(&case("a: sbrk +2^31\n")));
        assert!(may_make_hole(&case("a: sbrk -2^31\n")));
        assert!(!may_make_hole(&case("a: sbrk +8p\na: store8 heap[0] 1\n")));
    }
}
