//! A perfect lazy kernel that runs out of frames at any moment of a race.
//!
//! The model says what operations mean. This counts what they cost, page by page, in the steps
//! between which a real kernel can be interrupted: it looks whether a page needs a frame, asks for
//! one, copies and releases the shared one, takes effect. The steps of operations that race are mixed at
//! random, and any request for a frame may find none.

mod frames;
mod racer;
mod touches;

use crate::support::{Kernel, Liberties, appeared, disk_of, observe, see_crowd};
use frames::Frames;
use oracle::case::{Access, Family, Kind};
use oracle::model::{Answer, FAILED, Model, Outcome, Witness};
use oracle::{
    Call, Dialect, Event, Judge, Observation, Operation, Process, ProcessState, Race, RefusedStore,
    Setting, Step,
};
use racer::{Racer, Work};
use std::collections::BTreeMap;
use touches::Touch;

const PAGE_SIZE: u64 = 4096;
/// While frames are scarce, one of so many requests finds none.
const REFUSED: u64 = 3;

/// How often frames were scarce, and where.
#[derive(Debug, Default)]
pub(crate) struct Count {
    /// Operations of racers that found no frame, by kind.
    pub(crate) racers: BTreeMap<Kind, u64>,
    /// Sleepers that found no frame when another process might wake them, by the kind of operation
    /// in which they slept.
    pub(crate) sleepers: BTreeMap<Kind, u64>,
    /// Stores that were refused a frame after all other holders of the page's frame had released it.
    pub(crate) left_alone: u64,
}

/// The kernel.
pub(crate) struct ScarceKernel {
    model: Model,
    dialect: Dialect,
    frames: Frames,
    /// The state when the race began.
    frames_before: Frames,
    chance: Liberties,
    /// What each process that sleeps was doing, and touches when it wakes.
    asleep: [Option<(Operation, Vec<Touch>)>; Process::COUNT],
    /// Whether a system call that finds no frame kills its process, instead of returning -1.
    kills: bool,
    /// Whether frames are scarce now.
    short: bool,
    /// What has happened so far.
    pub(crate) count: Count,
}

impl ScarceKernel {
    /// A kernel whose random choices follow from `seed`.
    pub(crate) fn new(dialect: &Dialect, setting: &Setting, seed: u64) -> ScarceKernel {
        ScarceKernel {
            model: Model::new(dialect, setting),
            dialect: dialect.clone(),
            frames: Frames::default(),
            frames_before: Frames::default(),
            chance: Liberties(seed),
            asleep: Default::default(),
            kills: seed.is_multiple_of(4),
            short: false,
            count: Count::default(),
        }
    }

    /// Whether a request for a frame finds none.
    fn refuses(&mut self) -> bool {
        self.short && self.chance.below(REFUSED) == 0
    }

    /// Performs the operation of `racer` at this moment, with what `own` says of it, and counts what
    /// comes of it.
    fn act(&mut self, racer: &Racer, own: Witness, seen: &mut Observation) {
        let mut witness = own;
        self.refuse_sleepers(&mut witness);
        let operation = &racer.operation;
        let process = operation.process;
        let break_before = self.model.program_break(process);
        let alone = observe(
            &mut self.model,
            racer.index,
            operation,
            &racer.step,
            &witness,
        );
        let events = alone.events.into_iter();
        seen.events
            .extend(events.filter(|event| !matches!(event, Event::Appeared { .. })));
        let replies = self.model.replies().to_vec();
        for reply in replies {
            seen.out_of_frames |= reply.excused;
            let other = reply.process;
            match reply.outcome {
                Outcome::Returns(Answer::Exactly(value)) => {
                    if other == process {
                        self.asleep[other.index()] = Some((*operation, racer.touches.clone()));
                    }
                    self.finish(other, value);
                }
                Outcome::Blocks => {
                    self.asleep[other.index()] = Some((*operation, racer.touches.clone()));
                }
                Outcome::Dies(_) => self.asleep[other.index()] = None,
                Outcome::Starts { stack, entry, .. } => {
                    self.frames.start(other, stack, entry);
                }
                Outcome::Born => self.frames.share(process, other),
                Outcome::Returns(_) | Outcome::PerhapsReturns(_) | Outcome::Stays => {}
            }
        }
        self.populate(operation, break_before);
    }

