//! Comparing one step: every reply of the model with the events, and every event with the replies.

use super::feature::feature;
use super::record::Performed;
use super::words;
use super::{
    Clause, Event, Failure, Finding, Judge, Mismatch, Observation, Planned, RefusedStore, Step,
};
use crate::case::{Call, Family, Kind, Process};
use crate::model::{Answer, Death, FAILED, Outcome, ProcessState, Reply, Witness};

impl Judge {
    /// Compares what was seen of the planned step with what the model expects. After a legal difference the
    /// model follows the kernel.
    ///
    /// # Errors
    /// The finding that ends the case. Findings that do not end it are in [`Judge::noted`].
    pub fn observe(&mut self, step: &Step, observation: &Observation) -> Result<(), Finding> {
        let Some(planned) = self.planned else {
            return Ok(());
        };
        self.race.clear();
        if let Some(failure) = &observation.failure {
            let mut finding = self.failed(&planned, step, failure);
            finding.signature.functions = observation.stopped_in.clone();
            return Err(finding);
        }
        let witness = self.witness(&planned, observation);
        if self.following.is_under_way() {
            return self.observe_further(&planned, &witness, observation);
        }
        self.record
            .push(Performed::alone(self.done.len() - 1, &witness));
        self.perform(&planned, &witness);
        match self.compare_step(&planned, &witness, observation, &[]) {
            Ok(()) => Ok(()),
            Err(finding) => self.begin_to_follow(finding, &witness, observation),
        }
    }

    /// Lets the model perform what was planned.
    pub(super) fn perform(&mut self, planned: &Planned, witness: &Witness) {
        let process = planned.operation.process;
        let break_before = self.model.program_break(process);
        self.model
            .perform(planned.index, &planned.operation, witness);
        let moved = self.model.program_break(process).wrapping_sub(break_before) as i64;
        self.features
            .push(feature(planned, self.model.replies(), moved));
        self.count();
    }

    /// Compares what was seen of a step with what the model expects. The model has performed the step. Clauses in
    /// `waived` may be broken.
    pub(super) fn compare_step(
        &mut self,
        planned: &Planned,
        witness: &Witness,
        observation: &Observation,
        waived: &[Clause],
    ) -> Result<(), Finding> {
        // A wrong answer to the operation itself comes first: it may be why others are not woken.
        let is_own = |reply: &&Reply| reply.process == planned.operation.process;
        let replies = || self.model.replies().iter();
        let others = replies().filter(|reply| !is_own(reply));
        for reply in replies().filter(is_own).chain(others) {
            let compared = self.compare_reply(planned, reply, witness, observation);
            unless_waived(compared, waived)?;
        }
        self.compare_crowd(planned, observation)?;
        self.compare_events(observation)?;
        unless_waived(self.compare_clock(observation), waived)?;
        unless_waived(self.compare_frames_taken(planned, observation), waived)?;
        unless_waived(self.compare_frames_given(planned, observation), waived)?;
        match &observation.mappings {
            Some(mappings) => self.compare_mappings(mappings),
            None => Ok(()),
        }
    }

    pub(super) fn failed(&self, planned: &Planned, step: &Step, failure: &Failure) -> Finding {
        let (clause, process) = match failure {
            Failure::Panic { .. } => (Clause::NoPanic, step.process),
            Failure::Hang => (Clause::EndsInTime, step.process),
            Failure::Stuck { .. } => (Clause::NotStuck, step.process),
            Failure::PoweredOff => (Clause::StaysOn, step.process),
            Failure::Registers { process, .. } => (Clause::RegistersSurvive, *process),
        };
        let mut finding = self.finding(
            clause,
            process,
            format!("{} {}", planned.operation.process, self.expectation()),
            words::failure_words(failure),
        );
        finding.signature.words = panic_words(failure);
        if let Some(situation) = &mut finding.signature.situation {
            situation.fate = self.ideal_fate(&planned.operation);
        }
        finding
    }

