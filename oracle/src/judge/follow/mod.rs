//! Following a kernel that has done something wrong, so that the same case shows what else is wrong with it.
//!
//! A finding ends a case only if the state of the kernel is unknown afterwards. The table of clauses says for each
//! clause what is known of the state ([`Effect`]). These are the rules for findings that do not end the case.
//!
//! 1. *Harmless* mistakes are noted, and the case goes on as if they had not happened.
//! 2. After a *wrong answer* the kernel may have done what it had to do, nothing, or as much as the answer says.
//!    Each possibility is a *world*: a copy of the model. The likeliest world that fits everything that was seen
//!    in the same step *leads*.
//! 3. If something is wrong in the leading world and right in another one, the other one leads from then on. Nothing
//!    is noted: it only shows what the kernel did.
//! 4. If something is wrong in all worlds, it is a finding only if all of them expect the same. Refuted worlds
//!    count too, because the kernel may have done a part of what it had to do. Otherwise it follows from the wrong
//!    answer and is not a finding. The case ends *in doubt*: the state is unknown.
//! 5. A *fatal* mistake is wrong in every world. It is always a finding.
//! 6. Counts at the end of a case are no evidence if an operation may have been done in part.
//! 7. A finding that was noted before in the same case is not noted again. It is followed as before.
//! 8. The model takes over *memory* that is wrong. A page that nobody has stored to and that is not zero stays as it
//!    was seen. If another page is wrong, or a page becomes wrong again, its frame may have two users: the rest of
//!    the case is in doubt.
//! 9. After wrong *permissions* a forbidden access that succeeds is not a finding of its own.

mod answer;
mod memory;
mod weigh;

use super::{Aftermath, Clause, Effect, End, Finding, Judge, Observation, Planned, bucket};
use crate::case::Kind;
use crate::model::{Model, Witness};
use weigh::refute;

/// The most worlds of a case, besides the leading one.
const MOST_WORLDS: usize = 6;

/// A world that does not lead.
#[derive(Clone, Debug)]
pub(in crate::judge) enum World {
    /// Everything that was seen fits it.
    Likely(Model),
    /// Something that was seen does not fit it. The kernel may still have done a part of it.
    Refuted(Model),
    /// A world without a model: the state is unknown.
    Unknown,
}

/// What was wrong in a case, and what is known after it. Empty as long as nothing was wrong.
#[derive(Clone, Debug, Default)]
pub(in crate::judge) struct Following {
    /// What was wrong so far, in order. No two findings have the same bucket.
    noted: Vec<Finding>,
    /// All worlds but the leading one, which is the judge's model.
    worlds: Vec<World>,
    /// Whether an operation may have been done in part.
    in_part: bool,
    /// Virtual addresses of the pages whose wrong content the model has taken over.
    taken_over: Vec<u64>,
    /// Clauses that may be broken because of what was noted.
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
    pub(in crate::judge) fn clear(&mut self) {
        self.noted.clear();
        self.worlds.clear();
        self.in_part = false;
        self.taken_over.clear();
        self.forgiven.clear();
        self.in_doubt = false;
    }

    /// Whether something was wrong in this case.
    pub(in crate::judge) fn is_under_way(&self) -> bool {
        !self.noted.is_empty()
    }

    /// Whether there are worlds besides the leading one.
    pub(in crate::judge) fn has_worlds(&self) -> bool {
        !self.worlds.is_empty()
    }

    fn has_noted(&self, finding: &Finding) -> bool {
        let wanted = bucket(finding);
        self.noted.iter().any(|noted| bucket(noted) == wanted)
    }

    /// Notes a finding, unless one with the same bucket was noted before.
    pub(in crate::judge) fn note(&mut self, finding: Finding, aftermath: Aftermath) {
        if !self.has_noted(&finding) {
            self.noted.push(Finding {
                aftermath,
                ..finding
            });
        }
    }

    /// Whether this clause may be broken because of what was noted.
    pub(in crate::judge) fn forgives(&self, clause: Clause) -> bool {
        self.forgiven.contains(&clause)
    }

    /// Notes that an operation may have been done in part.
    fn doubt(&mut self) -> Aftermath {
        self.in_part = true;
        self.worlds.push(World::Unknown);
        Aftermath::InDoubt
    }

    /// Notes that the model takes over the content of `page`. Returns false if it has done that before.
    fn take_over(&mut self, page: u64) -> bool {
        let is_new = !self.taken_over.contains(&page);
        if is_new {
            self.taken_over.push(page);
        }
        is_new
    }

    /// Ends the case in doubt: what was seen follows from what was noted.
    pub(in crate::judge) fn end_in_doubt(&mut self) -> Result<(), Finding> {
        self.in_doubt = true;
        Ok(())
    }
}

impl Judge {
    /// What was wrong so far and did not end the case, in order.
    pub fn noted(&self) -> &[Finding] {
        &self.following.noted
    }

    /// Whether the case is over because the state of the kernel is unknown after what was noted.
    pub fn is_in_doubt(&self) -> bool {
        self.following.in_doubt
    }

    /// Judges a step of a case in which something was wrong before.
    pub(in crate::judge) fn observe_further(
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

    /// Follows `finding`, the first one of a case.
    pub(in crate::judge) fn begin_to_follow(
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

    /// Notes what is wrong with a step and goes on, if that is possible. `before` is the model before the step. The
    /// leading model has performed the step.
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
                    // Frames that do not come back now are missing at the end as well.
                    self.following.in_part |=
                        matches!(clause, Clause::ShrinkGivesBack | Clause::ExecTakesLittle);
                    Aftermath::GoesOn
                }
                Effect::Permissions => {
                    // Accesses that the page wrongly allows succeed.
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

    /// Makes the first of `worlds` lead that fits what was seen of the step. `None` if none fits. The others are
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
                // The kernel has not done all of this, but perhaps a part of it.
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
        // For these only a process identifier is uncertain.
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
}