    /// Now and then, a process that wakes finds no frame for what it then touches.
    fn refuse_sleepers(&mut self, witness: &mut Witness) {
        for process in Process::all() {
            let Some((operation, touches)) = self.asleep[process.index()].clone() else {
                continue;
            };
            let lacking = touches
                .iter()
                .position(|touch| self.frames.need_one(process, touch.page, touch.access));
            // How far a sleeping writer came is not known here.
            let is_writer = operation.call.kind() == Kind::Write;
            let Some(at) = lacking.filter(|_| !is_writer && self.refuses()) else {
                continue;
            };
            *self
                .count
                .sleepers
                .entry(operation.call.kind())
                .or_default() += 1;
            witness.out_of_frames = true;
            let value = racer::refused_value(&self.dialect, &self.model, &operation, &touches[at]);
            match value.filter(|_| !self.takes_with_it(&operation)) {
                Some(value) => witness.saw_return(process, value),
                None => witness.saw_silence(process, true),
            }
        }
    }

    /// A growth that is not lazy maps its pages.
    fn populate(&mut self, operation: &Operation, break_before: u64) {
        let process = operation.process;
        let after = self.model.program_break(process);
        if let Call::Sbrk { flavour, .. } = operation.call
            && self.dialect.sbrk.is_eager(flavour)
        {
            for page in break_before.div_ceil(PAGE_SIZE)..after.div_ceil(PAGE_SIZE) {
                self.frames.settle(process, page, Access::Store);
            }
        }
    }

    /// An operation has come to its end: what it touched is mapped.
    fn finish(&mut self, process: Process, value: u64) {
        let Some((operation, touches)) = self.asleep[process.index()].take() else {
            return;
        };
        let moves = operation.call.kind().moves_bytes();
        let touched = |touch: &&Touch| value != FAILED && (!moves || touch.before < value);
        for touch in touches.iter().filter(touched) {
            self.frames.settle(process, touch.page, touch.access);
        }
    }

    /// Processes that have ended hold nothing any more.
    fn release_the_dead(&mut self) {
        for process in Process::all() {
            if matches!(
                self.model.state_of(process),
                ProcessState::Zombie | ProcessState::Gone
            ) {
                self.frames.release_all(process);
            }
        }
    }

    /// One step of a racer.
    fn advance(&mut self, racer: &mut Racer, work: Work, seen: &mut Observation) {
        let process = racer.operation.process;
        match work {
            Work::Look(touch) => {
                if self.frames.need_one(process, touch.page, touch.access) {
                    racer.work.push_front(Work::Give(touch));
                    racer.work.push_front(Work::Ask(touch));
                } else {
                    self.frames.touch(process, touch.page, touch.access);
                }
            }
            Work::Ask(touch) => {
                if self.refuses() {
                    self.note_refusal(racer, &touch, seen);
                    self.give_up(racer, &touch, seen);
                }
            }
            Work::AskForKernel => {
                if self.refuses() {
                    seen.out_of_frames = true;
                    self.give_up(racer, &Touch::NONE, seen);
                }
            }
            Work::Give(touch) => self.frames.give(process, touch.page, touch.access),
            Work::Release(page) => self.frames.release(process, page),
            Work::Act => {
                if self.model.applies(&racer.operation) {
                    self.act(racer, Witness::ideal(), seen);
                }
            }
        }
    }

    /// The racer ends its operation because it was refused a frame for `touch`.
    fn give_up(&mut self, racer: &mut Racer, touch: &Touch, seen: &mut Observation) {
        racer.work.clear();
        if !self.model.applies(&racer.operation) {
            return;
        }
        *self
            .count
            .racers
            .entry(racer.operation.call.kind())
            .or_default() += 1;
        let mut witness = Witness::observed(true);
        let process = racer.operation.process;
        let value = racer::refused_value(&self.dialect, &self.model, &racer.operation, touch);
        match value.filter(|_| !self.takes_with_it(&racer.operation)) {
            Some(value) => witness.saw_return(process, value),
            None => witness.saw_silence(process, true),
        }
        self.act(racer, witness, seen);
        let dead = self.frames.mapped(process, 0).into_iter();
        if self.model.state_of(process) == ProcessState::Zombie {
            racer.work.extend(dead.map(Work::Release));
        }
    }