    pub(super) fn count(&mut self) {
        let meter = &mut self.meter;
        for reply in self.model.replies() {
            meter.excused += u64::from(reply.excused);
            match reply.outcome {
                Outcome::Returns(Answer::Anything) | Outcome::Stays => {}
                Outcome::Returns(answer) => {
                    meter.compared += 1;
                    meter.expected_faults += u64::from(answer == Answer::Exactly(FAILED));
                }
                Outcome::PerhapsReturns(_) => {
                    meter.compared += 1;
                    meter.expected_kills += 1;
                }
                Outcome::Dies(death) => {
                    meter.compared += 1;
                    meter.expected_kills += 1;
                    meter.expected_faults += u64::from(death == Death::ForbiddenAccess);
                }
                Outcome::Starts { .. } | Outcome::Blocks | Outcome::Born => meter.compared += 1,
            }
        }
        meter.stopped += u64::from(self.model.is_unknown());
    }

    pub(super) fn compare_reply(
        &self,
        planned: &Planned,
        reply: &Reply,
        witness: &Witness,
        observation: &Observation,
    ) -> Result<(), Finding> {
        match reply.outcome {
            Outcome::Returns(answer) => self.compare_answer(planned, reply, answer, witness)?,
            Outcome::Starts {
                arguments,
                stack,
                entry,
            } => {
                let event = Event::Started {
                    process: reply.process,
                    arguments,
                    array: stack,
                    stack,
                    entry,
                };
                self.compare_start(planned, reply, event, witness, observation)?;
            }
            Outcome::Blocks => self.compare_block(planned, reply, witness, observation)?,
            Outcome::Dies(death) => {
                self.compare_death(planned, reply, death, witness, observation)?;
            }
            Outcome::Born => {
                let child = reply.process;
                if !observation.events.contains(&Event::Born { child }) {
                    return Err(self.finding(
                        Clause::ChildRuns,
                        child,
                        format!("{child} starts to run, and fork returns 0"),
                        format!("{child} was never seen"),
                    ));
                }
            }
            Outcome::PerhapsReturns(answer) => {
                if witness.returned(reply.process).is_some() {
                    self.compare_answer(planned, reply, answer, witness)?;
                }
                self.compare_absence(planned, reply, Death::Killed, observation)?;
            }
            Outcome::Stays => {}
        }
        Ok(())
    }

    fn compare_answer(
        &self,
        planned: &Planned,
        reply: &Reply,
        answer: Answer,
        witness: &Witness,
    ) -> Result<(), Finding> {
        let process = reply.process;
        let own = process == planned.operation.process;
        let expected = || {
            if own {
                self.in_words(planned, reply)
            } else {
                format!("{process} wakes and returns {}", words::answer(answer))
            }
        };
        let Some(seen) = witness.returned(process) else {
            return Err(self.vanished(process, expected(), witness));
        };
        if answer.admits(seen) {
            return Ok(());
        }
        let kind = planned.operation.call.kind();
        let loads = own && kind.family() == Family::Access;
        let (clause, verb) = if loads {
            (Clause::LoadedValue, "loads")
        } else {
            (Clause::ReturnedValue, "returns")
        };
        let mut words = format!("{process} {verb} {}", words::value(seen));
        if let Some(free) = witness.refused_with.filter(|_| own && seen == FAILED) {
            words += &format!(
                ": a frame was refused, although {free} frames were free, which are enough"
            );
        }
        let mut finding = self.finding(clause, process, expected(), words);
        finding.signature.mismatch = Some(Mismatch::of(answer, seen));
        Err(finding)
    }

    fn compare_start(
        &self,
        planned: &Planned,
        reply: &Reply,
        wanted: Event,
        witness: &Witness,
        observation: &Observation,
    ) -> Result<(), Finding> {
        let process = reply.process;
        let expected = || self.in_words(planned, reply);
        let mut events = observation.events.iter();
        let seen = match events.find(|event| is_start(event, process)) {
            Some(event) if *event == wanted => return Ok(()),
            Some(Event::Started {
                arguments,
                array,
                stack,
                entry,
                ..
            }) => words::start(*arguments, *array, *stack, *entry),
            _ => match witness.returned(process) {
                None => return Err(self.vanished(process, expected(), witness)),
                Some(value) => format!("returns {}", words::value(value)),
            },
        };
        let seen = format!("{process} {seen}");
        Err(self.finding(Clause::ProgramStarts, process, expected(), seen))
    }

