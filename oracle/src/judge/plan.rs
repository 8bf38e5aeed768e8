//! Makes a step from an operation: the step has numbers in place of names.

use super::{Action, Step};
use crate::case::{Call, Operation, Stride, Target, Width};
use crate::model::Model;
use abi::system_call::SystemCall;
use std::num::NonZeroU8;

/// Rounds of the scheduler after which a killed process must be gone. It may come back to user mode once, and dies
/// at its next trap.
const ROUNDS_TO_DIE: u32 = 2;

/// The step for an operation that applies now.
pub(super) fn step_for(model: &Model, operation: &Operation) -> Step {
    let process = operation.process;
    let at = |address| model.resolve(process, address);
    let integer = |number: i64| number as u64;
    let call = |call: SystemCall, arguments: [u64; 3]| Action::SystemCall {
        number: call.number(),
        arguments,
        child: None,
    };
    // An operation that may wake another process needs a round. If its own process does not come back, the driver
    // always lets a round pass.
    let waking = u32::from(model.is_any_blocked());
    let mut rounds = 0;
    let action = match operation.call {
        Call::Sbrk { amount, flavour } => {
            let amount = amount.resolve(model.layout(process), model.counted_from(process));
            call(SystemCall::Sbrk, [integer(amount), flavour.number(), 0])
        }
        Call::Load { width, address } => Action::Load {
            address: at(address),
            width,
        },
        Call::Store {
            width,
            address,
            value,
        } => Action::Store {
            address: at(address),
            width,
            value: value.bits(),
        },
        Call::Fetch { address } => Action::Fetch {
            address: at(address),
        },
        Call::TouchRead {
            address,
            count,
            stride,
        } => touch(at(address), count, stride, false),
        Call::TouchWrite {
            address,
            count,
            stride,
        } => touch(at(address), count, stride, true),
        Call::Fork { child } => Action::SystemCall {
            number: SystemCall::Fork.number(),
            arguments: [0; 3],
            child: Some(child),
        },
        Call::Exit { status } => {
            rounds = waking;
            call(SystemCall::Exit, [integer(status.into()), 0, 0])
        }
        Call::Wait { status } => call(SystemCall::Wait, [status.map_or(0, at), 0, 0]),
        Call::Kill { target } => {
            rounds = ROUNDS_TO_DIE;
            let pid = match target {
                Target::Process(target) => model.pid_of(target).unwrap_or(0),
                Target::Pid(pid) => integer(pid.into()),
            };
            call(SystemCall::Kill, [pid, 0, 0])
        }
        Call::Getpid => call(SystemCall::Getpid, [0; 3]),
        Call::Pipe { address } => call(SystemCall::Pipe, [at(address), 0, 0]),
        Call::Read {
            fd,
            address,
            length,
        } => {
            rounds = waking;
            let arguments = [integer(fd.into()), at(address), integer(length.into())];
            call(SystemCall::Read, arguments)
        }
        Call::Write {
            fd,
            address,
            length,
        } => {
            rounds = waking;
            let arguments = [integer(fd.into()), at(address), integer(length.into())];
            call(SystemCall::Write, arguments)
        }
        Call::Close { fd } => {
            rounds = waking;
            call(SystemCall::Close, [integer(fd.into()), 0, 0])
        }
        Call::Dup { fd } => call(SystemCall::Dup, [integer(fd.into()), 0, 0]),
        Call::String {
            address,
            text,
            terminated,
        } => Action::StoreString {
            address: at(address),
            text,
            terminated,
        },
        Call::Point { address, target } => Action::Store {
            address: at(address),
            width: Width::Eight,
            value: at(target),
        },
        Call::Open {
            address,
            mode,
            flags,
        } => {
            let mode = mode.number() | flags.number();
            call(SystemCall::Open, [at(address), mode, 0])
        }
        Call::Link { address, new } => call(SystemCall::Link, [at(address), at(new), 0]),
        Call::Unlink { address } => call(SystemCall::Unlink, [at(address), 0, 0]),
        Call::Mkdir { address } => call(SystemCall::Mkdir, [at(address), 0, 0]),
        Call::Mknod { address, major } => {
            call(SystemCall::Mknod, [at(address), u64::from(major), 0])
        }
        Call::Fstat { fd, address } => {
            call(SystemCall::Fstat, [integer(fd.into()), at(address), 0])
        }
        Call::Chdir { address } => call(SystemCall::Chdir, [at(address), 0, 0]),
        Call::Exec { address, arguments } => {
            call(SystemCall::Exec, [at(address), at(arguments), 0])
        }
        Call::Yield { ticks } => {
            rounds = u32::from(ticks.get());
            Action::Yield
        }
        Call::Uptime => call(SystemCall::Uptime, [0; 3]),
        Call::Pause { ticks } => {
            // A round takes at least a tick. The first one may begin in the middle of a tick.
            rounds = u32::try_from(ticks).map_or(0, |ticks| ticks + 2);
            call(SystemCall::Pause, [integer(ticks.into()), 0, 0])
        }
        Call::Frames {
            free: Call::ALL_FRAMES,
        } => Action::LeaveFrames(u64::MAX),
        Call::Frames { free } => Action::LeaveFrames(u64::from(free)),
        Call::FailFrame { nth } => Action::FailFrame(nth.get()),
        Call::Together { .. } => Action::Nothing,
    };
    Step {
        process,
        action,
        rounds,
        pages: model.pages_at_stake(operation),
    }
}

fn touch(address: u64, count: NonZeroU8, stride: Stride, write: bool) -> Action {
    Action::Touch {
        address,
        stride: stride.bytes(),
        count: u64::from(count.get()),
        write,
    }
}
