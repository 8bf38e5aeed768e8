//! Following a kernel that has done something wrong, so that the same case shows what else is wrong with it.
//!
//! A finding ends a case only if nobody can tell in which state it leaves the kernel. The table of clauses says
//! for each what is known then ([`Effect`]). These are the rules for the others.
//!
//! 1. *Harmless* wrongs are noted, and the case goes on as if they had not happened.
//! 2. After a *wrong answer* the kernel may have done what it had to, nothing, or as much as it says. Each is a
//!    *world*: a copy of the model. The likeliest one that fits all that was seen in the same step leads.
//! 3. If something is wrong in the world that leads and right in another one, the other one leads from then on,
//!    and nothing is noted: that is how it becomes known what the kernel did.
//! 4. If something is wrong in all worlds, it is a finding only if all of them expect the same (so also those
//!    that were refuted: the kernel may have done a part of what it had to). Otherwise it rests on
//!    the wrong answer. It is nothing of its own, and the case ends *in doubt*: the state is unknown.
//! 5. What is *fatal* is wrong in every world. It is always a finding.
//! 6. What is counted when every process is gone is no evidence if an operation may have been done in part.
//! 7. A wrong that was noted in the same case is no news. It is followed as before.
//! 8. *Memory* that is wrong is taken over as it is. If a page that nobody has stored to is not zero, it stays as it
//!    is seen. If another page is wrong, or one becomes wrong again, it may have two users: the rest is in doubt.
//! 9. After wrong *permissions* an access that had to be forbidden is nothing of its own.

use super::frames::Budget;
use super::{
    Aftermath, Clause, Effect, End, Finding, Judge, Mismatch, Observation, Planned, bucket,
    compare, plan,
};
use crate::case::{Call, Family, Kind, Operation, Process};
use crate::layout::{PAGE_SIZE, page_floor};
use crate::model::{FAILED, Model, Witness};

/// The most worlds of a case, besides the one that leads.
const MOST_WORLDS: usize = 6;

/// A world that does not lead.
#[derive(Clone, Debug)]
pub(super) enum World {
    /// Everything that was seen fits it.
    Likely(Model),
    /// Something does not. The kernel may still have done a part of what it holds.
    Refuted(Model),
    /// Nobody can tell what holds in it.
    Unknown,
}

/// What is followed in a case. Empty as long as nothing was wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Following {
    /// What was wrong so far, the first one first. No two have the same bucket.
    noted: Vec<Finding>,
    /// All worlds but the one that leads, which is the judge's model.
    worlds: Vec<World>,
    /// Whether an operation may have been done in part.
    in_part: bool,
    /// Pages, by virtual address, that hold what the kernel was seen to have there.
    taken_over: Vec<u64>,
    /// Clauses that say nothing any more.
    forgiven: Vec<Clause>,
    /// Whether the state is unknown.
    in_doubt: bool,
}

/// The step that is judged, and what was seen of it.
#[derive(Clone, Copy)]
struct Seen<'a> {
    planned: Planned,
    witness: &'a Witness,
    observation: &'a Observation,
}

impl Following {
    pub(super) fn clear(&mut self) {
        self.noted.clear();
        self.worlds.clear();
        self.in_part = false;
        self.taken_over.clear();
        self.forgiven.clear();
        self.in_doubt = false;
    }

    /// Whether something was wrong in this case.
    pub(super) fn is_under_way(&self) -> bool {
        !self.noted.is_empty()
    }

    /// Whether it is open which world holds.
    pub(super) fn has_worlds(&self) -> bool {
        !self.worlds.is_empty()
    }

    fn has_noted(&self, finding: &Finding) -> bool {
        let wanted = bucket(finding);
        self.noted.iter().any(|noted| bucket(noted) == wanted)
    }

    /// Notes a finding, unless it is no news.
    pub(super) fn note(&mut self, finding: Finding, aftermath: Aftermath) {
        if !self.has_noted(&finding) {
            self.noted.push(Finding {
                aftermath,
                ..finding
            });
        }
    }

    /// Whether what this clause says rests on what was noted.
    pub(super) fn forgives(&self, clause: Clause) -> bool {
        self.forgiven.contains(&clause)
    }

    /// Nobody can tell how much of an operation was done.
    fn doubt(&mut self) -> Aftermath {
        self.in_part = true;
        self.worlds.push(World::Unknown);
        Aftermath::InDoubt
    }

    /// Takes note that the page at `address` is now what it was seen to be. False: it was so before.
    fn take_over(&mut self, page: u64) -> bool {
        let is_new = !self.taken_over.contains(&page);
        if is_new {
            self.taken_over.push(page);
        }
        is_new
    }

    /// The case ends: a wrong that was seen rests on an answer that was noted.
    fn end_in_doubt(&mut self) -> Result<(), Finding> {
        self.in_doubt = true;
        Ok(())
    }
}

