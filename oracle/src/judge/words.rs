//! Expectations and observations in words that a student understands.

use super::{Action, Event, Failure, Observation, Passage, Race, Reboot, Step, Turn, TurnEnd};
use crate::case::{Call, Cut, Family, Kind, Operation, Process, Remains};
use crate::model::{Answer, Death, FAILED, Model, Outcome, PageState, Reply};
use std::fmt::Write;

/// A value as a person reads it: -1, a small number, or hexadecimal.
pub(super) fn value(value: u64) -> String {
    match value {
        FAILED => "-1".to_owned(),
        0..=9999 => value.to_string(),
        _ => format!("{value:#x}"),
    }
}

pub(super) fn answer(answer: Answer) -> String {
    match answer {
        Answer::Exactly(wanted) => value(wanted),
        Answer::Anything => "something".to_owned(),
        Answer::NewPid { above } => format!("a new process identifier above {above}"),
        Answer::AtLeast(least) => format!("a number not below {least}"),
    }
}

/// How a program starts: its number of arguments, and where it starts.
pub(super) fn start(arguments: u64, array: u64, stack: u64, entry: u64) -> String {
    let mut words = format!("starts the program with {} arguments", value(arguments));
    if arguments == 1 {
        words.pop();
    }
    if entry != 0 {
        let _ = write!(words, ", at {entry:#x}");
    }
    let _ = write!(words, ", argv at {array:#x}");
    if array != stack {
        let _ = write!(words, ", with its stack at {stack:#x}");
    }
    words
}

/// What a process must do.
pub(super) fn outcome(operation: &Operation, page: Option<PageState>, outcome: Outcome) -> String {
    match outcome {
        Outcome::Returns(Answer::Anything) => "completes".to_owned(),
        Outcome::Returns(wanted) => {
            format!("{} {}", verb(&operation.call), answer(wanted))
        }
        Outcome::Starts {
            arguments,
            stack,
            entry,
        } => start(arguments, stack, stack, entry),
        Outcome::Blocks => "blocks: what it waits for has not happened".to_owned(),
        Outcome::Dies(Death::ForbiddenAccess) if is_program_start(operation) => {
            "starts a program that is killed: it has no first instruction".to_owned()
        }
        Outcome::Dies(Death::ForbiddenAccess) => {
            let place = page.map_or("here", place);
            format!("is killed for a forbidden access {place}")
        }
        Outcome::Dies(Death::OutOfFrames) => "is killed: no frame is left".to_owned(),
        Outcome::Dies(Death::Killed) => "dies: it was killed".to_owned(),
        Outcome::Dies(Death::Exited) => "is gone: it exited".to_owned(),
        Outcome::PerhapsReturns(wanted) => {
            format!(
                "dies: it was killed, perhaps after it returned {}",
                answer(wanted)
            )
        }
        Outcome::Born => "starts to run, and fork returns 0".to_owned(),
        Outcome::Stays => stay(&operation.call),
    }
}

/// The verb before a predicted answer. Of the accesses, only loads have one.
fn verb(call: &Call) -> &'static str {
    if call.kind() == Kind::Crowd {
        "makes children for its crowd:"
    } else if call.kind() == Kind::Disperse {
        "waits for the children of its crowd, as many as"
    } else if call.kind().family() != Family::Access {
        "returns"
    } else if call.kind() == Kind::Load {
        "loads"
    } else {
        "loads bytes whose sum is"
    }
}

fn is_program_start(operation: &Operation) -> bool {
    operation.call.kind() == Kind::Exec
}

/// What an operation does if its process stays where it is.
fn stay(call: &Call) -> String {
    if let Call::Frames { free } = *call {
        return match free {
            Call::ALL_FRAMES => "no frame is withheld".to_owned(),
            _ => format!("at most {free} frames are left free"),
        };
    }
    if let Call::FailFrame { nth } = call {
        return format!("request {nth} for a frame from now on fails");
    }
    if let Call::Blocks { free } = call {
        return format!("at most {free} blocks of the disk are left free");
    }
    if let Call::Type { .. } = call {
        return "the keys are typed".to_owned();
    }
    if let Call::Machine { variation } = call {
        return format!("the machine {}", variation.about());
    }
    if let Call::PowerCut { cut } = call {
        return power_cut(*cut);
    }
    if let Call::Together { .. } = call {
        return "the operations that follow do not race".to_owned();
    }
    if let Call::Stack { .. } = call {
        return "keeps its stack pointer there from now on".to_owned();
    }
    if let Call::HighHalf { word } = call {
        return format!(
            "passes each int with {word:#x} in the high half of its register from now on"
        );
    }
    "lets others run".to_owned()
}