    /// The finding that a process did not come back although it had to.
    fn vanished(&self, process: Process, expected: String, witness: &Witness) -> Finding {
        if witness.killed(process) {
            let why = if witness.refused_needlessly == Some(process) {
                "because no frame was free, although no other process holds the page's frame: no copy is needed"
                    .to_owned()
            } else if witness.out_of_frames {
                "although the frame was refused to another process".to_owned()
            } else if let Some(free) = witness.refused_with {
                format!(
                    "because a frame was refused, although {free} frames were free, which are enough"
                )
            } else {
                "although frames were left".to_owned()
            };
            let seen = format!("{process} was killed, {why}");
            return self.finding(Clause::InnocentLive, process, expected, seen);
        }
        let seen = format!("{process} does not come back");
        self.finding(Clause::ComesBack, process, expected, seen)
    }

    fn compare_block(
        &self,
        planned: &Planned,
        reply: &Reply,
        witness: &Witness,
        observation: &Observation,
    ) -> Result<(), Finding> {
        let process = reply.process;
        let expected = || self.in_words(planned, reply);
        if let Some(value) = witness.returned(process) {
            let seen = format!("{process} returns {}", words::value(value));
            return Err(self.finding(Clause::Blocks, process, expected(), seen));
        }
        if witness.killed(process) {
            let seen = format!("{process} was killed");
            return Err(self.finding(Clause::InnocentLive, process, expected(), seen));
        }
        if observation.events.contains(&Event::Appeared { process }) {
            let seen = format!("{process} asks for its next operation");
            return Err(self.finding(Clause::Blocks, process, expected(), seen));
        }
        Ok(())
    }

    fn compare_death(
        &self,
        planned: &Planned,
        reply: &Reply,
        death: Death,
        witness: &Witness,
        observation: &Observation,
    ) -> Result<(), Finding> {
        let process = reply.process;
        if let Some(value) = witness.returned(process) {
            let clause = broken_by(death, planned.operation.call.kind());
            let kind = planned.operation.call.kind();
            let seen = if kind == Kind::Load {
                format!("{process} loads {}", words::value(value))
            } else if kind.family() == Family::Access {
                format!("{process} continues")
            } else {
                format!("{process} returns {}", words::value(value))
            };
            return Err(self.finding(clause, process, self.in_words(planned, reply), seen));
        }
        self.compare_absence(planned, reply, death, observation)?;
        // If no frame is free, a kernel may kill before it reaches the forbidden access, without a message.
        let announced = self.model.world.dialect.faults.announced && !witness.out_of_frames;
        if announced && death == Death::ForbiddenAccess && !witness.killed(process) {
            return Err(self.finding(
                Clause::KillAnnounced,
                process,
                format!(
                    "{}, and the kernel prints this",
                    self.in_words(planned, reply)
                ),
                format!("{process} does not come back, and the kernel prints nothing"),
            ));
        }
        if death == Death::Exited && witness.killed(process) {
            let seen = format!("{process} was killed");
            return Err(self.finding(
                Clause::InnocentLive,
                process,
                self.in_words(planned, reply),
                seen,
            ));
        }
        Ok(())
    }

    /// A dead process asks for nothing.
    fn compare_absence(
        &self,
        planned: &Planned,
        reply: &Reply,
        death: Death,
        observation: &Observation,
    ) -> Result<(), Finding> {
        let process = reply.process;
        if !observation.events.contains(&Event::Appeared { process }) {
            return Ok(());
        }
        let seen = format!("{process} asks for its next operation");
        let expected = self.in_words(planned, reply);
        Err(self.finding(clause_of(death), process, expected, seen))
    }

    /// Checks that every pause that has ended was as long as it had to be, and that the kernel counts no more ticks than
    /// have passed.
    pub(super) fn compare_clock(&self, observation: &Observation) -> Result<(), Finding> {
        let mut events = observation.events.iter();
        events.try_for_each(|event| match *event {
            Event::Paused { process, ticks } => self.compare_pause(process, ticks),
            Event::Clocked {
                process,
                counted,
                passed,
            } if counted > passed => Err(self.finding(
                Clause::ClockKeepsTime,
                process,
                format!("at most {passed} ticks have passed since the first uptime"),
                format!("{process} counts {counted}"),
            )),
            _ => Ok(()),
        })
    }

