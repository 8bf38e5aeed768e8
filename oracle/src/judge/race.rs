//! Operations that race: which do, and whether some order of them explains what was seen.

use super::disk::DiskMoment;
use super::feature::feature;
use super::frames::Budget;
use super::record::Performed;
use super::{Extent, Finding, Judge, Observation, Planned, Step, compare, plan, words};
use crate::case::{Call, Operation, Schedule};
use crate::model::{Model, Witness};

/// Operations that the driver has to perform at the same time, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Race {
    /// Which hart runs when.
    pub schedule: Schedule,
    /// What each of two or three processes does, in the order of the case.
    pub steps: Vec<Step>,
    /// Full rounds of the scheduler to let pass afterwards, at least 1.
    pub rounds: u32,
    /// Whether the disk is to be read afterwards, because files are changed.
    pub looks_at_disk: bool,
}

impl Race {
    /// Indices of the steps, the one of highest priority first.
    pub fn priorities(&self) -> Vec<usize> {
        let ranks = self.schedule.order().ranks().iter();
        let indices = ranks.map(|rank| usize::from(*rank) - 1);
        indices.filter(|at| *at < self.steps.len()).collect()
    }
}

impl Judge {
    /// The race, if the next operation of the case is `together` and those after it may race. It takes the place of
    /// [`Judge::plan`] for `together` and for as many operations as it has steps.
    pub fn plan_race(&mut self, operations: &[Operation]) -> Option<Race> {
        let (first, others) = operations.split_first()?;
        let Call::Together { schedule } = first.call else {
            return None;
        };
        // If there are several worlds, one operation at a time can tell which of them is right.
        if self.model.is_unknown() || self.following.has_worlds() || self.is_in_doubt() {
            return None;
        }
        let most = schedule.order().ranks().len().min(others.len());
        let mut count = 0;
        while count < most
            && self.model.may_race(&others[..count], &others[count])
            && !self.is_avoided(&others[count])
        {
            count += 1;
        }
        if count < 2 {
            return None;
        }
        let group = &others[..count];
        let index = self.next;
        self.next += 1 + count;
        self.race.clear();
        self.meter.operations += 1;
        self.done.push(Planned {
            index,
            operation: *first,
            page: None,
            met: None,
            extent: Extent::Nothing,
            budget: Budget::default(),
        });
        let steps: Vec<Step> = group
            .iter()
            .map(|operation| plan::step_for(&self.model, operation))
            .collect();
        self.note_reached(group);
        for (at, operation) in group.iter().enumerate() {
            let planned = self.begin(index + 1 + at, operation, Budget::default());
            self.race.push(planned);
        }
        self.planned = self.race.first().copied();
        let rounds = steps.iter().map(|step| step.rounds).max();
        Some(Race {
            schedule,
            rounds: rounds.unwrap_or(0).max(1),
            steps,
            looks_at_disk: self.model.race_changes_files(group),
        })
    }

    /// Notes what is run at the same time: none of these operations comes after another one.
    fn note_reached(&mut self, group: &[Operation]) {
        let before = self.last;
        for operation in group {
            let (kind, pages) = (operation.call.kind(), self.pages_at(operation));
            let mut last = before;
            self.reached.note(operation.process, kind, pages, &mut last);
            self.last[operation.process.index()] = Some(kind);
        }
        let kinds = group.iter().map(|operation| operation.call.kind());
        self.reached.note_race(kinds);
    }

    /// What each of the racing operations does on a perfect kernel, in words, if they run one after another in the
    /// order of the schedule.
    pub fn race_expectations(&self, race: &Race) -> Vec<String> {
        let mut model = self.model.clone();
        let mut expectations = vec![String::new(); self.race.len()];
        for at in race.priorities() {
            let planned = &self.race[at];
            expectations[at] = if model.applies(&planned.operation) {
                model.perform(planned.index, &planned.operation, &Witness::ideal());
                words::replies(&model, &planned.operation, planned.page)
            } else {
                "nothing: it is dead".to_owned()
            };
        }
        expectations
    }

