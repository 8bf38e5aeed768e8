//! Weighing: what a comparison means if there are several worlds.

use super::{Effect, End, Finding, Judge, Seen, World};
use crate::judge::frames::Budget;
use crate::judge::{Planned, plan};
use crate::model::Model;

impl Judge {
    /// Judges something other than a step, in all worlds if there are several.
    pub(super) fn judge_in_each_world(
        &mut self,
        compare: impl Fn(&Judge) -> Result<(), Finding>,
    ) -> Result<(), Finding> {
        let leading = compare(self);
        if leading.is_ok() || !self.following.has_worlds() {
            return leading;
        }
        let others = self.each_other_world(|judge| Some(compare(judge)));
        self.weigh(leading, others)
    }

    /// Judges the end of a case, in all worlds if there are several.
    pub(in crate::judge) fn judge_end_in_each_world(&mut self, end: &End) -> Result<(), Finding> {
        let leading = self.compare_end(end);
        let Err(finding) = &leading else {
            return Ok(());
        };
        if finding.clause.effect() != Effect::Fatal && self.following.in_part {
            return self.following.end_in_doubt();
        }
        let others = self.each_other_world(|judge| Some(judge.compare_end(end)));
        self.weigh(leading, others)
    }

    /// Calls `judge` for each other world, in the place of the leading one. A world for which it returns `None`
    /// becomes unknown.
    fn each_other_world(
        &mut self,
        mut judge: impl FnMut(&mut Judge) -> Option<Result<(), Finding>>,
    ) -> Vec<Option<Result<(), Finding>>> {
        let meter = self.meter;
        let mut results = Vec::new();
        let mut worlds = std::mem::take(&mut self.following.worlds);
        for world in &mut worlds {
            let (World::Likely(model) | World::Refuted(model)) = world else {
                results.push(None);
                continue;
            };
            std::mem::swap(model, &mut self.model);
            let result = judge(self);
            std::mem::swap(model, &mut self.model);
            if result.is_none() {
                *world = World::Unknown;
            }
            results.push(result);
        }
        self.following.worlds = worlds;
        self.meter = meter;
        results
    }

    /// Performs and judges the step in all worlds but the leading one. `before` is the leading one before the step.
    pub(super) fn in_the_others(
        &mut self,
        before: &Model,
        seen: Seen<'_>,
    ) -> Vec<Option<Result<(), Finding>>> {
        let operation = seen.planned.operation;
        let step = plan::step_for(before, &operation);
        let counted_from = before.program_break(operation.process);
        self.each_other_world(|judge| {
            judge.model.count_from(Some(counted_from));
            let is_same = judge.model.applies(&operation)
                && plan::step_for(&judge.model, &operation).action == step.action;
            let result = is_same.then(|| {
                let pages = &mut judge.scratch.pages;
                let planned = Planned {
                    budget: Budget::of(&judge.model, &operation, pages),
                    ..seen.planned
                };
                judge.model.perform(planned.index, &operation, seen.witness);
                judge.compare_step(&planned, seen.witness, seen.observation, &[])
            });
            judge.model.count_from(None);
            result
        })
    }

    /// What a comparison means, given its result in the leading world and in each of the others. `Err` is a finding
    /// of its own.
    pub(super) fn weigh(
        &mut self,
        leading: Result<(), Finding>,
        others: Vec<Option<Result<(), Finding>>>,
    ) -> Result<(), Finding> {
        let mut agree = true;
        let mut refuge = None;
        for (at, result) in others.into_iter().enumerate() {
            let world = &mut self.following.worlds[at];
            match (result, &leading) {
                (None, _) => agree = false,
                (Some(Ok(())), _) => {
                    agree = false;
                    if refuge.is_none() && matches!(world, World::Likely(_)) {
                        refuge = Some(at);
                    }
                }
                (Some(Err(there)), Err(here)) if is_same(&there, here) => {}
                (Some(Err(_)), _) => {
                    agree = false;
                    refute(world);
                }
            }
        }
        let Err(finding) = leading else {
            return Ok(());
        };
        if self.following.forgives(finding.clause) {
            return self.following.end_in_doubt();
        }
        if finding.clause.effect() == Effect::Fatal || agree {
            return Err(finding);
        }
        match refuge {
            Some(at) => self.lead(at),
            // The caller follows it as before, and does not note it again.
            None if self.following.has_noted(&finding) => return Err(finding),
            None => return self.following.end_in_doubt(),
        }
        Ok(())
    }

    /// Makes the world with that number lead from now on.
    fn lead(&mut self, at: usize) {
        let world = &mut self.following.worlds[at];
        if let World::Likely(model) = std::mem::replace(world, World::Unknown) {
            let refuted = std::mem::replace(&mut self.model, model);
            *world = World::Refuted(refuted);
        }
    }
}

/// Whether two worlds expect the same and are wrong in the same way.
fn is_same(one: &Finding, other: &Finding) -> bool {
    let key = |finding: &Finding| (finding.clause, finding.process, finding.step);
    key(one) == key(other) && one.expected == other.expected
}

pub(super) fn refute(world: &mut World) {
    if let World::Likely(model) = std::mem::replace(world, World::Unknown) {
        *world = World::Refuted(model);
    }
}