    /// Checks a pause of `process` that has ended after `ticks` ticks.
    fn compare_pause(&self, process: Process, ticks: u64) -> Result<(), Finding> {
        let Some(planned) = self.last_of(process) else {
            return Ok(());
        };
        let Call::Pause { ticks: asked } = planned.operation.call else {
            return Ok(());
        };
        if u64::try_from(asked).is_ok_and(|asked| ticks < asked) {
            let at = Some(planned);
            let expected = format!("{process} sleeps until {asked} ticks have passed");
            let seen = format!("{process} returns after {ticks}");
            return Err(self.finding_at(at, Clause::PauseLasts, process, expected, seen));
        }
        Ok(())
    }

    /// Looks for events that no reply of the model explains.
    pub(super) fn compare_events(&self, observation: &Observation) -> Result<(), Finding> {
        let replied = |process| {
            let mut replies = self.model.replies().iter();
            replies.any(|reply| reply.process == process && reply.outcome != Outcome::Stays)
        };
        let starts = |process| {
            let mut replies = self.model.replies().iter();
            replies.any(|reply| {
                reply.process == process && matches!(reply.outcome, Outcome::Starts { .. })
            })
        };
        let mut roll_call = false;
        for event in &observation.events {
            match *event {
                Event::Returned { process, value } if !replied(process) => {
                    let seen = format!("{process} returns {}", words::value(value));
                    return Err(self.unexpected(process, seen));
                }
                Event::Started { process, .. } if !starts(process) => {
                    return Err(self.finding(
                        Clause::ProgramStarts,
                        process,
                        format!("{process} continues its program"),
                        format!("{process} starts another program"),
                    ));
                }
                Event::Appeared { process } => {
                    roll_call = true;
                    if self.model.state_of(process) != ProcessState::Ready {
                        let seen = format!("{process} asks for its next operation");
                        return Err(self.unexpected(process, seen));
                    }
                }
                Event::Born { child } if !replied(child) => {
                    let seen = format!("{child} starts to run");
                    return Err(self.unexpected(child, seen));
                }
                Event::Reaped { pid, .. } => {
                    let mut dead = Process::all()
                        .filter(|process| self.model.state_of(*process) == ProcessState::Zombie);
                    if !dead.any(|process| self.model.pid_of(process) == Some(pid)) {
                        return Err(self.finding(
                            Clause::InnocentLive,
                            Process::FIRST,
                            "only processes that have ended are reaped",
                            format!("the supervisor reaps {pid}"),
                        ));
                    }
                }
                _ => {}
            }
        }
        if roll_call {
            return self.call_the_roll(observation);
        }
        Ok(())
    }

    /// Checks that every ready process answers after all have had a turn.
    fn call_the_roll(&self, observation: &Observation) -> Result<(), Finding> {
        let missing = Process::all().find(|process| {
            let process = *process;
            self.model.state_of(process) == ProcessState::Ready
                && !observation.events.contains(&Event::Appeared { process })
        });
        match missing {
            None => Ok(()),
            Some(process) => Err(self.finding(
                Clause::InnocentLive,
                process,
                format!("{process} asks for its next operation when its turn comes"),
                format!("{process} has vanished"),
            )),
        }
    }

    /// The finding that a process did something that the model does not expect.
    fn unexpected(&self, process: Process, seen: String) -> Finding {
        if let Some(ended) = self.model.ended(process) {
            let clause = clause_of(ended.death);
            let expected = format!("{process} stays dead");
            let at = self.operation_at(ended.step);
            return self.finding_at(at, clause, process, expected, seen);
        }
        match self.model.state_of(process) {
            ProcessState::Blocked => {
                let expected =
                    format!("{process} stays asleep: what it waits for has not happened");
                self.finding(Clause::Blocks, process, expected, seen)
            }
            _ => {
                let expected = format!("nothing from {process}: it was given no operation");
                self.finding(Clause::ChildRuns, process, expected, seen)
            }
        }
    }

