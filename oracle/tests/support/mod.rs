//! A perfect driver: it makes observations of what the model itself predicts, so that a judge has
//! nothing to find unless a test tampers with them.

use oracle::case::Family;
use oracle::model::{Answer, Death, FAILED, Model, Outcome, Witness};
use oracle::{
    BiteMeter, Call, Case, Dialect, DiskContent, End, Event, Finding, Judge, Observation,
    Operation, Process, ProcessState, Race, Setting, Step,
};

/// The identifier of process `a`.
pub(crate) const FIRST_PID: u64 = 3;

/// Legal liberties that a driver takes, by seed; 0: none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Liberties(pub(crate) u64);

impl Liberties {
    /// A number below `count`.
    pub(crate) fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (self.0 >> 33) % count
    }
}

/// What to change in observations before the judge sees them.
pub(crate) trait Tamper {
    /// In that of the operation numbered `index`.
    fn step(&mut self, _index: usize, _judge: &Judge, _observation: &mut Observation) {}
    /// Told that so many operations race after the operation numbered `index`, whose observation
    /// is that of the race.
    fn race(&mut self, _index: usize, _racers: usize) {}
    /// In that of the end.
    fn end(&mut self, _end: &mut End) {}
}

/// Changes nothing.
pub(crate) struct Honest;

impl Tamper for Honest {}

/// A kernel without machine code: what it says of itself is what the judge sees.
pub(crate) trait Kernel {
    /// What has become of the processes so far.
    fn model(&self) -> &Model;
    /// Performs the operation numbered `index`.
    fn perform(
        &mut self,
        index: usize,
        operation: &Operation,
        step: &Step,
        judge: &Judge,
    ) -> Observation;
    /// Performs as many of `operations`, from the one numbered `first` on, as `race` has steps.
    fn race(
        &mut self,
        first: usize,
        operations: &[Operation],
        race: &Race,
        judge: &Judge,
    ) -> Observation;
}

/// Runs `case` on the perfect driver and judges it.
pub(crate) fn run(
    dialect: &Dialect,
    case: &Case,
    liberties: Liberties,
    tamper: &mut impl Tamper,
) -> (Result<(), Finding>, BiteMeter) {
    run_as(dialect, dialect, case, liberties, tamper)
}

/// Runs `case` on the perfect driver of a kernel of one dialect, and judges it by another one.
pub(crate) fn run_as(
    kernel: &Dialect,
    judged_by: &Dialect,
    case: &Case,
    liberties: Liberties,
    tamper: &mut impl Tamper,
) -> (Result<(), Finding>, BiteMeter) {
    let mut judge = Judge::new(judged_by, &Setting::nominal(judged_by, FIRST_PID));
    let mut kernel = Perfect {
        model: Model::new(kernel, &Setting::nominal(kernel, FIRST_PID)),
        liberties,
    };
    let result = drive(&mut judge, &mut kernel, case, tamper);
    (first(&judge, result), judge.meter())
}

/// The first thing that was wrong with a case that ended so.
pub(crate) fn first(judge: &Judge, ended: Result<(), Finding>) -> Result<(), Finding> {
    match judge.noted().first() {
        Some(finding) => Err(finding.clone()),
        None => ended,
    }
}

/// Runs `case` on `kernel` and judges it. `Err` is what ends the case.
pub(crate) fn drive(
    judge: &mut Judge,
    kernel: &mut impl Kernel,
    case: &Case,
    tamper: &mut impl Tamper,
) -> Result<(), Finding> {
    let operations = &case.operations[..];
    let mut next = 0;
    while let Some(operation) = operations.get(next) {
        let index = next;
        if let Some(race) = judge.plan_race(&operations[index..]) {
            next += 1 + race.steps.len();
            let mut observation = kernel.race(index + 1, operations, &race, judge);
            assert_eq!(judge.race_expectations(&race).len(), race.steps.len());
            tamper.race(index, race.steps.len());
            tamper.step(index, judge, &mut observation);
            judge.observe_race(&race, &observation)?;
            continue;
        }
        next += 1;
        let Some(step) = judge.plan(operation) else {
            continue;
        };
        assert!(!judge.expectation().is_empty());
        let mut observation = kernel.perform(index, operation, &step, judge);
        assert!(!oracle::describe(&step, &observation).is_empty() || is_quiet(&operation.call));
        tamper.step(index, judge, &mut observation);
        judge.observe(&step, &observation)?;
        assert!(
            judge
                .features()
                .last()
                .is_some_and(|feature| *feature < 8192)
        );
    }
    if judge.is_in_doubt() {
        return Ok(());
    }
    let model = kernel.model();
    let mut end = End {
        all_reaped: true,
        frames: Some((1000, 1000)),
        promised: Some((5, 5)),
        forks: Some((60, 60)),
        ..End::default()
    };
    for process in Process::all() {
        let status = match model.state_of(process) {
            ProcessState::Ready => 0,
            ProcessState::Blocked => -1,
            ProcessState::Zombie => model.status_of(process),
            ProcessState::Gone => continue,
        };
        let pid = model.pid_of(process).expect("it was born");
        end.reaped.push((pid, status));
    }
    end.reaped
        .extend(model.members_of_crowd().map(|pid| (pid, 0)));
    tamper.end(&mut end);
    judge.finish(&end)
}

fn is_quiet(call: &Call) -> bool {
    let sets_habit = call.kind().family() == Family::Habit;
    matches!(call, Call::Yield { .. }) || sets_habit || call.is_done_to_all()
}

