//! Runs a case and records what a program has to do and what must happen.

mod show;

use super::Refusal;
use super::script::{Act, Check, Conduct, Line, Row, Script};
use super::value::{self, Value};
use crate::runner::{Runner, Watch};
use abi::SystemCall;
use abi::file_system::Kind;
use abi::limits::OPEN_FILES_PER_PROCESS;
use oracle::model::{Answer, Death, FAILED, Outcome, Reply};
use oracle::{
    Action, Case, Event, Files, Finding, Judge, Layout, Observation, Operation, Process,
    ProcessState, Race, Step,
};

/// Descriptors that a program keeps for itself: for its output, for the reports of its processes, and
/// for a pipe to each.
pub(super) fn own_descriptors(processes: usize) -> usize {
    3 + 2 * processes
}

/// The most processes for which there are enough pipes.
const MOST_PROCESSES: usize = 5;

/// Runs `case` with two oracles: what a program has to do, and what was found.
pub(super) fn record(
    runner: &mut Runner,
    case: &Case,
) -> Result<(Script, Option<Finding>), Refusal> {
    let guest = runner.driver().guest().clone();
    let mut recorder = Recorder {
        moved: Judge::new(&guest.dialect, &value::moved(&guest.setting)),
        layout: guest.setting.booted.layout.clone(),
        script: Script::default(),
        sleeping: [None; Process::COUNT],
        parents: [None; Process::COUNT],
        born: vec![Process::FIRST],
        descriptors: 0,
        works_on_files: false,
        planted: guest.setting.files.clone(),
        refusal: None,
    };
    let finding = runner.run_up_to_the_first(case, &mut recorder);
    match recorder.refusal.take() {
        Some(refusal) => Err(refusal),
        None => Ok((recorder.finish(runner.judge(), finding.as_ref())?, finding)),
    }
}

struct Recorder {
    /// The second oracle.
    moved: Judge,
    layout: Layout,
    script: Script,
    /// For each process that sleeps, the row of the operation that it sleeps in.
    sleeping: [Option<usize>; Process::COUNT],
    parents: [Option<Process>; Process::COUNT],
    born: Vec<Process>,
    /// A process has at most so many descriptors.
    descriptors: usize,
    works_on_files: bool,
    /// What the harness has planted on the disk.
    planted: Files,
    refusal: Option<Refusal>,
}

impl Watch for Recorder {
    fn step(
        &mut self,
        index: usize,
        operation: &Operation,
        step: &Step,
        judge: &Judge,
        observation: &Observation,
    ) {
        if self.refusal.is_some() {
            return;
        }
        if let Err(reason) = self.note(index, operation, step, judge, observation) {
            self.refusal = Some(Refusal::Operation {
                index,
                operation: operation.to_string(),
                reason,
            });
        }
    }

    fn race(&mut self, index: usize, _: &[Operation], race: &Race, _: &Judge, _: &Observation) {
        self.refusal.get_or_insert(Refusal::Operation {
            index: index.saturating_sub(1),
            operation: format!("together {}", race.schedule),
            reason: "a program cannot choose when harts give way",
        });
    }

    fn skipped(&mut self, _: usize, operation: &Operation) {
        self.moved.plan(operation);
        let words = format!("{operation}: its process cannot act now");
        self.script.rows.push(Row::Comment(words));
    }
}

impl Recorder {
    fn note(
        &mut self,
        index: usize,
        operation: &Operation,
        step: &Step,
        judge: &Judge,
        observation: &Observation,
    ) -> Result<(), &'static str> {
        let there = self
            .moved
            .plan(operation)
            .ok_or("what it does depends on where the program lies in memory")?;
        let elsewhere = self.elsewhere(step, judge, observation);
        let replies = judge.replies(observation);
        let moved_replies = self.moved.replies(&elsewhere);