    fn in_words(&self, planned: &Planned, reply: &Reply) -> String {
        let words = words::outcome(&planned.operation, planned.page, reply.outcome);
        format!("{} {words}", reply.process)
    }
}

/// The result of a comparison, in which the clauses in `waived` may be broken.
fn unless_waived(compared: Result<(), Finding>, waived: &[Clause]) -> Result<(), Finding> {
    compared.or_else(|finding| {
        if waived.contains(&finding.clause) {
            Ok(())
        } else {
            Err(finding)
        }
    })
}

/// The rule that an operation breaks if it returns although its process had to die.
fn broken_by(death: Death, kind: Kind) -> Clause {
    // The program that had to be killed has not even started.
    if death == Death::ForbiddenAccess && kind == Kind::Exec {
        Clause::ProgramStarts
    } else {
        clause_of(death)
    }
}

/// The rule that a process breaks if it lives on although it had to die of `death`.
fn clause_of(death: Death) -> Clause {
    match death {
        Death::ForbiddenAccess | Death::OutOfFrames => Clause::ForbiddenAccessKills,
        Death::Killed | Death::Exited => Clause::DeadStayDead,
    }
}

fn is_start(event: &Event, whose: Process) -> bool {
    matches!(event, Event::Started { process, .. } if *process == whose)
}

/// What was seen of each process.
pub(super) fn witness(observation: &Observation) -> Witness {
    let mut witness = Witness::observed(observation.out_of_frames);
    let needless = observation.refused_store.filter(RefusedStore::needs_none);
    witness.refused_needlessly = needless.map(|store| store.process);
    let is_identifier = |pid: &u64| *pid <= i32::MAX as u64;
    let identifiers = observation.crowd.iter().copied().filter(is_identifier);
    witness.last_of_crowd = identifiers.max();
    for event in &observation.events {
        match *event {
            Event::Returned { process, value }
            | Event::Started {
                process,
                arguments: value,
                ..
            } => witness.saw_return(process, value),
            Event::Silent {
                process,
                killed_message,
                ..
            } => witness.saw_silence(process, killed_message),
            _ => {}
        }
    }
    note_absence(observation, &mut witness);
    witness
}

/// Notes the processes that did not answer a roll call: they are asleep or dead. A process that slept may have
/// been killed unseen, because it found no free frame when it woke.
fn note_absence(observation: &Observation, witness: &mut Witness) {
    let answers = |process| observation.events.contains(&Event::Appeared { process });
    // After silence there is a roll call too, which perhaps no process answers.
    let is_call = |event: &Event| matches!(event, Event::Appeared { .. } | Event::Silent { .. });
    if observation.events.iter().any(is_call) {
        for process in Process::all().filter(|process| !answers(*process)) {
            witness.saw_absence(process);
        }
    }
}

/// The part of a panic's text that distinguishes it from other panics.
pub(super) fn panic_words(failure: &Failure) -> Option<Box<str>> {
    match failure {
        Failure::Panic { text } => Some(without_numbers(text)),
        _ => None,
    }
}

/// The words of a panic, without numbers and addresses: they differ between panics of one cause, and so does what the
/// console shows before.
fn without_numbers(text: &str) -> Box<str> {
    let begins = text.find("panic").unwrap_or(0);
    let words = text[begins..]
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !word.contains(|c: char| c.is_ascii_digit()))
        .take(8);
    words.collect::<Vec<_>>().join("-").to_lowercase().into()
}

#[cfg(test)]
mod tests {
    use super::without_numbers;

    #[test]
    fn what_the_console_shows_before_a_panic_does_not_matter() {
        let alone = without_numbers("panic: no page");
        assert_eq!(without_numbers("abpanic: no page"), alone);
        assert_eq!(&*without_numbers("no page"), "no-page");
    }

    #[test]
    fn panics_at_different_addresses_have_the_same_words() {
        let one = without_numbers("panic: kernel/src/vm.rs:120:9: no page at 0x3fff");
        let other = without_numbers("panic: kernel/src/vm.rs:121:9: no page at 0x4000");
        assert_eq!(one, other);
        assert_eq!(&*one, "panic-kernel-src-vm-rs-no-page-at");
    }
}