impl Judge {
    /// What was wrong so far and did not end the case, the first one first.
    pub fn noted(&self) -> &[Finding] {
        &self.following.noted
    }

    /// Whether the case is over because the state of the kernel is unknown after what was noted.
    pub fn is_in_doubt(&self) -> bool {
        self.following.in_doubt
    }

    /// Judges a step of a case in which something was wrong before.
    pub(super) fn observe_further(
        &mut self,
        planned: &Planned,
        witness: &Witness,
        observation: &Observation,
    ) -> Result<(), Finding> {
        let before = self.model.clone();
        let seen = Seen {
            planned: *planned,
            witness,
            observation,
        };
        self.perform(planned, witness);
        let leading = self.compare_step(planned, witness, observation, &[]);
        let others = self.in_the_others(&before, seen);
        match self.weigh(leading, others) {
            Ok(()) => Ok(()),
            Err(finding) => self.follow(finding, &before, seen),
        }
    }

    /// Judges the first step of a case in which something is wrong, which is `finding`.
    pub(super) fn begin_to_follow(
        &mut self,
        finding: Finding,
        witness: &Witness,
        observation: &Observation,
    ) -> Result<(), Finding> {
        let Some(planned) = self.planned else {
            return Err(finding);
        };
        let before = self.before_the_last_step();
        let seen = Seen {
            planned,
            witness,
            observation,
        };
        self.follow(finding, &before, seen)
    }

    /// Compares a mapped page with what it has to hold. If it holds something else, that is noted, and the model
    /// takes it over. `address` is that of the page, or in it.
    ///
    /// # Errors
    /// What ends the case.
    pub fn check_page(
        &mut self,
        process: Process,
        address: u64,
        bytes: &[u8],
    ) -> Result<(), Finding> {
        if self.is_in_doubt() {
            return Ok(());
        }
        let compared =
            self.judge_in_each_world(|judge| judge.compare_page(process, address, bytes));
        compared.or_else(|finding| {
            let page = page_floor(address);
            let is_fresh = finding.clause == Clause::FreshPageZero;
            if !self.following.take_over(page) {
                return self.following.end_in_doubt();
            }
            self.model.take_over(process, page, bytes);
            self.note_memory(finding, is_fresh);
            Ok(())
        })
    }

    /// Goes on after a load that has loaded something wrong, which `finding` says, if that lies in memory. `read`
    /// fills bytes with what the memory of a process holds at an address, if it is mapped there.
    ///
    /// # Errors
    /// What ends the case.
    pub fn check_loaded(
        &mut self,
        finding: Finding,
        observation: &Observation,
        read: impl Fn(Process, u64, &mut [u8]) -> bool,
    ) -> Result<(), Finding> {
        let Some(planned) = self.planned.filter(|_| self.race.is_empty()) else {
            return Err(finding);
        };
        if finding.clause != Clause::LoadedValue {
            return Err(finding);
        }
        let process = planned.operation.process;
        let mut is_fresh = true;
        for page in self.model.pages_of_access(&planned.operation) {
            let mut bytes = [0; PAGE_SIZE as usize];
            if !read(process, page, &mut bytes) {
                continue;
            }
            if let Err(there) = self.compare_page(process, page, &bytes) {
                is_fresh &= there.clause == Clause::FreshPageZero;
                if !self.following.take_over(page) {
                    return self.following.end_in_doubt();
                }
                self.model.take_over(process, page, &bytes);
            }
        }
        let witness = compare::witness(observation);
        if self.model.loads(&planned.operation) != witness.returned(process) {
            return Err(finding);
        }
        self.note_memory(finding, is_fresh);
        // What else is wrong with the step, such as a frame that it has taken, rests on that.
        match self.compare_step(&planned, &witness, observation, &[Clause::LoadedValue]) {
            Err(next) if next.clause.effect() == Effect::Fatal => Err(next),
            Err(_) if !is_fresh => Ok(()),
            rest => rest,
        }
    }

    /// Notes that memory is wrong. What was never stored to stays as it is. What holds something else than was
    /// stored may change again.
    fn note_memory(&mut self, finding: Finding, is_fresh: bool) {
        let aftermath = if is_fresh {
            Aftermath::GoesOn
        } else {
            self.following.doubt()
        };
        self.following.note(finding, aftermath);
    }

