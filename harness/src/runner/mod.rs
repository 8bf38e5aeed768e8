//! Runs a case on the kernel and on the model, and judges it. Everything else is built on this loop.

mod held;
mod walk;

pub use walk::Walk;

use crate::counters::move_counts;
use crate::driver::patience::Patience;
use crate::driver::{CodeChange, Driver, Reaping, Standing};
use crate::guest::Guest;
use crate::guest::frames::FRAME_BYTES;
use emulator::Defect;
use oracle::{
    Aftermath, BiteMeter, Bucket, Case, Clause, CutMoment, End, Finding, Judge, Observation,
    Operation, PageMapping, Process, ProcessState, Race, Reboot, Situation, Step, bucket,
};
use std::ops::Range;
use std::sync::Arc;
use walk::Trail;

/// What a run costs besides its instructions, counted in instructions: the reset, the judge, and the
/// comparison of memory.
pub const WORK_PER_RUN: u64 = 50_000;

/// The result of a case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was wrong, in order. No two findings have the same bucket. Only the last one can have ended the
    /// case. There are none either if the machine broke, which [`Runner::check_machine`] reports.
    pub findings: Vec<Finding>,
    /// How much was really compared.
    pub meter: BiteMeter,
    /// Guest instructions from the first operation to the last frame counted.
    pub instructions: u64,
}

impl Outcome {
    /// The first finding, if there is one.
    pub fn first(&self) -> Option<&Finding> {
        self.findings.first()
    }

    /// The finding that ended the case, if one did.
    pub fn ended_by(&self) -> Option<&Finding> {
        let mut last = self.findings.last().into_iter();
        last.find(|last| last.aftermath == Aftermath::Ends)
    }

    /// The finding of that bucket, if there is one.
    pub fn shown(&self, wanted: &Bucket) -> Option<&Finding> {
        let mut findings = self.findings.iter();
        findings.find(|finding| bucket(finding) == *wanted)
    }
}

