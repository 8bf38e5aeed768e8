//! Makes a step from an operation: the step has numbers in place of names.

use super::{Action, Step};
use crate::case::{Call, Operation, Stride, Target, Width};
use crate::model::{Int, Model};
use abi::system_call::SystemCall;
use std::num::NonZeroU8;

/// Rounds of the scheduler after which a killed process must be gone. It may come back to user mode once, and dies
/// at its next trap.
const ROUNDS_TO_DIE: u32 = 2;

/// Rounds of the scheduler after which the kernel has taken what was typed and a process has read it.
const ROUNDS_TO_READ: u32 = 2;

/// The step for an operation that applies now.
pub(super) fn step_for(model: &Model, operation: &Operation) -> Step {
    let process = operation.process;
    let at = |address| model.resolve(process, address);
    let int = |what, number: i32| model.register_of(process, what, number);
    let call = |call: SystemCall, arguments: [u64; 3]| Action::SystemCall {
        number: call.number(),
        arguments,
        child: None,
    };
    let descriptor = |fd: i8| int(Int::Descriptor, fd.into());
    let buffer = |fd, address, length: i16| {
        let length = int(Int::Length, length.into());
        [descriptor(fd), at(address), length]
    };
    // An operation that may wake another process needs a round. If its own process does not come back, the driver
    // always lets a round pass.
    let waking = u32::from(model.is_any_blocked());
    let mut rounds = 0;
    let action = match operation.call {
        Call::Sbrk { amount, flavour } => {
            let amount = model.register_of_amount(process, amount);
            let flavour = int(Int::Mode, flavour.number() as i32);
            call(SystemCall::Sbrk, [amount, flavour, 0])
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
            call(SystemCall::Exit, [int(Int::Status, status), 0, 0])
        }
        Call::Wait { status } => call(SystemCall::Wait, [status.map_or(0, at), 0, 0]),
        Call::Kill { target } => {
            rounds = ROUNDS_TO_DIE;
            let pid = match target {
                Target::Process(target) => model.pid_of(target).unwrap_or(0) as i32,
                Target::Pid(pid) => pid,
            };
            call(SystemCall::Kill, [int(Int::Pid, pid), 0, 0])
        }
        Call::Getpid => call(SystemCall::Getpid, [0; 3]),
        Call::Pipe { address } => call(SystemCall::Pipe, [at(address), 0, 0]),
        Call::Read {
            fd,
            address,
            length,
        } => {
            rounds = waking;
            call(SystemCall::Read, buffer(fd, address, length))
        }
        Call::Write {
            fd,
            address,
            length,
        } => {
            rounds = waking;
            call(SystemCall::Write, buffer(fd, address, length))
        }
        Call::Close { fd } => {
            rounds = waking;
            call(SystemCall::Close, [descriptor(fd), 0, 0])
        }
        Call::Dup { fd } => call(SystemCall::Dup, [descriptor(fd), 0, 0]),
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
            let mode = int(Int::Mode, (mode.number() | flags.number()) as i32);
            call(SystemCall::Open, [at(address), mode, 0])
        }
        Call::Link { address, new } => call(SystemCall::Link, [at(address), at(new), 0]),
        Call::Unlink { address } => call(SystemCall::Unlink, [at(address), 0, 0]),
        Call::Mkdir { address } => call(SystemCall::Mkdir, [at(address), 0, 0]),
        Call::Mknod { address, major } => {
            let [major, minor] = [major.into(), 0].map(|number| int(Int::Mode, number));
            call(SystemCall::Mknod, [at(address), major, minor])
        }
        Call::Fstat { fd, address } => call(SystemCall::Fstat, [descriptor(fd), at(address), 0]),
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
            call(SystemCall::Pause, [int(Int::Ticks, ticks.into()), 0, 0])
        }
        Call::Type { keys } => {
            rounds = ROUNDS_TO_READ;
            Action::Type(keys)
        }
        Call::Machine { variation } => Action::Vary(variation),
        Call::Frames {
            free: Call::ALL_FRAMES,
        } => Action::LeaveFrames(u64::MAX),
        Call::Frames { free } => Action::LeaveFrames(u64::from(free)),
        Call::FailFrame { nth } => Action::FailFrame(nth.get()),
        Call::Blocks { free } => Action::LeaveBlocks(free),
        Call::PowerCut { cut } => Action::CutPower(cut),
        Call::Crowd { members } => Action::Gather {
            members: members.get(),
        },
        Call::Disperse { address } => Action::Disperse {
            address: at(address),
            members: model.crowd().map_or(0, |crowd| crowd.members),
        },
        Call::Unknown { number } => Action::SystemCall {
            number: number.resolve(model.layout(process), 0) as u64,
            arguments: [0; 3],
            child: None,
        },
        Call::Stack { address } => Action::MoveStack(at(address)),
        Call::HighHalf { .. } | Call::Together { .. } => Action::Nothing,
    };
    Step {
        process,
        action,
        rounds,
        pages: model.pages_at_stake(operation),
        looks_at_disk: model.may_fill_disk(operation),
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
