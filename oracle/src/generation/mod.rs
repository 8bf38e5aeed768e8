//! Generation: making, mutating, crossing and repairing cases by what the model knows, with the
//! preferences of a fuzz target.
//!
//! A generated case is a sequence of *idioms*, each a few operations that belong together. [`weights`] says how
//! often each [`Profile`] takes which idiom, operation, address and amount.

mod addresses;
mod amounts;
mod battery;
mod change;
mod choices;
mod idioms;
mod mutate;
mod operations;
mod profile;
mod repair;
mod scene;
mod schedules;
mod small_races;
mod values;
mod weights;

pub use battery::{battery, battery_of_crashes, battery_of_pairs};
pub use mutate::{cross_over, mutate};
pub use profile::Profile;
pub use repair::{count_inapplicable, repair, repaired_case};
pub use small_races::small_races;

use crate::case::{Case, Operation, Process};
use arbitrary::{Arbitrary, Result, Unstructured};
use choices::{Choices, Seeded};
use repair::Companion;
use scene::Scene;

/// The most operations of a case made of a fuzzer's bytes.
const ARBITRARY_OPERATIONS: u32 = 64;

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Case> {
        let count = 1 + bytes.below(ARBITRARY_OPERATIONS);
        Ok(generated(bytes, count, Profile::default()))
    }

    /// The binary form, which is how a fuzz engine hands its input to a typed target.
    fn arbitrary_take_rest(bytes: Unstructured<'a>) -> Result<Case> {
        Ok(repaired_case(bytes.take_rest()))
    }

    fn size_hint(_depth: usize) -> (usize, Option<usize>) {
        (0, None)
    }
}

/// A case of about `count` operations, at most [`Case::MAX_OPERATIONS`], made from `seed` with the
/// preferences of `profile`.
pub fn generate(seed: u64, count: u32, profile: Profile) -> Case {
    generated(&mut Seeded(seed), count, profile)
}

/// One of so many cases begins on a machine that varies.
const VARIED: u32 = 16;

fn generated(choices: &mut dyn Choices, count: u32, profile: Profile) -> Case {
    let count = (count as usize).min(Case::MAX_OPERATIONS);
    Companion::with(|companion| {
        let mut case = Case::default();
        if choices.one_in(VARIED) {
            let process = Process::FIRST;
            let call = operations::machine(&mut Scene::new(companion, process, choices, profile));
            case.operations.push(Operation::new(process, call));
        }
        while case.operations.len() < count {
            let process = someone(companion, choices);
            let mut scene = Scene::new(companion, process, choices, profile);
            scene.idiom();
            for operation in scene.into_operations() {
                let last = case.operations.len() + 1 == count;
                match companion.admit(operation, last) {
                    Some(operation) => case.operations.push(operation),
                    None => return case,
                }
                if last {
                    return case;
                }
            }
        }
        case
    })
}

/// A process that can act.
fn someone(companion: &Companion, choices: &mut dyn Choices) -> Process {
    let count = companion.ready().count() as u32;
    let at = if count == 0 { 0 } else { choices.below(count) };
    companion.ready().nth(at as usize).unwrap_or(Process::FIRST)
}
