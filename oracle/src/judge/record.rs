//! What has happened in a case so far, so that the model of an earlier moment can be made again. Copying the model
//! before each operation would cost time in every case, although few cases go wrong.

use super::Judge;
use crate::case::Operation;
use crate::model::{Model, Witness};

/// What the model has performed at once: an operation, or a race.
#[derive(Clone, Debug)]
pub(super) struct Performed {
    /// The index of its first operation in [`Judge::done`].
    first: usize,
    /// In a race, the order of the racers that explains what was seen; empty for one operation.
    order: Vec<usize>,
    witness: Witness,
}

impl Performed {
    /// One operation.
    pub(super) fn alone(first: usize, witness: &Witness) -> Performed {
        Performed {
            first,
            order: Vec::new(),
            witness: *witness,
        }
    }

    /// A race in which the racers took effect in this order.
    pub(super) fn race(first: usize, order: Vec<usize>, witness: &Witness) -> Performed {
        Performed {
            first,
            order,
            witness: *witness,
        }
    }
}

impl Judge {
    /// The model before the last step, which is the only one in which something was wrong.
    pub(super) fn before_the_last_step(&self) -> Model {
        let mut model = self.model.clone();
        model.reset();
        let Some((_, earlier)) = self.record.split_last() else {
            return model;
        };
        for performed in earlier {
            let Performed {
                first,
                order,
                witness,
            } = performed;
            let done = &self.done[*first..];
            if order.is_empty() {
                model.perform(done[0].index, &done[0].operation, witness);
            } else {
                let racers: Vec<(usize, Operation)> = done[..order.len()]
                    .iter()
                    .map(|planned| (planned.index, planned.operation))
                    .collect();
                model.perform_in_order(&racers, order, witness);
            }
        }
        model
    }
}
