//! System calls: from a number in `a7` to an answer in `a0`.
//!
//! Each call takes the task that asks and returns a `Result`. Only here does a result go into a
//! register, and a failure become -1.

mod argument;
mod file;
mod path;
mod process;

use abi::SystemCall;

use crate::file::NotOpen;
use crate::file_system::Failed;
use crate::memory::Fault;
use crate::print;
use crate::process::Task;
use crate::process::exec::CannotExec;

/// A call could not be done. xv6 has no error numbers: the user sees -1.
#[derive(Debug)]
pub struct Refused;

/// What a call answers.
type Answer = Result<u64, Refused>;

impl From<Fault> for Refused {
    fn from(_: Fault) -> Refused {
        Refused
    }
}

impl From<Failed> for Refused {
    fn from(_: Failed) -> Refused {
        Refused
    }
}

impl From<NotOpen> for Refused {
    fn from(_: NotOpen) -> Refused {
        Refused
    }
}

impl From<CannotExec> for Refused {
    fn from(_: CannotExec) -> Refused {
        Refused
    }
}

/// What follows a call.
pub enum Outcome {
    /// The answer is in the trapframe.
    Done,
    /// The process ends with this status.
    Exit(i32),
}

/// Performs the call that the task's registers ask for.
#[inline]
pub fn perform(task: &mut Task<'_>) -> Outcome {
    let number = task.trapframe.call_number();
    let Some(call) = SystemCall::from_number(number) else {
        unknown(task, number);
        task.trapframe.set_argument::<0>(u64::MAX);
        return Outcome::Done;
    };
    let answer = match call {
        SystemCall::Exit => return Outcome::Exit(argument::int::<0>(task)),
        SystemCall::Fork => process::fork(task),
        SystemCall::Wait => process::wait(task),
        SystemCall::Pipe => file::pipe(task),
        SystemCall::Read => file::read(task),
        SystemCall::Kill => process::kill(task),
        SystemCall::Exec => path::exec(task),
        SystemCall::Fstat => file::fstat(task),
        SystemCall::Chdir => path::chdir(task),
        SystemCall::Dup => file::dup(task),
        SystemCall::Getpid => process::getpid(task),
        SystemCall::Sbrk => process::sbrk(task),
        SystemCall::Pause => process::pause(task),
        SystemCall::Uptime => process::uptime(),
        SystemCall::Open => path::open(task),
        SystemCall::Write => file::write(task),
        SystemCall::Mknod => path::mknod(task),
        SystemCall::Unlink => path::unlink(task),
        SystemCall::Link => path::link(task),
        SystemCall::Mkdir => path::mkdir(task),
        SystemCall::Close => file::close(task),
        SystemCall::Memory => process::memory(task),
    };
    task.trapframe.set_argument::<0>(answer.unwrap_or(u64::MAX));
    Outcome::Done
}

#[cold]
fn unknown(task: &Task<'_>, number: u64) {
    print::with_lock(|out| {
        out.decimal(task.process.pid().into());
        out.text(" ");
        out.name(&task.process.name());
        out.text(": unknown sys call ");
        // An `int`, as in the C kernel.
        out.decimal((number as i32).into());
        out.text("\n");
    });
}