fn power_cut(cut: Cut) -> String {
    let Cut { write, remains } = cut;
    match (write, remains) {
        (0, _) => "the power is cut".to_owned(),
        (_, Remains::Whole) => format!("the power is cut after write {write} to the disk"),
        (_, Remains::Half) => {
            format!("the power is cut when the first half of write {write} is on the disk")
        }
        (_, Remains::Alone) => format!(
            "the power is cut after write {write}, before writes that the kernel has not waited for"
        ),
    }
}

fn place(page: PageState) -> &'static str {
    match page {
        PageState::Text | PageState::TextUnloaded => "to code",
        PageState::Image | PageState::ImageShared | PageState::Unloaded => "to data",
        PageState::StackHole => "in the stack",
        PageState::Guard => "to the guard page",
        PageState::Lazy | PageState::Touched | PageState::Shared => "in the heap",
        PageState::Tail => "beyond the program break, in the page of the break",
        PageState::Gap => "between the program's segments",
        PageState::Beyond => "beyond the program break",
        PageState::Top => "to the trapframe or the trampoline",
        PageState::Outside => "beyond all virtual addresses",
    }
}

/// What each process that the operation affects must do, the acting one first.
pub(super) fn replies(model: &Model, operation: &Operation, page: Option<PageState>) -> String {
    let mut text = String::new();
    let mut ordered: Vec<&Reply> = model.replies().iter().collect();
    ordered.sort_by_key(|reply| reply.process != operation.process);
    for reply in ordered {
        if !text.is_empty() {
            text.push_str("; ");
        }
        if reply.process != operation.process {
            let _ = write!(text, "{} ", reply.process);
        }
        text.push_str(&self::outcome(operation, page, reply.outcome));
    }
    text
}

/// What was seen of a step, in the words of [`super::Judge::expectation`].
pub fn describe(step: &Step, observation: &Observation) -> String {
    let mut text = events(step, observation, |_| true);
    if let Some(failure) = &observation.failure {
        add(&mut text, &failure_words(failure));
    }
    if observation.out_of_frames {
        text.push_str(" (no frame was left)");
    }
    text
}

/// What was seen after a power cut.
pub fn describe_reboot(reboot: &Reboot) -> String {
    match &reboot.failure {
        None => "the kernel boots, and starts its first program".to_owned(),
        Some(failure) => failure_words(failure),
    }
}

/// What the processes that do not race did during a race.
pub fn describe_race(race: &Race, observation: &Observation) -> String {
    let races = |process| race.steps.iter().any(|step| step.process == process);
    let mut text = events(&race.steps[0], observation, |process| !races(process));
    if let Some(failure) = &observation.failure {
        add(&mut text, &failure_words(failure));
    }
    if observation.out_of_frames {
        text.push_str(" (no frame was left)");
    }
    text
}

/// Which process ran in a turn of a race, and why the turn ended.
pub fn describe_turn(turn: &Turn) -> (String, String) {
    let who = turn.process.map_or("the supervisor".to_owned(), name);
    let end = match turn.end {
        TurnEnd::GivesWay => "gives way".to_owned(),
        TurnEnd::PreEmpted => "is interrupted and gives way".to_owned(),
        TurnEnd::TooLong => "has run for too long and gives way".to_owned(),
        TurnEnd::Sleeps => "has no process to run".to_owned(),
        TurnEnd::Arrives(None) => "the hart switches to the supervisor".to_owned(),
        TurnEnd::Arrives(other) if other == turn.process => "is done".to_owned(),
        TurnEnd::Arrives(Some(other)) => format!("the hart switches to {other}"),
    };
    (who, end)
}

/// What was seen of the process of one step of a race.
pub fn describe_racer(step: &Step, observation: &Observation) -> String {
    events(step, observation, |process| process == step.process)
}

