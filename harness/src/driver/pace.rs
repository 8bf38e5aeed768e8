//! Measures how fast a kernel is: the kernel performs one operation of each kind that may take long.

use super::Driver;
use super::patience::Patience;
use crate::guest::Guest;
use crate::guest::pace::Pace;
use abi::SystemCall;
use abi::file_system::BLOCK_SIZE;
use abi::open::{CREATE, READ_WRITE};
use oracle::{Action, Event, Observation, Process, Step, Text};
use std::sync::Arc;

/// Bytes of the longest write that a case can ask for, in whole blocks.
const LONGEST_WRITE: u64 = i16::MAX as u64 / BLOCK_SIZE as u64 * BLOCK_SIZE as u64;
/// Bytes by which the heap grows for it.
const GROWTH: u64 = 1 << 15;
/// `open` for reading and writing, and to make the file.
const NEW_FILE: u64 = (CREATE | READ_WRITE) as u64;
/// The name of a file that is not there when a case begins.
const NAME: &[u8] = b"new";

/// Measures `guest` from the start of a case. An operation from which the kernel does not come back is not counted,
/// nor are those after it.
pub(super) fn measure(guest: &Arc<Guest>) -> Pace {
    let mut driver = Driver::new(guest);
    driver.set_patience(Patience::Measuring);
    let heap = guest.first_layout().heap;
    let parent = Process::FIRST;
    let child = Process::all().nth(1);
    let mut slowest = 0;
    let mut take = |process, action| {
        let (instructions, answer) = time(&mut driver, process, action)?;
        slowest = slowest.max(instructions);
        Some(answer)
    };
    let mut all = || {
        take(parent, call(SystemCall::Sbrk, [GROWTH, 1, 0]))?;
        let name = Text::all().find(|text| text.bytes() == NAME)?;
        let text = Action::StoreString {
            address: heap,
            text: name,
            terminated: true,
        };
        take(parent, text)?;
        let fd = take(parent, call(SystemCall::Open, [heap, NEW_FILE, 0]))?;
        take(parent, call(SystemCall::Write, [fd, heap, LONGEST_WRITE]))?;
        take(parent, call(SystemCall::Close, [fd, 0, 0]))?;
        take(parent, call(SystemCall::Unlink, [heap, 0, 0]))?;
        let fork = Action::SystemCall {
            number: SystemCall::Fork.number(),
            arguments: [0; 3],
            child,
        };
        take(parent, fork)?;
        take(child?, call(SystemCall::Exit, [0; 3]));
        take(parent, call(SystemCall::Wait, [0; 3]))
    };
    all();
    Pace { slowest }
}

/// How many instructions an operation took, and its answer, or 0 if there was none. `None` if the kernel did not come
/// back.
fn time(driver: &mut Driver, process: Process, action: Action) -> Option<(u64, u64)> {
    let step = Step {
        process,
        action,
        rounds: 0,
        pages: 0,
        looks_at_disk: false,
    };
    let mut observation = Observation::default();
    driver.perform(&step, &mut observation);
    if observation.failure.is_some() {
        return None;
    }
    let answer = observation.events.iter().find_map(|event| match event {
        Event::Returned { value, .. } => Some(*value),
        _ => None,
    });
    Some((observation.instructions, answer.unwrap_or(0)))
}

fn call(call: SystemCall, arguments: [u64; 3]) -> Action {
    Action::SystemCall {
        number: call.number(),
        arguments,
        child: None,
    }
}
