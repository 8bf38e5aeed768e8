//! The scene of an idiom: the acting process, what the model knows, and the source of choices.

use super::choices::Choices;
use super::repair::Companion;
use super::{Profile, weights};
use crate::case::{Call, Operation, Process};

/// Where an idiom is generated, and its operations so far.
pub(super) struct Scene<'a> {
    pub(super) companion: &'a Companion,
    pub(super) choices: &'a mut dyn Choices,
    profile: Profile,
    /// The acting process.
    pub(super) process: Process,
    operations: Vec<Operation>,
}

impl<'a> Scene<'a> {
    /// `process` is to act after what `companion` has performed.
    pub(super) fn new(
        companion: &'a Companion,
        process: Process,
        choices: &'a mut dyn Choices,
        profile: Profile,
    ) -> Scene<'a> {
        Scene {
            companion,
            choices,
            profile,
            process,
            operations: Vec::new(),
        }
    }

    /// The operations, in order. Each must still be repaired: an idiom does not check that they apply.
    pub(super) fn into_operations(self) -> Vec<Operation> {
        self.operations
    }

    /// Adds the operations of an idiom.
    pub(super) fn idiom(&mut self) {
        self.weighted(weights::IDIOMS)(self);
    }

    /// The actor does `call` next.
    pub(super) fn does(&mut self, call: Call) {
        self.other_does(self.process, call);
    }

    /// Another process does `call` next: for example a child that the idiom has just made.
    pub(super) fn other_does(&mut self, process: Process, call: Call) {
        self.operations.push(Operation::new(process, call));
    }

    /// One of `rows`, as often as the profile's weights say.
    pub(super) fn weighted<T: Copy>(&mut self, rows: &[weights::Row<T>]) -> T {
        let column = self.profile as usize;
        let total = rows.iter().map(|(_, weights)| u32::from(weights[column]));
        let mut at = self.below(total.sum());
        for (what, weights) in rows {
            let weight = u32::from(weights[column]);
            if at < weight {
                return *what;
            }
            at -= weight;
        }
        rows[0].0
    }

    /// A number below `count`, which is not 0.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        self.choices.below(count)
    }

    /// One of these. There must be at least one.
    pub(super) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u32) as usize]
    }

    /// True once in this many times.
    pub(super) fn one_in(&mut self, count: u32) -> bool {
        self.choices.one_in(count)
    }
}