        let words = operation.to_string();
        match self.act(step, &there, judge)? {
            Deed::Environment(conduct) => {
                self.script.rows.push(Row::Comment(words));
                self.script.rows.push(Row::Conduct(conduct));
                self.script.several = true;
            }
            Deed::Process(act) => {
                let row = self.script.rows.len();
                self.count_descriptors(&act);
                let check = self.check(&replies, &moved_replies, step.process, judge)?;
                let line = Line {
                    number: index,
                    words,
                    process: step.process,
                    act,
                    check,
                    announced: false,
                    going_on: going_on(&replies),
                    dead: dead(&replies),
                };
                self.script.rows.push(Row::Line(line));
                self.wake(&replies, &moved_replies, step.process, judge)?;
                if check == Check::Sleeps {
                    self.sleeping[step.process.index()] = Some(row);
                    self.script.several = true;
                }
            }
        }
        // A mistake that the first oracle sees is here too: the first one reports it.
        let _ = self.moved.observe(&there, &elsewhere);
        Ok(())
    }

    /// What the second oracle has to see.
    fn elsewhere(&self, step: &Step, judge: &Judge, observation: &Observation) -> Observation {
        let gives_pid = |process: Process| {
            let number = |row: &Row| match row {
                Row::Line(line) => matches!(line.act, Act::SystemCall(SystemCall::Wait, _)),
                _ => false,
            };
            match step.action {
                Action::SystemCall { number, .. } if process == step.process => {
                    [SystemCall::Fork, SystemCall::Wait, SystemCall::Getpid]
                        .iter()
                        .any(|call| call.number() == number)
                }
                _ => {
                    let row = self.sleeping[process.index()];
                    row.is_some_and(|row| number(&self.script.rows[row]))
                }
            }
        };
        let known = |pid: u64| Process::all().any(|process| judge.pid_of(process) == Some(pid));
        let event = |event: &Event| match *event {
            Event::Returned { process, value }
                if gives_pid(process) && value != FAILED && value != 0 =>
            {
                let value = value::moved_pid(value);
                Event::Returned { process, value }
            }
            Event::Reaped { pid, status } if known(pid) => {
                let pid = value::moved_pid(pid);
                Event::Reaped { pid, status }
            }
            other => other,
        };
        Observation {
            events: observation.events.iter().map(event).collect(),
            frames: None,
            mappings: None,
            ..observation.clone()
        }
    }

    fn value(&self, here: u64, there: u64, judge: &Judge) -> Option<Value> {
        let pid = |pid| Process::all().find(|process| judge.pid_of(*process) == Some(pid));
        value::value(here, there, &self.layout, pid)
    }

    fn act(&self, step: &Step, there: &Step, judge: &Judge) -> Result<Deed, &'static str> {
        let value = |here: u64, there: u64| {
            let value = self.value(here, there, judge);
            value.ok_or("a number in it depends on where the program lies in memory")
        };
        let act = match (step.action, there.action) {
            (
                Action::SystemCall {
                    child: Some(child), ..
                },
                _,
            ) => Act::Fork(child),
            (
                Action::SystemCall {
                    number, arguments, ..
                },
                Action::SystemCall {
                    arguments: moved, ..
                },
            ) => {
                let call =
                    SystemCall::from_number(number).ok_or("it is not a system call of xv6")?;
                let mut values = [Value::Number(0); 3];
                for (at, (here, there)) in arguments.into_iter().zip(moved).enumerate() {
                    values[at] = value(here, there)?;
                }
                Act::SystemCall(call, values)
            }
            (Action::Load { address, width }, Action::Load { address: moved, .. }) => {
                Act::Load(width, value(address, moved)?)
            }
            (
                Action::Store {
                    address,
                    width,
                    value: stored,
                },
                Action::Store {
                    address: moved,
                    value: moved_value,
                    ..
                },
            ) => Act::Store(width, value(address, moved)?, value(stored, moved_value)?),
            (
                Action::StoreString {
                    address,
                    text,
                    terminated,
                },
                Action::StoreString { address: moved, .. },
            ) => Act::StoreString(value(address, moved)?, text.bytes(), terminated),
            (Action::Fetch { address }, Action::Fetch { address: moved }) => {
                Act::Fetch(value(address, moved)?)
            }
            (
                Action::Touch {
                    address,
                    stride,
                    count,
                    write,
                },
                Action::Touch { address: moved, .. },
            ) => Act::Touch {
                address: value(address, moved)?,
                count,
                stride,
                write,
            },
            (Action::Nothing, _) => Act::Nothing,
            (Action::MoveStack(_), _) => {
                return Err("a program needs its stack where it is");
            }
            (Action::Gather { .. } | Action::Disperse { .. }, _) => {
                return Err("a program has as many processes as its script has names");
            }
            (Action::Type(_), _) => return Err("a program cannot type"),
            (Action::Vary(_), _) => return Err("a program cannot choose the machine"),
            (Action::Yield, _) => Act::Rest(step.rounds.max(1)),
            (Action::LeaveFrames(u64::MAX), _) => {
                return Ok(Deed::Environment(Conduct::GiveFramesBack));
            }
            (Action::FailFrame(_), _) => {
                return Err("a program cannot choose which allocation of a frame fails");
            }
            (Action::LeaveBlocks(_), _) => {
                return Err("a program cannot make the disk fuller than it is");
            }
            (Action::CutPower(_), _) => return Err("a program cannot cut the power"),
            (Action::LeaveFrames(left), _) => {
                return Ok(Deed::Environment(Conduct::Frames(left)));
            }
            _ => return Err("what it does depends on where the program lies in memory"),
        };
        Ok(Deed::Process(act))
    }

    /// What must happen to the acting process.
    fn check(
        &mut self,
        replies: &[Reply],
        moved: &[Reply],
        process: Process,
        judge: &Judge,
    ) -> Result<Check, &'static str> {
        let own = |replies: &[Reply]| {
            let mut replies = replies.iter();
            let own = replies.find(|reply| reply.process == process);
            own.map(|reply| reply.outcome)
        };
        Ok(match (own(replies), own(moved)) {
            (Some(Outcome::Starts { .. }), _) => {
                return Err("it starts another program, which ends this one");
            }
            (Some(Outcome::Returns(answer)), Some(Outcome::Returns(there))) => {
                self.answer(answer, there, judge)
            }
            (Some(Outcome::Dies(Death::OutOfFrames)), _) => {
                return Err(
                    "it is killed because no frame is free, and a program cannot arrange that",
                );
            }
            (Some(Outcome::Dies(_)), Some(Outcome::Dies(_))) => Check::Dies,
            (Some(Outcome::Blocks), Some(Outcome::Blocks)) => Check::Sleeps,
            (Some(Outcome::Stays) | None, _) => Check::Done,
            _ => return Err("its result depends on where the program lies in memory"),
        })
    }

    fn answer(&mut self, here: Answer, there: Answer, judge: &Judge) -> Check {
        match (here, there) {
            (Answer::Exactly(here), Answer::Exactly(there)) => {
                self.value(here, there, judge).map_or_else(
                    || {
                        let rows = self.script.rows.len();
                        self.script.notes.push(format!(
                            "the result of row {rows} depends on where the program lies in memory, so it is not compared"
                        ));
                        Check::Done
                    },
                    Check::Returns,
                )
            }
            // A program runs at another time than the case.
            (Answer::AtLeast(_), _) => Check::AtLeast(0),
            _ => Check::Done,
        }
    }

    /// Other processes that the step wakes: the calls that they sleep in now return.
    fn wake(
        &mut self,
        replies: &[Reply],
        moved: &[Reply],
        actor: Process,
        judge: &Judge,
    ) -> Result<(), &'static str> {
        for process in Process::all().filter(|process| *process != actor) {
            let Some(row) = self.sleeping[process.index()] else {
                continue;
            };
            let mut others = replies.iter().filter(|reply| reply.process == process);
            if others.next().is_none() {
                continue;
            }
            self.sleeping[process.index()] = None;
            let woken = self.check(replies, moved, process, judge)?;
            if let Row::Line(line) = &mut self.script.rows[row] {
                line.check = woken;
            }
        }
        Ok(())
    }

    fn count_descriptors(&mut self, act: &Act) {
        self.descriptors += match act {
            Act::SystemCall(SystemCall::Pipe, _) => 2,
            Act::SystemCall(SystemCall::Open | SystemCall::Dup, _) => 1,
            _ => 0,
        };
        if let Act::SystemCall(SystemCall::Open | SystemCall::Mkdir | SystemCall::Link, _) = act {
            self.works_on_files = true;
        }
        if let Act::StoreString(_, bytes, _) = act {
            self.needs_file(bytes);
        }
        if let Act::Fork(child) = act {
            self.born.push(*child);
            self.script.several = true;
        }
    }

    /// A file that the harness has planted has to be made, unless every xv6 has it.
    fn needs_file(&mut self, path: &'static [u8]) {
        let Ok(name) = std::str::from_utf8(path) else {
            return;
        };
        let own = !name.contains('/') && name != "init";
        let found = self.planted.find(path).map(|node| node.kind);
        if own && found == Some(Kind::File) && !self.script.files.contains(&name) {
            self.script.files.push(name);
        }
    }

    /// What has to be shown beyond the operations, and at the end.
    fn finish(mut self, judge: &Judge, finding: Option<&Finding>) -> Result<Script, Refusal> {
        self.note_parents();
        if let Some(finding) = finding {
            self.announce(finding);
            self.show(finding, judge);
        }
        self.reap(judge);
        if self.works_on_files {
            let words =
                "run it on a fresh image, because the case uses files and may make new ones";
            self.script.notes.push(words.to_owned());
        }
        let state = |process: &Process| judge.state_of(*process);
        let script = &mut self.script;
        script.processes = self
            .born
            .iter()
            .map(|born| born.index() + 1)
            .max()
            .unwrap_or(1);
        script.living = Process::all()
            .filter(|process| state(process) == ProcessState::Ready)
            .collect();
        script.status = match state(&Process::FIRST) {
            ProcessState::Ready => 0,
            ProcessState::Blocked => -1,
            ProcessState::Zombie | ProcessState::Gone => judge.status_of(Process::FIRST),
        };
        if script.several && script.processes > MOST_PROCESSES {
            return Err(Refusal::Processes(script.processes));
        }
        let own = if script.several {
            own_descriptors(script.processes)
        } else {
            1
        };
        let left = OPEN_FILES_PER_PROCESS - own;
        if self.descriptors > left {
            return Err(Refusal::Descriptors(self.descriptors, left));
        }
        Ok(self.script)
    }

    fn note_parents(&mut self) {
        for row in &self.script.rows {
            if let Row::Line(line) = row
                && let Act::Fork(child) = line.act
            {
                self.parents[child.index()] = Some(line.process);
            }
        }
    }
}

/// What an operation is for a program.
enum Deed {
    Process(Act),
    Environment(Conduct),
}

fn going_on(replies: &[Reply]) -> Vec<Process> {
    let goes_on = |reply: &&Reply| {
        matches!(
            reply.outcome,
            Outcome::Returns(_) | Outcome::Born | Outcome::Stays
        )
    };
    replies
        .iter()
        .filter(goes_on)
        .map(|reply| reply.process)
        .collect()
}

fn dead(replies: &[Reply]) -> Vec<Process> {
    let dies = |reply: &&Reply| matches!(reply.outcome, Outcome::Dies(_));
    replies
        .iter()
        .filter(dies)
        .map(|reply| reply.process)
        .collect()
}
