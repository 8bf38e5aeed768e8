//! The passes of a minimisation: each tries one way to make the case smaller.

use super::search::Search;
use oracle::case::{Amount, Base, simplifications};
use oracle::{Bucket, Call, Case, Operation, Process};

/// The longest case that is also tried without each pair of operations.
const FEW: usize = 16;

impl<S: FnMut(&Case) -> Vec<Bucket>, P: FnMut(usize, u64)> Search<'_, S, P> {
    pub(super) fn drop_tail(&mut self, keep: usize) {
        if keep < self.best.operations.len() {
            self.accept_operations(self.best.operations[..keep].to_vec());
        }
    }

    /// Removes chunks of operations from the end towards the start. Halves the chunks until each is one operation.
    pub(super) fn drop_chunks(&mut self) {
        let mut chunk = (self.best.operations.len() / 2).max(1);
        loop {
            let mut end = self.best.operations.len();
            while end > 0 {
                let start = end.saturating_sub(chunk);
                let mut operations = self.best.operations.clone();
                operations.drain(start..end.min(operations.len()));
                self.accept_operations(operations);
                end = start.min(self.best.operations.len());
            }
            if chunk == 1 || self.is_spent() {
                break;
            }
            chunk /= 2;
        }
    }

    /// Removes two operations together, for example if one undoes the other.
    pub(super) fn drop_pairs(&mut self) {
        let count = self.best.operations.len();
        if count > FEW {
            return;
        }
        for second in (1..count).rev() {
            for first in (0..second).rev() {
                let mut operations = self.best.operations.clone();
                operations.remove(second);
                operations.remove(first);
                if self.accept_operations(operations) {
                    return;
                }
            }
        }
    }

    /// The processes that the case forks, and their parents.
    fn forked(&self) -> Vec<(Process, Process)> {
        let operations = self.best.operations.iter();
        let forked = operations.filter_map(|operation| {
            if let Call::Fork { child } = operation.call {
                return Some((operation.process, child));
            }
            None
        });
        forked.collect()
    }

    /// Removes a process with all it does and the fork that made it.
    pub(super) fn drop_processes(&mut self) {
        for (_, process) in self.forked() {
            let operations = self.best.operations.iter().copied();
            let without = operations
                .filter(|operation| operation.process != process && !is_birth(operation, process));
            self.accept_operations(without.collect());
        }
    }

    /// Removes the fork of a child, and gives its operations to the parent.
    pub(super) fn join_processes(&mut self) {
        for (parent, child) in self.forked() {
            let operations = self.best.operations.iter().copied();
            let joined = operations
                .filter(|operation| !is_birth(operation, child))
                .map(|operation| Operation {
                    process: if operation.process == child {
                        parent
                    } else {
                        operation.process
                    },
                    ..operation
                });
            self.accept_operations(joined.collect());
        }
    }

    /// Replaces operations by simpler ones, the simplest first.
    pub(super) fn simplify(&mut self) {
        for at in 0..self.best.operations.len() {
            loop {
                let simpler = simplifications(&self.best.operations[at]);
                let improved = simpler.into_iter().any(|operation| {
                    let mut operations = self.best.operations.clone();
                    operations[at] = operation;
                    self.accept_operations(operations)
                });
                if !improved || self.is_spent() {
                    break;
                }
            }
        }
    }

    /// Moves the break once instead of twice.
    pub(super) fn join_growths(&mut self) {
        let mut first = 0;
        while first < self.best.operations.len() {
            let mut operations = self.best.operations.clone();
            let both = (first + 1..operations.len()).find_map(|second| {
                joined(&operations[first], &operations[second]).map(|both| (second, both))
            });
            if let Some((second, both)) = both {
                operations[first] = both;
                operations.remove(second);
            }
            if both.is_none() || !self.accept_operations(operations) {
                first += 1;
            }
        }
    }

    /// Moves the operations of one process together, unless others have to come between.
    pub(super) fn keep_together(&mut self) {
        for at in 1..self.best.operations.len() {
            let mut operations = self.best.operations.clone();
            let operation = operations.remove(at);
            let before = &operations[..at];
            let Some(last) = before
                .iter()
                .rposition(|other| other.process == operation.process)
            else {
                continue;
            };
            operations.insert(last + 1, operation);
            if switches(&operations) < switches(&self.best.operations) {
                self.accept_operations(operations);
            }
        }
    }
}

fn is_birth(operation: &Operation, process: Process) -> bool {
    matches!(operation.call, Call::Fork { child } if child == process)
}

/// How often an operation belongs to a different process than the one before it.
fn switches(operations: &[Operation]) -> usize {
    let pairs = operations.windows(2);
    pairs
        .filter(|pair| pair[0].process != pair[1].process)
        .count()
}

/// One growth in place of two, if both are of the same process.
fn joined(first: &Operation, second: &Operation) -> Option<Operation> {
    if first.process != second.process {
        return None;
    }
    let (Call::Sbrk { amount, flavour }, Call::Sbrk { amount: more, .. }) =
        (first.call, second.call)
    else {
        return None;
    };
    let grows = |amount: Amount| {
        amount.base() == Base::Nothing && amount.extra_pages() >= 0 && amount.extra_bytes() >= 0
    };
    if !grows(amount) || !grows(more) {
        return None;
    }
    let pages = amount.extra_pages().checked_add(more.extra_pages())?;
    let bytes = amount.extra_bytes().checked_add(more.extra_bytes())?;
    let amount = Amount::new(Base::Nothing, pages, bytes);
    let call = Call::Sbrk { amount, flavour };
    Some(Operation {
        process: first.process,
        call,
    })
}
