//! Traps from user mode: system calls, page faults, interrupts.

use super::{cause, interrupt as device, kernel};
use crate::address::UserAddress;
use crate::arch::{csr, interrupt};
use crate::memory::{Access, Fault, Origin};
use crate::print;
use crate::process::end::{self, KILLED};
use crate::process::{Key, Task, user_mode};
use crate::scheduling::scheduler;
use crate::system_call::{self, Outcome};

/// What the process does after a trap.
enum Next {
    /// It continues.
    Continue,
    /// It continues after other processes had their turn.
    Yield,
    /// It ends.
    Exit(i32),
}

/// Where the trampoline goes after a trap from user mode.
pub extern "C" fn user_trap() -> ! {
    let scause = csr::scause::read();
    // SAFETY: from here on traps come from the kernel, until `user_mode::enter`.
    unsafe { csr::stvec::write(kernel::vector()) };
    // Interrupts are off: a trap turns them off.
    let Some(thread) = scheduler::current() else {
        panic!("a trap from user mode, but no thread runs");
    };
    // SAFETY: this is the thread, which was in user mode: its stack is empty.
    let mut key = unsafe { Key::of_this_thread(thread) };
    let Some(mut task) = key.task() else {
        panic!("a trap from a process without memory");
    };
    task.trapframe.program_counter = csr::sepc::read();
    let mut next = handle(&mut task, scause);
    if let Next::Yield = next {
        scheduler::yield_now(thread);
    }
    if thread.is_killed() {
        next = Next::Exit(KILLED);
    }
    if let Next::Exit(status) = next {
        end::exit(key, status)
    }
    user_mode::enter(task)
}

#[inline]
fn handle(task: &mut Task<'_>, scause: u64) -> Next {
    match scause {
        cause::SYSTEM_CALL => {
            if task.thread.is_killed() {
                return Next::Exit(KILLED);
            }
            // Go on after the `ecall`, which is four bytes long.
            task.trapframe.program_counter = task.trapframe.program_counter.wrapping_add(4);
            // The registers that describe this trap are read: others may come.
            interrupt::enable();
            match system_call::perform(task) {
                Outcome::Done => Next::Continue,
                Outcome::Exit(status) => Next::Exit(status),
            }
        }
        cause::LOAD_PAGE_FAULT | cause::STORE_PAGE_FAULT | cause::FETCH_PAGE_FAULT => {
            page_fault(task, scause)
        }
        cause::TIMER => {
            device::timer();
            Next::Yield
        }
        cause::EXTERNAL => {
            device::external();
            Next::Continue
        }
        _ => unexpected(task, scause, csr::stval::read()),
    }
}

#[inline]
fn page_fault(task: &mut Task<'_>, scause: u64) -> Next {
    let access = match scause {
        cause::LOAD_PAGE_FAULT => Access::Load,
        cause::STORE_PAGE_FAULT => Access::Store,
        _ => Access::Fetch,
    };
    let stval = csr::stval::read();
    let address = UserAddress(stval);
    let resolved = match task.space.fault_in(address, access, Origin::Trap) {
        Err(Fault::NotLoaded(_)) => {
            // Reading the disk takes time, so others may interrupt. The registers that describe
            // this trap are read.
            interrupt::enable();
            task.space.load(address, access, Origin::Trap)
        }
        result => result.map(|_| ()),
    };
    match resolved {
        Ok(()) => Next::Continue,
        Err(fault) => {
            if fault == Fault::Unreadable {
                print::with_lock(|out| out.text("a program's file cannot be read\n"));
            }
            unexpected(task, scause, stval)
        }
    }
}

/// The program did what it may not do, or no frame is left: it is killed, with xv6's message.
#[cold]
fn unexpected(task: &mut Task<'_>, scause: u64, stval: u64) -> Next {
    let program_counter = task.trapframe.program_counter;
    print::with_lock(|out| {
        out.text("usertrap(): unexpected scause 0x");
        out.hexadecimal(scause);
        out.text(" pid=");
        out.decimal(task.process.pid().into());
        out.text("\n            sepc=0x");
        out.hexadecimal(program_counter);
        out.text(" stval=0x");
        out.hexadecimal(stval);
        out.text("\n");
    });
    task.thread.kill();
    Next::Exit(KILLED)
}