    /// Whether a system call that finds no frame kills its process. An `exec` does so if it
    /// has given the old program up; in some kernels each call does that touches memory.
    fn takes_with_it(&mut self, operation: &Operation) -> bool {
        match operation.call.kind().family() {
            Family::CopyOut | Family::CopyIn | Family::Path => {
                self.kills || operation.call.kind() == Kind::Exec && self.chance.below(2) == 0
            }
            _ => false,
        }
    }

    /// What the driver notes when a request finds no frame.
    fn note_refusal(&mut self, racer: &Racer, touch: &Touch, seen: &mut Observation) {
        let traps = racer.operation.call.kind().family() == Family::Access;
        seen.out_of_frames = true;
        let process = racer.operation.process;
        let is_new = seen.refused_store.is_none_or(|other| !other.needs_none());
        if is_new
            && traps
            && touch.access == Access::Store
            && let Some(holders) = self.frames.holders(process, touch.page)
        {
            let before = self.frames_before.holders(process, touch.page);
            self.count.left_alone += u64::from(before > Some(1) && holders == 1);
            seen.refused_store = Some(RefusedStore {
                process,
                holders_before: before.unwrap_or(holders),
                holders,
            });
        }
    }
}

impl Kernel for ScarceKernel {
    fn model(&self) -> &Model {
        &self.model
    }

    /// Frames are plenty while one operation happens at a time.
    fn perform(
        &mut self,
        index: usize,
        operation: &Operation,
        step: &Step,
        judge: &Judge,
    ) -> Observation {
        self.short = false;
        let mut seen = Observation::default();
        let mut racer = Racer::new(index, operation, step, self, judge);
        while let Some(work) = racer.work.pop_front() {
            self.advance(&mut racer, work, &mut seen);
        }
        self.release_the_dead();
        see_crowd(&self.model, operation, &mut seen);
        seen.events.extend(appeared(&self.model));
        seen
    }

    fn race(
        &mut self,
        first: usize,
        operations: &[Operation],
        race: &Race,
        judge: &Judge,
    ) -> Observation {
        self.frames_before.clone_from(&self.frames);
        self.short = self.chance.below(4) > 0;
        let mut seen = Observation::default();
        let steps = race.steps.iter().enumerate();
        let mut racers: Vec<Racer> = steps
            .map(|(at, step)| Racer::new(first + at, &operations[first + at], step, self, judge))
            .collect();
        loop {
            let busy = |racer: &&mut Racer| !racer.work.is_empty();
            let mut busy: Vec<&mut Racer> = racers.iter_mut().filter(busy).collect();
            if busy.is_empty() {
                break;
            }
            let at = self.chance.below(busy.len() as u64) as usize;
            let racer = &mut *busy[at];
            if let Some(work) = racer.work.pop_front() {
                self.advance(racer, work, &mut seen);
            }
        }
        self.release_the_dead();
        self.report(&racers, &mut seen);
        seen.mappings = Some(self.frames.mappings(judge));
        seen.disk = race.looks_at_disk.then(|| disk_of(&self.model));
        seen
    }
}

impl ScarceKernel {
    /// What is seen at the end: whether each racer has come back, and that the ready ones answer.
    fn report(&mut self, racers: &[Racer], seen: &mut Observation) {
        for racer in racers {
            let process = racer.operation.process;
            let returned = |event: &Event| {
                matches!(event, Event::Returned { process: other, .. }
                    | Event::Started { process: other, .. } if *other == process)
            };
            let silent = |event: &Event| matches!(event, Event::Silent { process: other, .. } if *other == process);
            let state = self.model.state_of(process);
            let was_killed = matches!(state, ProcessState::Zombie | ProcessState::Gone);
            // A process that is killed on its way back to user mode is not seen there.
            if was_killed && self.chance.below(2) == 0 {
                seen.events.retain(|event| !returned(event));
            }
            if seen.events.iter().any(returned) {
                seen.events.retain(|event| !silent(event));
            } else if !seen.events.iter().any(silent) {
                seen.events.push(Event::Silent {
                    process,
                    trap: None,
                    killed_message: false,
                });
            }
        }
        seen.events.extend(appeared(&self.model));
    }
}