fn name(process: Process) -> String {
    process.letter().into()
}

fn add(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push_str("; ");
    }
    text.push_str(more);
}

/// The events of the `wanted` processes and of the supervisor, in words.
fn events(step: &Step, observation: &Observation, wanted: impl Fn(Process) -> bool) -> String {
    let mut text = String::new();
    for (at, event) in observation.events.iter().enumerate() {
        if only_slept(event, &observation.events[at + 1..]) {
            continue;
        }
        let Some((process, words)) = event_words(step, event) else {
            continue;
        };
        let process = process.and_then(Process::from_letter);
        if !process.is_none_or(&wanted) {
            continue;
        }
        match process {
            Some(process) if process == step.process => add(&mut text, &words),
            Some(process) => add(&mut text, &format!("{process} {words}")),
            None => add(&mut text, &format!("the supervisor {words}")),
        }
    }
    text
}

/// Whether an event says that a process does not come back which comes back `later` in the same step: it slept, for
/// example until the disk had read a block.
fn only_slept(event: &Event, later: &[Event]) -> bool {
    let Event::Silent { process, .. } = event else {
        return false;
    };
    later.iter().any(|event| match event {
        Event::Returned { process: other, .. } | Event::Started { process: other, .. } => {
            other == process
        }
        _ => false,
    })
}

/// The process of an event, and what the event says. `None` for an event that says nothing new.
fn event_words(step: &Step, event: &Event) -> Option<(Option<char>, String)> {
    let (process, words) = match *event {
        Event::Returned { process, value } => {
            let words = match step.action {
                Action::Store { .. }
                | Action::StoreString { .. }
                | Action::Fetch { .. }
                | Action::Touch { write: true, .. }
                    if process == step.process =>
                {
                    "completes".to_owned()
                }
                Action::Load { .. } if process == step.process => {
                    format!("loads {}", self::value(value))
                }
                Action::Touch { .. } if process == step.process => {
                    format!("loads bytes whose sum is {}", self::value(value))
                }
                _ => format!("returns {}", self::value(value)),
            };
            (Some(process), words)
        }
        Event::Started {
            process,
            arguments,
            array,
            stack,
            entry,
        } => (Some(process), start(arguments, array, stack, entry)),
        Event::Born { child } => (Some(child), "starts to run, and fork returns 0".to_owned()),
        Event::Silent {
            process,
            killed_message: true,
            trap,
        } => {
            let place = trap.map_or(String::new(), |trap| {
                format!(" at {:#x} (cause {})", trap.value, trap.cause)
            });
            (Some(process), format!("is killed{place}"))
        }
        Event::Silent { process, .. } => (Some(process), "does not come back".to_owned()),
        Event::Clocked {
            process,
            counted,
            passed,
        } => (
            Some(process),
            format!("counts {counted} ticks since the first uptime; at most {passed} have passed"),
        ),
        Event::Paused { process, ticks } => (
            Some(process),
            format!("has slept for {ticks} ticks at most"),
        ),
        Event::Reaped { pid, status } => (None, format!("reaps {pid}, status {status}")),
        Event::Appeared { .. } => return None,
    };
    Some((process.map(|process| process.letter()), words))
}

/// What stopped the machine.
pub(super) fn failure_words(failure: &Failure) -> String {
    match failure {
        Failure::Panic { text } => format!("the kernel panics: {text}"),
        Failure::Hang => "the kernel does not come back".to_owned(),
        Failure::Stuck { pc } => format!("a hart is stuck at {pc:#x}"),
        Failure::PoweredOff => "the kernel switches the machine off".to_owned(),
        Failure::Registers {
            process,
            register,
            expected,
            seen,
            passage,
        } => {
            let when = match passage {
                Passage::Program => {
                    return format!(
                        "register {register} of {process} holds {seen:#x} when exec has started the program: this is \
                         an address of the kernel, or a value of another process"
                    );
                }
                Passage::SystemCall => "in a system call",
                Passage::Fault => "in a page fault",
                Passage::Interrupt => "in an interrupt",
                Passage::Birth => "in `fork`, for the child",
            };
            format!(
                "register {register} of {process} changes {when}, from {expected:#x} to {seen:#x}"
            )
        }
    }
}
