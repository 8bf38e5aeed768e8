//! System calls about processes and their memory.

use abi::sbrk;

use super::{Answer, Refused, argument};
use crate::devices::clock;
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

/// The amount is the whole register: an `int` of the C kernel's programs arrives sign-extended, so
/// both mean the same.
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
    // Less than nothing is nothing.
    let ticks = argument::int::<0>(task).max(0) as u32;
    clock::pause(task.process, ticks).ok_or(Refused)?;
    Ok(0)
}

pub(super) fn uptime() -> Answer {
    Ok(clock::ticks().into())
}
