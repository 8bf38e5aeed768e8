//! The search for a smaller case: the cases that were tried, and what they showed.

use super::{Budget, Need};
use oracle::{Bucket, Case, Operation};
use std::collections::HashMap;
use std::time::Instant;

/// A search under way.
pub(super) struct Search<'a, S, P> {
    /// The smallest case so far.
    pub(super) best: Case,
    wanted: &'a Bucket,
    shows: S,
    progress: P,
    /// What each case that was tried so far showed. No case runs twice, and simplifying cannot go in circles.
    seen: HashMap<Case, Vec<Bucket>>,
    /// How many other findings the smallest case shows before the one that is wanted.
    place: usize,
    executions: u64,
    budget: Budget,
}

impl<'a, S: FnMut(&Case) -> Vec<Bucket>, P: FnMut(usize, u64)> Search<'a, S, P> {
    /// A search that begins with `case`, which shows `wanted`.
    pub(super) fn new(
        case: &Case,
        wanted: &'a Bucket,
        budget: Budget,
        shows: S,
        progress: P,
    ) -> Self {
        Self {
            best: case.clone(),
            wanted,
            shows,
            progress,
            seen: HashMap::new(),
            place: usize::MAX,
            executions: 0,
            budget,
        }
    }

    /// Makes the case as small as possible. Returns why each operation is needed, for those that were tried
    /// before the budget was spent. `failed_at` is the operation at which the finding was made.
    pub(super) fn run(&mut self, failed_at: Option<usize>) -> Vec<Need> {
        if !self.is_spent() {
            let shown = self.look(&self.best.clone());
            self.place = self.place_in(&shown).unwrap_or(usize::MAX);
        }
        if let Some(at) = failed_at {
            self.drop_tail(at + 1);
        }
        while !self.is_spent() {
            self.shrink();
            self.tidy();
            // A new name or order may allow another step. A case is minimal only if nothing changes it.
            match self.needs() {
                Ok(needs) => return needs,
                Err(smaller) => {
                    let shown = self.seen.get(&smaller).map(Vec::as_slice);
                    self.place = self
                        .place_in(shown.unwrap_or_default())
                        .unwrap_or(self.place);
                    self.best = smaller;
                }
            }
        }
        Vec::new()
    }

    /// The smallest case, and the executions spent.
    pub(super) fn end(self) -> (Case, u64) {
        (self.best, self.executions)
    }

    pub(super) fn is_spent(&self) -> bool {
        let Budget { executions, until } = self.budget;
        self.executions >= executions || until.is_some_and(|until| Instant::now() >= until)
    }

    /// Runs a case that was not tried yet. Returns what it shows.
    fn look(&mut self, candidate: &Case) -> Vec<Bucket> {
        self.executions += 1;
        (self.progress)(self.best.operations.len(), self.executions);
        let shown = (self.shows)(candidate);
        self.seen.insert(candidate.clone(), shown.clone());
        shown
    }

    /// How many findings come before the wanted one, if that is among `shown`.
    fn place_in(&self, shown: &[Bucket]) -> Option<usize> {
        shown.iter().position(|shown| shown == self.wanted)
    }

    /// The place of the finding in a case that shows `shown`, if that is not worse than in the smallest one.
    fn good_place_in(&self, shown: &[Bucket]) -> Option<usize> {
        self.place_in(shown).filter(|place| *place <= self.place)
    }

    /// Takes `candidate` if it is new and still shows the finding.
    fn accept(&mut self, candidate: Case) -> bool {
        if self.is_spent() || self.seen.contains_key(&candidate) {
            return false;
        }
        let shown = self.look(&candidate);
        let place = self.good_place_in(&shown);
        if let Some(place) = place {
            self.best = candidate;
            self.place = place;
        }
        place.is_some()
    }

    pub(super) fn accept_operations(&mut self, operations: Vec<Operation>) -> bool {
        self.accept(Case { operations })
    }

    /// Repeats all passes until none makes the case smaller. Each pass may help the others.
    fn shrink(&mut self) {
        loop {
            let before = self.best.clone();
            self.drop_chunks();
            self.drop_processes();
            self.join_processes();
            self.simplify();
            self.join_growths();
            if self.best == before {
                self.drop_pairs();
            }
            if self.best == before || self.is_spent() {
                break;
            }
        }
    }

    /// Makes a case of the same length easier to read.
    fn tidy(&mut self) {
        self.keep_together();
        let mut renamed = self.best.clone();
        renamed.rename_processes();
        self.accept(renamed);
    }

    /// Why each operation is needed. If one is not needed, `Err` is the case without it.
    fn needs(&mut self) -> Result<Vec<Need>, Case> {
        let mut needs = Vec::new();
        for at in 0..self.best.operations.len() {
            let mut without = self.best.clone();
            let operation = without.operations.remove(at);
            let shown = match self.seen.get(&without) {
                Some(shown) => shown.clone(),
                None if self.is_spent() => break,
                None => self.look(&without),
            };
            if self.good_place_in(&shown).is_some() {
                return Err(without);
            }
            needs.push(Need {
                operation: operation.to_string(),
                without: shown.into_iter().next(),
                reason: None,
            });
        }
        Ok(needs)
    }
}
