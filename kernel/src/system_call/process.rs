//! System calls about processes and their memory.

use abi::{MemoryUsage, sbrk};

use super::{Answer, Refused, argument};
use crate::devices::clock;
use crate::memory::{Access, frames};
use crate::process::{Task, end, fork as beginning};

pub(super) fn fork(task: &mut Task<'_>) -> Answer {
    let child = beginning::fork(task).ok_or(Refused)?;
    Ok(child as u64)
}

pub(super) fn wait(task: &mut Task<'_>) -> Answer {
    let status = argument::address::<0>(task);
    let child = end::wait(task, status).ok_or(Refused)?;
    Ok(child as u64)
}

pub(super) fn kill(task: &mut Task<'_>) -> Answer {
    end::kill(argument::int::<0>(task)).ok_or(Refused)?;
    Ok(0)
}

pub(super) fn getpid(task: &mut Task<'_>) -> Answer {
    Ok(task.process.pid() as u64)
}

/// The amount is the whole register. An `int` of the C kernel's programs arrives sign-extended, so
/// it means the same.
pub(super) fn sbrk(task: &mut Task<'_>) -> Answer {
    let amount = task.trapframe.argument::<0>() as i64;
    let flavour = argument::int::<1>(task) as u32;
    let before = match u64::try_from(amount) {
        Ok(growth) if flavour == sbrk::EAGER => task.space.grow_eagerly(growth),
        _ => task.space.move_break(amount),
    };
    before.ok_or(Refused)
}

pub(super) fn pause(task: &mut Task<'_>) -> Answer {
    // A negative number counts as 0.
    let ticks = argument::int::<0>(task).max(0) as u32;
    clock::pause(task.thread, ticks).ok_or(Refused)?;
    Ok(0)
}

pub(super) fn uptime() -> Answer {
    Ok(clock::ticks().into())
}

/// The numbers are those before the answer is stored, which itself may take a page.
pub(super) fn memory(task: &mut Task<'_>) -> Answer {
    let to = argument::address::<0>(task);
    let faults = &task.process.account.faults;
    let (free_frames, promised_frames) = frames::free_and_promised();
    let usage = MemoryUsage {
        load_faults: faults.traps(Access::Load),
        store_faults: faults.traps(Access::Store),
        fetch_faults: faults.traps(Access::Fetch),
        system_call_faults: faults.system_calls(),
        mapped_pages: task.space.mapped_pages(),
        free_frames,
        promised_frames,
    };
    let bytes = usage.encode();
    task.space
        .with_loading(|space| space.copy_out(to, &bytes))?;
    Ok(0)
}