/// A witness that makes the model take a liberty, if it is one that the model grants.
fn liberty(
    model: &Model,
    index: usize,
    operation: &Operation,
    liberties: &mut Liberties,
) -> Option<Witness> {
    if liberties.0 == 0 || liberties.below(4) != 0 {
        return None;
    }
    let process = operation.process;
    let others: Vec<u64> = Process::all()
        .filter_map(|other| model.pid_of(other))
        .collect();
    let mut witness = Witness::observed(liberties.below(2) == 0);
    match liberties.below(4) {
        0 => witness.saw_silence(process, true),
        1 => witness.saw_return(process, FAILED),
        2 => witness.saw_return(
            process,
            others[liberties.below(others.len() as u64) as usize],
        ),
        _ => witness.saw_return(process, others.iter().max()? + 1 + liberties.below(3)),
    }
    let mut trial = model.clone();
    let granted = trial
        .perform(index, operation, &witness)
        .iter()
        .filter(|reply| reply.process == process)
        .all(|reply| match (reply.outcome, witness.returned(process)) {
            (Outcome::Returns(answer), Some(value)) => answer.admits(value),
            (Outcome::Dies(_), None) => true,
            _ => false,
        });
    granted.then_some(witness)
}

/// The perfect driver: whatever the model predicts happens, with legal liberties.
struct Perfect {
    model: Model,
    liberties: Liberties,
}

impl Kernel for Perfect {
    fn model(&self) -> &Model {
        &self.model
    }

    fn perform(
        &mut self,
        index: usize,
        operation: &Operation,
        step: &Step,
        _: &Judge,
    ) -> Observation {
        let witness = liberty(&self.model, index, operation, &mut self.liberties);
        let witness = witness.unwrap_or_else(Witness::ideal);
        observe(&mut self.model, index, operation, step, &witness)
    }

    /// One after another: in the order of the case, or in any other.
    fn race(
        &mut self,
        first: usize,
        operations: &[Operation],
        race: &Race,
        _: &Judge,
    ) -> Observation {
        let Perfect { model, liberties } = self;
        let mut order: Vec<usize> = (0..race.steps.len()).collect();
        if liberties.0 != 0 {
            order.rotate_left(liberties.below(3) as usize % race.steps.len());
            let last = order.len() - 1;
            order.swap(last, liberties.below(race.steps.len() as u64) as usize);
        }
        let mut seen = Observation::default();
        for at in order {
            let (index, operation) = (first + at, &operations[first + at]);
            if model.applies(operation) {
                let step = &race.steps[at];
                let alone = observe(model, index, operation, step, &Witness::ideal());
                seen.events.extend(alone.events);
            }
        }
        seen.events
            .retain(|event| !matches!(event, Event::Appeared { .. }));
        seen.events.extend(appeared(model));
        seen.disk = race.looks_at_disk.then(|| disk_of(model));
        seen
    }
}

/// A disk that holds what it must hold.
pub(crate) fn disk_of(model: &Model) -> DiskContent {
    DiskContent {
        nodes: model.files_on_disk(),
        ..DiskContent::default()
    }
}

/// Every process that is ready answers a roll call.
pub(crate) fn appeared(model: &Model) -> impl Iterator<Item = Event> + '_ {
    let ready = Process::all().filter(|process| model.state_of(*process) == ProcessState::Ready);
    ready.map(|process| Event::Appeared { process })
}

/// What is seen of the crowd that `model` has made or dispersed in an operation.
pub(crate) fn see_crowd(model: &Model, operation: &Operation, seen: &mut Observation) {
    match operation.call {
        Call::Crowd { .. } => seen.crowd = model.members_of_crowd().collect(),
        Call::Disperse { .. } => seen.loaded_by_crowd = model.loaded_by_crowd(),
        _ => {}
    }
}

/// What is seen of an operation that `model` performs, with the liberties that `witness` tells of.
pub(crate) fn observe(
    model: &mut Model,
    index: usize,
    operation: &Operation,
    step: &Step,
    witness: &Witness,
) -> Observation {
    model.perform(index, operation, witness);
    let mut observation = Observation {
        out_of_frames: witness.out_of_frames,
        ..Observation::default()
    };
    see_crowd(model, operation, &mut observation);
    let mut silent = false;
    for reply in model.replies() {
        let process = reply.process;
        let own = process == operation.process;
        match reply.outcome {
            Outcome::Returns(answer) => {
                let value = witness.returned(process).unwrap_or(match answer {
                    Answer::Exactly(value) => value,
                    Answer::Anything => 0,
                    Answer::NewPid { above } => above + 1,
                    Answer::AtLeast(least) => least,
                });
                observation.events.push(Event::Returned { process, value });
            }
            Outcome::Starts {
                arguments,
                stack,
                entry,
            } => observation.events.push(Event::Started {
                process,
                arguments,
                array: stack,
                stack,
                entry,
            }),
            Outcome::Born => observation.events.push(Event::Born { child: process }),
            Outcome::Blocks | Outcome::Dies(_) if own => {
                silent = true;
                let killed_message = matches!(
                    reply.outcome,
                    Outcome::Dies(Death::ForbiddenAccess | Death::OutOfFrames)
                );
                observation.events.push(Event::Silent {
                    process,
                    trap: None,
                    killed_message,
                });
            }
            Outcome::Blocks | Outcome::Dies(_) | Outcome::PerhapsReturns(_) | Outcome::Stays => {}
        }
    }
    if silent || step.rounds > 0 {
        observation.events.extend(appeared(model));
    }
    observation
}