    /// Compares what was seen of a race with what the model expects of its operations in each
    /// order, and takes over the first order that explains it.
    ///
    /// # Errors
    /// No order explains it. The finding is that of the order that explains most.
    pub fn observe_race(&mut self, race: &Race, observation: &Observation) -> Result<(), Finding> {
        let Some(first) = self.planned else {
            return Ok(());
        };
        if let Some(failure) = &observation.failure {
            let mut finding = self.failed(&first, &race.steps[0], failure);
            finding.signature.functions = observation.stopped_in.clone();
            return Err(finding);
        }
        let witness = compare::witness(observation);
        let group: Vec<(usize, Operation)> = self
            .race
            .iter()
            .map(|planned| (planned.index, planned.operation))
            .collect();
        let before = self.model.clone();
        let racing: Vec<Operation> = group.iter().map(|(_, operation)| *operation).collect();
        let order_shows = Model::order_shows_on_disk(&racing);
        // The first order that explains all but the disk.
        let mut but_for_disk = None;
        let mut nearest: Option<(usize, Finding)> = None;
        for order in orders(&race.priorities()) {
            self.model.clone_from(&before);
            self.model.perform_in_order(&group, &order, &witness);
            let (mut explained, mut finding) = self.explain(&witness, observation);
            if finding.is_none()
                && let Some(disk) = &observation.disk
                && let Err(wrong) = self.compare_disk(disk, DiskMoment::InBetween)
            {
                (explained, finding) = (order.len() + 1, Some(wrong));
                but_for_disk = but_for_disk.or_else(|| Some(order.clone()));
            }
            let Some(finding) = finding else {
                if !self.following.is_under_way() {
                    let first = self.done.len() - order.len();
                    self.record.push(Performed::race(first, order, &witness));
                }
                self.count_race();
                if race.looks_at_disk && observation.disk.is_none() {
                    // Several orders may explain what was seen, and leave different files.
                    self.model.give_up();
                }
                return match &observation.mappings {
                    Some(mappings) => self.compare_mappings(mappings),
                    None => Ok(()),
                };
            };
            if nearest.as_ref().is_none_or(|(most, _)| explained > *most) {
                nearest = Some((explained, finding));
            }
        }
        if let Some(order) = but_for_disk.filter(|_| !order_shows) {
            self.model.clone_from(&before);
            self.model.perform_in_order(&group, &order, &witness);
            self.model.give_up();
            self.count_race();
            return Ok(());
        }
        let Some((_, mut finding)) = nearest else {
            return Ok(());
        };
        let expected = &finding.expected;
        let expected =
            format!("{expected}; no order of the racing operations explains all of this");
        finding.expected = expected.into();
        Err(finding)
    }

    /// How many processes did what the model expects, and what is wrong with the first that did not.
    fn explain(&self, witness: &Witness, observation: &Observation) -> (usize, Option<Finding>) {
        let mut explained = 0;
        let mut first = None;
        for reply in self.model.replies() {
            let Some(planned) = self.planned_of(reply.process) else {
                continue;
            };
            match self.compare_reply(&planned, reply, witness, observation) {
                Ok(()) => explained += 1,
                Err(finding) => first = first.or(Some(finding)),
            }
        }
        let first = first.or_else(|| self.compare_events(observation).err());
        let first = first.or_else(|| self.compare_clock(observation).err());
        (explained, first)
    }

    /// Counts the race that the model has performed, and adds its features.
    fn count_race(&mut self) {
        self.count();
        let replies = self.model.replies();
        let features = self.race.iter().map(|planned| feature(planned, replies, 0));
        self.features.extend(features);
    }
}

/// All orders of the same indices, the given one first.
fn orders(first: &[usize]) -> Vec<Vec<usize>> {
    if first.len() < 2 {
        return vec![first.to_vec()];
    }
    let mut all = Vec::new();
    for at in 0..first.len() {
        let mut rest = first.to_vec();
        let head = rest.remove(at);
        let tails = orders(&rest).into_iter();
        all.extend(tails.map(|tail| [vec![head], tail].concat()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::orders;
    use std::collections::BTreeSet;

    #[test]
    fn orders_are_all_and_the_given_one_is_first() {
        let all = orders(&[2, 0, 1]);
        assert_eq!(all[0], [2, 0, 1]);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 6);
        assert_eq!(orders(&[1, 0]), [[1, 0], [0, 1]]);
    }
}