    /// Judges something else than a step: in all worlds, if there are several.
    fn judge_in_each_world(
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

    /// Judges the end of a case: in all worlds, if there are several.
    pub(super) fn judge_end_in_each_world(&mut self, end: &End) -> Result<(), Finding> {
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

    /// Calls `judge` with each world in the place of the one that leads. `None` makes it unknown.
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

    /// Performs and judges the step in all worlds but the one that leads, which was `before`.
    fn in_the_others(
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

    /// What a comparison comes to, given what it says in the world that leads and in each of the others. `Err` is a
    /// finding of its own.
    fn weigh(
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
            // It is followed once more, and nothing is noted.
            None if self.following.has_noted(&finding) => return Err(finding),
            None => return self.following.end_in_doubt(),
        }
        Ok(())
    }

    /// The world of that number leads from now on.
    fn lead(&mut self, at: usize) {
        let world = &mut self.following.worlds[at];
        if let World::Likely(model) = std::mem::replace(world, World::Unknown) {
            let refuted = std::mem::replace(&mut self.model, model);
            *world = World::Refuted(refuted);
        }
    }

    /// Notes what is wrong with a step and goes on, if that is possible. `before` is the model before the step; the
    /// one that leads has performed it.
    fn follow(
        &mut self,
        mut finding: Finding,
        before: &Model,
        seen: Seen<'_>,
    ) -> Result<(), Finding> {
        let Seen {
            planned,
            witness,
            observation,
        } = seen;
        let mut waived = Vec::new();
        loop {
            let clause = finding.clause;
            let aftermath = match clause.effect() {
                Effect::Harmless => {
                    waived.push(clause);
                    // What was not given back is missing at the end as well.
                    self.following.in_part |=
                        matches!(clause, Clause::ShrinkGivesBack | Clause::ExecTakesLittle);
                    Aftermath::GoesOn
                }
                Effect::Permissions => {
                    // A page that is open to more accesses lets them happen.
                    let forgiven = [clause, Clause::ForbiddenAccessKills];
                    self.following.forgiven.extend(forgiven);
                    Aftermath::GoesOn
                }
                Effect::Answer => {
                    let worlds = self.worlds_after(&finding, before, seen);
                    let was_noted = self.following.has_noted(&finding);
                    match self.enter(worlds, seen, &mut waived, !was_noted) {
                        Some(aftermath) => aftermath,
                        None => return Err(finding),
                    }
                }
                Effect::Memory | Effect::Unknown | Effect::Fatal => return Err(finding),
            };
            self.following.note(finding, aftermath);
            match self.compare_step(&planned, witness, observation, &waived) {
                Ok(()) => return Ok(()),
                Err(next) if waived.contains(&next.clause) => return Err(next),
                Err(next) => finding = next,
            }
        }
    }

    /// Lets the first of `worlds` lead that fits what was seen of the step. `None`: none does. The others are
    /// kept if `keep` is set.
    fn enter(
        &mut self,
        worlds: Vec<World>,
        seen: Seen<'_>,
        waived: &mut Vec<Clause>,
        keep: bool,
    ) -> Option<Aftermath> {
        // How many frames come back depends on what was done.
        let waives = waived.len();
        waived.extend([Clause::ShrinkGivesBack, Clause::ExecTakesLittle]);
        let old = self.model.clone();
        let mut leading = None;
        let mut others = Vec::new();
        for world in worlds {
            let World::Likely(model) = world else {
                others.push(world);
                continue;
            };
            self.model = model;
            let rest = self.compare_step(&seen.planned, seen.witness, seen.observation, waived);
            let effect = rest.map_err(|finding| finding.clause.effect());
            let fits = !matches!(effect, Err(Effect::Answer | Effect::Unknown));
            let model = self.model.clone();
            match leading {
                None if fits => leading = Some(model),
                Some(_) if fits => others.push(World::Likely(model)),
                // It was not done so, but perhaps in part.
                _ => others.push(World::Refuted(model)),
            }
        }
        let Some(leading) = leading else {
            self.model = old;
            waived.truncate(waives);
            return None;
        };
        self.model = leading;
        let following = &mut self.following;
        let kind = seen.planned.operation.call.kind();
        // Of these only an identifier is open.
        let is_whole = others.is_empty() || matches!(kind, Kind::Fork | Kind::Getpid);
        following.in_part |= !is_whole;
        if keep {
            following.worlds.iter_mut().for_each(refute);
            following.worlds.extend(others);
        }
        if following.worlds.len() > MOST_WORLDS {
            following.worlds.truncate(MOST_WORLDS);
            following.worlds.push(World::Unknown);
        }
        Some(if is_whole {
            Aftermath::GoesOn
        } else {
            Aftermath::InDoubt
        })
    }

    /// The worlds after a step with a wrong answer, the likeliest first. None: nobody can tell.
    fn worlds_after(&self, finding: &Finding, before: &Model, seen: Seen<'_>) -> Vec<World> {
        let Seen {
            planned, witness, ..
        } = seen;
        let operation = &planned.operation;
        let process = operation.process;
        if finding.process != Some(process.letter()) {
            return Vec::new();
        }
        let likely = World::Likely;
        let killed = || {
            let mut model = before.clone();
            model.kill_instead(planned.index, operation, witness);
            likely(model)
        };
        let Some(value) = witness.returned(process) else {
            // A program's own access has done nothing yet when it is killed.
            let is_access = operation.call.kind().family() == Family::Access;
            let is_killed = finding.clause == Clause::InnocentLive && witness.killed(process);
            return Vec::from_iter((is_access && is_killed).then(killed));
        };
        let done = || {
            let mut model = self.model.clone();
            model.answer_otherwise(process, value);
            likely(model)
        };
        let undone = || {
            let mut model = before.clone();
            model.leave_undone(planned.index, operation, value);
            likely(model)
        };
        let as_told = || told(before, &planned, witness, value).map(likely);
        match (finding.clause, finding.mismatch()) {
            (Clause::ReturnedValue, Some(Mismatch::Refused)) => vec![undone(), done()],
            (Clause::ReturnedValue, Some(Mismatch::Granted)) if leaves_nothing(&operation.call) => {
                vec![done()]
            }
            (Clause::ReturnedValue, Some(Mismatch::Granted)) => {
                let mut granted = before.clone();
                granted.leave_undone(planned.index, operation, value);
                let moves = granted.move_break_otherwise(process, &operation.call);
                let granted = moves.then(|| likely(granted));
                [done()]
                    .into_iter()
                    .chain(granted)
                    .chain([World::Unknown])
                    .collect()
            }
            (Clause::ReturnedValue, _) if operation.call == Call::Getpid => {
                let mut otherwise = self.model.clone();
                otherwise.answer_otherwise(process, value);
                otherwise.identify(process, value);
                vec![done(), likely(otherwise)]
            }
            (Clause::ReturnedValue, _) if leaves_nothing(&operation.call) => vec![done()],
            (Clause::ReturnedValue, _) => {
                self.after_another_answer(before, seen, value, [done(), undone()])
            }
            (Clause::Blocks, _) if operation.call.kind() == Kind::Pause => vec![undone()],
            (Clause::Blocks, _) if value == 0 || value == FAILED => {
                vec![undone(), World::Unknown]
            }
            (Clause::Blocks, _) => match as_told() {
                Some(told) => vec![told, World::Unknown],
                None => Vec::new(),
            },
            (Clause::ProgramStarts, _) if value == FAILED => vec![undone(), World::Unknown],
            _ => Vec::new(),
        }
    }

    /// The worlds after an answer that is wrong although both it and the right one tell of success.
    fn after_another_answer(
        &self,
        before: &Model,
        seen: Seen<'_>,
        value: u64,
        [done, undone]: [World; 2],
    ) -> Vec<World> {
        let planned = seen.planned;
        match planned.operation.call {
            // Whether there is a child is seen. Its identifier is not.
            Call::Fork { child } => {
                let mut otherwise = self.model.clone();
                otherwise.answer_otherwise(planned.operation.process, value);
                otherwise.identify(child, value);
                vec![done, World::Likely(otherwise)]
            }
            Call::Read { .. } | Call::Write { .. } => {
                let told = told(before, &planned, seen.witness, value).map(World::Likely);
                told.into_iter().chain([done, undone]).collect()
            }
            _ => vec![done, undone],
        }
    }
}

/// The model of a kernel that has moved as many bytes as it says.
fn told(before: &Model, planned: &Planned, witness: &Witness, value: u64) -> Option<Model> {
    let moved = i16::try_from(value).ok().filter(|moved| *moved > 0)?;
    let call = match planned.operation.call {
        Call::Read {
            fd,
            address,
            length,
        } if moved < length => Call::Read {
            fd,
            address,
            length: moved,
        },
        Call::Write {
            fd,
            address,
            length,
        } if moved < length => Call::Write {
            fd,
            address,
            length: moved,
        },
        _ => return None,
    };
    let operation = Operation {
        call,
        ..planned.operation
    };
    let mut model = before.clone();
    model.perform(planned.index, &operation, witness);
    model.answer_otherwise(operation.process, value);
    Some(model)
}

/// Whether nothing is left to be known of a call but its answer.
fn leaves_nothing(call: &Call) -> bool {
    matches!(
        call.kind(),
        Kind::Getpid | Kind::Uptime | Kind::Pause | Kind::Kill | Kind::Close
    )
}

/// Whether two worlds expect the same, and something else was seen.
fn is_same(one: &Finding, other: &Finding) -> bool {
    let key = |finding: &Finding| (finding.clause, finding.process, finding.step);
    key(one) == key(other) && one.expected == other.expected
}

fn refute(world: &mut World) {
    if let World::Likely(model) = std::mem::replace(world, World::Unknown) {
        *world = World::Refuted(model);
    }
}