/// The machine has found a mistake of its own. It never runs again, and the outcome of a case since then
/// says nothing about the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error(transparent)]
pub struct BrokenMachine(#[from] Defect);

/// An observer of single steps, for traces.
pub trait Watch {
    /// Called before the first operation of a case.
    fn started(&mut self, _driver: &mut Driver, _judge: &Judge) {}
    /// Called after the kernel performed `step` for the operation numbered `index`. `judge` has planned it
    /// and not yet seen the observation.
    fn step(
        &mut self,
        _index: usize,
        _operation: &Operation,
        _step: &Step,
        _judge: &Judge,
        _observation: &Observation,
    ) {
    }
    /// Called after the kernel performed `race`. `operations` are those that raced, and the first of them is
    /// numbered `index`. `judge` has planned them and not yet seen the observation.
    fn race(
        &mut self,
        _index: usize,
        _operations: &[Operation],
        _race: &Race,
        _judge: &Judge,
        _observation: &Observation,
    ) {
    }
    /// Called before the kernel performs the operations with these numbers: one, or `together` and those
    /// that race.
    fn before(&mut self, _operations: Range<usize>, _driver: &mut Driver) {}
    /// Called after them. The machine is still in the state that they left.
    fn after(&mut self, _operations: Range<usize>, _driver: &mut Driver) {}
    /// Called when the judge has found nothing wrong with them. Its model already contains what they did.
    fn judged(&mut self, _operations: Range<usize>, _driver: &mut Driver, _judge: &Judge) {}
    /// Called when the kernel was booted again after a power cut, with which the case ends.
    fn rebooted(&mut self, _reboot: &Reboot, _driver: &Driver) {}
    /// Called for an operation that does not apply, because its process is dead or asleep.
    fn skipped(&mut self, _index: usize, _operation: &Operation) {}
}

/// Watches nothing.
pub struct Unwatched;

impl Watch for Unwatched {}

/// Compares whole pages with the model's memory: each page when it is first mapped to a frame, so that data
/// of a dead process shows, and every page at the end of the case.
#[derive(Default)]
struct MemoryCheck {
    /// Process, page and frame of the mappings seen so far in this case.
    seen: Vec<(Process, u64, u64)>,
    mappings: Vec<PageMapping>,
}

impl MemoryCheck {
    fn check_new(
        &mut self,
        mappings: &[PageMapping],
        driver: &Driver,
        judge: &mut Judge,
    ) -> Result<(), Finding> {
        for mapping in mappings {
            let key = (mapping.process, mapping.address, mapping.frame);
            if !self.seen.contains(&key) {
                self.seen.push(key);
                compare(mapping, driver, judge)?;
            }
        }
        Ok(())
    }

    fn check_all(&mut self, driver: &mut Driver, judge: &mut Judge) -> Result<(), Finding> {
        self.mappings.clear();
        driver.list_mappings(None, &mut self.mappings);
        self.mappings
            .iter()
            .try_for_each(|mapping| compare(mapping, driver, judge))
    }
}

fn compare(mapping: &PageMapping, driver: &Driver, judge: &mut Judge) -> Result<(), Finding> {
    let mut page = [0; FRAME_BYTES as usize];
    if driver.read_in_page(mapping.process, mapping.address, &mut page) {
        judge.check_page(mapping.process, mapping.address, &page)?;
    }
    Ok(())
}

/// How a case went that was not waited for.
enum Hasty {
    /// It came to its end.
    Ended(Outcome),
    /// It was cut short at a long walk.
    AtLongWalk(Outcome),
    /// It was cut short at an operation that is late for another reason.
    Late,
}

/// The finding at which a case has to end.
enum StopAt {
    /// The first one.
    First,
    /// The one of that bucket.
    Bucket(Bucket),
}

/// One kernel, one judge, any number of cases one after another.
pub struct Runner {
    driver: Driver,
    judge: Judge,
    observation: Observation,
    memory: MemoryCheck,
    trail: Trail,
    /// The walk that the last case shows, if it shows one.
    walk: Option<Walk>,
    /// How long the driver waits, if nothing else is said.
    patience: Patience,
    /// Whether no long walk is waited for.
    hasty: bool,
    /// The finding at which a case has to end, even if it could go on.
    stop_at: Option<StopAt>,
    pristine: bool,
    /// Whether the machine's counters of edges are all zero.
    counters_are_clear: bool,
    /// Work on the cases before the last one.
    work_before: u64,
    /// What the machine had retired when the last case began.
    retired_before: u64,
}

impl Runner {
    /// A new runner on `guest`.
    pub fn new(guest: &Arc<Guest>) -> Self {
        Self {
            driver: Driver::new(guest),
            judge: Judge::new(&guest.dialect, &guest.setting),
            observation: Observation::default(),
            memory: MemoryCheck::default(),
            trail: Trail::default(),
            walk: None,
            patience: Patience::Proof,
            hasty: false,
            stop_at: None,
            pristine: true,
            counters_are_clear: true,
            work_before: 0,
            retired_before: 0,
        }
    }

    /// Runs `case` from the snapshot to the last frame counted. Its edges are discarded.
    ///
    /// If an operation is late, the case is run again with smaller holes. If that shows a walk, the walk is
    /// the finding that ends the case, unless the walk is short and another finding ends the case.
    pub fn run(&mut self, case: &Case) -> Outcome {
        match self.run_hastily(case) {
            Hasty::Ended(outcome) | Hasty::AtLongWalk(outcome) => outcome,
            Hasty::Late => self.run_patiently(case, &mut Unwatched),
        }
    }

    /// Calls `look`, for which a late step counts as a hang at once, unless it is late because it repeats itself: to prove
    /// that a kernel hangs may take as long as thousands of steps, and here that was done before.
    pub fn where_a_hang_is_known<R>(&mut self, look: impl FnOnce(&mut Self) -> R) -> R {
        self.with_patience(Patience::Again, look)
    }

    fn with_patience<R>(&mut self, patience: Patience, run: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.patience, patience);
        self.driver.set_patience(patience);
        let seen = run(self);
        self.patience = before;
        self.driver.set_patience(before);
        seen
    }

    /// [`run`](Self::run), with the guest's edges added to `edges`, which has
    /// [`EDGE_COUNTERS`](crate::counters::EDGE_COUNTERS) elements.
    pub fn run_counting(&mut self, case: &Case, edges: &mut [u8]) -> Outcome {
        if !self.counters_are_clear {
            self.driver.machine_mut().edges_mut().fill(0);
        }
        let outcome = self.run(case);
        move_counts(self.driver.machine_mut().edges_mut(), edges);
        self.counters_are_clear = true;
        outcome
    }

    /// [`run`](Self::run), with every step shown to `watch`. Its edges are discarded.
    pub fn run_watched(&mut self, case: &Case, watch: &mut impl Watch) -> Outcome {
        let is_cut_short =
            walk::may_make_hole(case) && matches!(self.run_hastily(case), Hasty::AtLongWalk(_));
        if is_cut_short {
            self.cut_short(case, watch)
        } else {
            self.run_patiently(case, watch)
        }
    }

    /// Runs a case, but waits for no long walk once the break has moved far: until the end of a walk through a large
    /// hole it may take as long as hundreds of other cases.
    fn cut_short(&mut self, case: &Case, watch: &mut impl Watch) -> Outcome {
        self.hasty = true;
        let outcome = self.run_once(case, watch);
        self.hasty = false;
        self.driver.set_patience(self.patience);
        outcome
    }

    /// Runs a case without waiting for long walks, and says whether one has cut it short.
    fn run_hastily(&mut self, case: &Case) -> Hasty {
        let outcome = self.cut_short(case, &mut Unwatched);
        if !self.trail.gave_up() {
            return Hasty::Ended(self.judge_walk(case, outcome));
        }
        self.walk = self.look_for_walk(case);
        match self.walk {
            Some(_) => Hasty::AtLongWalk(outcome),
            None => Hasty::Late,
        }
    }

    /// Runs a case, and waits for each operation until a hang is proved.
    fn run_patiently(&mut self, case: &Case, watch: &mut impl Watch) -> Outcome {
        let outcome = self.run_once(case, watch);
        self.judge_walk(case, outcome)
    }

    /// The outcome of a case for which nothing was cut short: `outcome`, or the walk that it shows.
    fn judge_walk(&mut self, case: &Case, outcome: Outcome) -> Outcome {
        self.walk = None;
        let may_walk = |finding: &Finding| finding.clause == Clause::EndsInTime;
        if !outcome.ended_by().is_none_or(may_walk) {
            return outcome;
        }
        self.walk = self.look_for_walk(case);
        match self.walk {
            Some(_) => self.run_up_to_late(case, &mut Unwatched),
            None => outcome,
        }
    }

    /// Runs a case up to its first late operation.
    fn run_up_to_late(&mut self, case: &Case, watch: &mut impl Watch) -> Outcome {
        self.with_patience(Patience::Short, |runner| runner.run_once(case, watch))
    }

    /// Whether a case shows nothing wrong. It ends at its first finding. An operation that takes more than so many
    /// instructions counts as one that hangs.
    pub(crate) fn is_right_within(&mut self, case: &Case, instructions: u64) -> bool {
        self.stop_at = Some(StopAt::First);
        let outcome = self.with_patience(Patience::Within(instructions), |runner| {
            runner.run_once(case, &mut Unwatched)
        });
        self.stop_at = None;
        outcome.findings.is_empty()
    }

    /// Changes the kernel's code for all later cases. `None`: it is the guest's again.
    pub(crate) fn change_code(&mut self, change: Option<CodeChange>) {
        self.driver.change_code(change);
        self.pristine = false;
    }

    /// [`run_watched`](Self::run_watched), but the case ends as soon as it shows a finding of that bucket, so
    /// that the machine can be inspected there.
    pub fn run_up_to(&mut self, wanted: &Bucket, case: &Case, watch: &mut impl Watch) -> Outcome {
        self.stop_at = Some(StopAt::Bucket(wanted.clone()));
        let outcome = self.run_watched(case, watch);
        self.stop_at = None;
        outcome
    }

    /// [`run_watched`](Self::run_watched), but the case ends at its first finding, which is returned.
    pub fn run_up_to_the_first(&mut self, case: &Case, watch: &mut impl Watch) -> Option<Finding> {
        self.stop_at = Some(StopAt::First);
        let outcome = self.run_watched(case, watch);
        self.stop_at = None;
        outcome.findings.into_iter().next()
    }

    /// The walk that the last case shows, if it shows one.
    pub fn walk(&self) -> Option<Walk> {
        self.walk
    }

    fn run_once(&mut self, case: &Case, watch: &mut impl Watch) -> Outcome {
        // Clearing the machine's counters costs more than remembering that they are in use.
        self.counters_are_clear = false;
        self.work_before = self.work() + WORK_PER_RUN;
        if !self.pristine {
            self.driver.reset();
            self.judge.reset();
        }
        self.pristine = false;
        self.memory.seen.clear();
        self.trail.clear();
        self.retired_before = self.driver.retired();
        let ended_by = self.drive(case, watch).err();
        let mut findings = self.judge.noted().to_vec();
        findings.extend(ended_by);
        if self.check_machine().is_err() {
            findings.clear();
        }
        Outcome {
            findings,
            meter: self.judge.meter(),
            instructions: self.driver.retired() - self.retired_before,
        }
    }

    fn drive(&mut self, case: &Case, watch: &mut impl Watch) -> Result<(), Finding> {
        let operations = &case.operations[..];
        watch.started(&mut self.driver, &self.judge);
        let mut index = 0;
        while let Some(operation) = operations.get(index) {
            if let Some(race) = self.judge.plan_race(&operations[index..]) {
                self.race(&operations[index + 1..], index + 1, &race, watch)?;
                if self.is_at_the_stop() {
                    return Ok(());
                }
                if let Some(moment) = self.driver.power_cut(CutMoment::WithinRace) {
                    return self.boot_again(moment, watch);
                }
                index += 1 + race.steps.len();
                continue;
            }
            index += 1;
            let Some(step) = self.judge.plan(operation) else {
                watch.skipped(index - 1, operation);
                continue;
            };
            watch.before(index - 1..index, &mut self.driver);
            self.note_step(index - 1, &step);
            self.driver.perform(&step, &mut self.observation);
            self.note_late(Some(index - 1), self.observation.instructions);
            watch.after(index - 1..index, &mut self.driver);
            watch.step(index - 1, operation, &step, &self.judge, &self.observation);
            let Runner {
                driver,
                judge,
                observation,
                ..
            } = self;
            judge.observe(&step, observation).or_else(|finding| {
                let read = |process, address, bytes: &mut [u8]| {
                    driver.read_in_page(process, address, bytes)
                };
                judge.check_loaded(finding, observation, read)
            })?;
            self.trail.note_judged(index - 1, &self.judge);
            self.check_statuses();
            if self.is_at_the_stop() {
                return Ok(());
            }
            if let Some(mappings) = &self.observation.mappings {
                self.memory
                    .check_new(mappings, &self.driver, &mut self.judge)?;
            }
            self.check_held()?;
            if self.is_at_the_stop() {
                return Ok(());
            }
            watch.judged(index - 1..index, &mut self.driver, &self.judge);
            if let Some(moment) = self.driver.power_cut(CutMoment::Within) {
                return self.boot_again(moment, watch);
            }
        }
        self.memory.check_all(&mut self.driver, &mut self.judge)?;
        if self.judge.is_in_doubt() || self.is_at_the_stop() {
            return Ok(());
        }
        let standing = self.standing();
        let reaping = if self.judge.leaves_zombies() {
            Reaping::Meanwhile
        } else {
            Reaping::Afterwards
        };
        let before = self.driver.machine().retired();
        let mut end = self.driver.finish(&standing, reaping);
        self.note_late(None, self.driver.machine().retired() - before);
        if self.judge.files_changed() || self.driver.has_written_disk() {
            let mut disk = self.driver.disk_content();
            if self.judge.compares_names() {
                disk.wrong_name = self.driver.wrong_name();
            }
            end.disk = Some(disk);
        }
        self.judge.finish(&end)
    }

    /// Boots the kernel again after a power cut, with which the case ends.
    fn boot_again(&mut self, moment: CutMoment, watch: &mut impl Watch) -> Result<(), Finding> {
        if self.judge.is_in_doubt() {
            return Ok(());
        }
        let reboot = self.driver.boot_again(moment);
        watch.rebooted(&reboot, &self.driver);
        self.judge.finish(&End {
            reboot: Some(reboot),
            ..End::default()
        })
    }

    /// Performs a race. `operations` are those of the case from `index` on: the first of them race, one for
    /// each step of `race`.
    fn race(
        &mut self,
        operations: &[Operation],
        index: usize,
        race: &Race,
        watch: &mut impl Watch,
    ) -> Result<(), Finding> {
        let racing = &operations[..race.steps.len()];
        let all = index - 1..index + racing.len();
        watch.before(all.clone(), &mut self.driver);
        for (at, step) in race.steps.iter().enumerate() {
            self.note_step(index + at, step);
        }
        self.driver.perform_race(race, &mut self.observation);
        self.note_late(Some(index), self.observation.instructions);
        watch.after(all.clone(), &mut self.driver);
        watch.race(index, racing, race, &self.judge, &self.observation);
        self.judge.observe_race(race, &self.observation)?;
        self.check_statuses();
        if let Some(mappings) = &self.observation.mappings {
            self.memory
                .check_new(mappings, &self.driver, &mut self.judge)?;
        }
        self.check_held()?;
        if !self.is_at_the_stop() {
            watch.judged(all, &mut self.driver, &self.judge);
        }
        Ok(())
    }

    /// Notes the step of the operation numbered `index`, which comes next.
    fn note_step(&mut self, index: usize, step: &Step) {
        self.trail.note_step(index, step);
        if self.hasty && self.trail.has_moves() {
            self.driver.set_patience(Patience::Walk);
        }
    }

    /// Notes whether the operation numbered `index` was late, or the end of the case if that is `None`.
    fn note_late(&mut self, index: Option<usize>, instructions: u64) {
        if self.driver.take_late() {
            let gave_up = self.driver.take_given_up();
            self.trail
                .note_late(index, instructions, &self.judge, gave_up);
        }
    }

    /// Whether the case has shown the finding at which it has to end.
    fn is_at_the_stop(&self) -> bool {
        let mut noted = self.judge.noted().iter();
        match &self.stop_at {
            None => false,
            Some(StopAt::First) => noted.next().is_some(),
            Some(StopAt::Bucket(wanted)) => noted.any(|noted| bucket(noted) == *wanted),
        }
    }

    /// Compares what `wait` and `fstat` have just stored, if the operations called them: an exit status, and
    /// the bytes that `fstat` stores besides the fields of a file's status.
    fn check_statuses(&mut self) {
        let stored: Vec<(Process, u64)> = self.judge.statuses_written().collect();
        for (process, address) in stored {
            let mut status = [0; 4];
            let is_mapped = (address..).zip(&mut status).all(|(address, byte)| {
                let byte = std::slice::from_mut(byte);
                self.driver.read_in_page(process, address, byte)
            });
            if is_mapped {
                self.judge.compare_status(process, address, status);
            }
        }
        let written: Vec<(Process, Range<u64>)> = self.judge.paddings_written().collect();
        for (process, range) in written {
            let mut padding = Vec::new();
            for address in range.clone() {
                let mut byte = [0];
                if !self.driver.read_in_page(process, address, &mut byte) {
                    break;
                }
                padding.extend(byte);
            }
            self.judge.compare_padding(process, range.start, &padding);
        }
    }

    fn standing(&self) -> Vec<(Process, Standing)> {
        Process::all()
            .filter_map(|process| match self.judge.state_of(process) {
                ProcessState::Ready => Some((process, Standing::Ready)),
                ProcessState::Blocked => Some((process, Standing::Blocked)),
                _ => None,
            })
            .collect()
    }

    /// Whether the process that did not come back is dead. `finding` is about it, and the last case showed
    /// it. Afterwards the machine cannot be inspected any more.
    pub fn has_died(&mut self, finding: &Finding) -> bool {
        let mut processes = Process::all();
        let silent = processes.find(|process| Some(process.letter()) == finding.process);
        let mut others = self.standing();
        others.retain(|(process, _)| Some(*process) != silent);
        silent.is_some_and(|silent| self.driver.has_died(silent, &others))
    }

    /// Changes the kernel itself, for all later cases: `bytes` at physical `address`.
    pub fn patch_kernel(&mut self, address: u64, bytes: &[u8]) {
        self.driver.patch_kernel(address, bytes);
    }

    /// From now on leaves out operations that would lead to one of these situations.
    pub fn avoid(&mut self, situations: &[Situation]) {
        self.judge.avoid(situations);
    }

    /// Fails if the machine is broken, so that the outcome of the last case cannot be trusted. A broken
    /// machine stays broken, so it is enough to ask once after several cases.
    ///
    /// # Errors
    /// The machine has found a mistake of its own.
    pub fn check_machine(&self) -> Result<(), BrokenMachine> {
        match self.driver.defect() {
            Some(defect) => Err(defect.into()),
            None => Ok(()),
        }
    }

    /// The work done so far: guest instructions, including those spent on looking into a finding, and
    /// [`WORK_PER_RUN`] for each case. The same cases cost the same work on every host.
    pub fn work(&self) -> u64 {
        let retired = self.driver.retired();
        self.work_before + retired.saturating_sub(self.retired_before)
    }

    /// State features of the last case: numbers below 8192.
    pub fn features(&self) -> &[u16] {
        self.judge.features()
    }

    /// The judge of the last case.
    pub fn judge(&self) -> &Judge {
        &self.judge
    }

    /// The driver, for coverage and for looking into the machine.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// The driver and the judge as the last case left them.
    pub(crate) fn look(&mut self) -> (&mut Driver, &Judge) {
        (&mut self.driver, &self.judge)
    }

    /// The driver, to change it or its machine.
    pub fn driver_mut(&mut self) -> &mut Driver {
        &mut self.driver
    }
}
