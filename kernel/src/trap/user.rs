//! Traps from user mode: system calls, page faults, interrupts; and the way back.

use core::arch::asm;

use super::{cause, interrupt as device, kernel, trampoline};
use crate::address::UserAddress;
use crate::arch::csr::{self, SSTATUS_SPIE, SSTATUS_SPP};
use crate::arch::{hart, interrupt};
use crate::memory::{Access, Fault, Origin, kernel_table};
use crate::print;
use crate::process::{Task, end, scheduler, stack};
use crate::system_call::{self, Outcome};

/// The exit status of a process that was killed.
pub const KILLED: i32 = -1;

/// What becomes of the process after a trap.
enum Next {
    /// It goes on.
    Continue,
    /// It lets others have their turn first.
    Yield,
    /// It ends.
    Exit(i32),
}

/// Where the trampoline goes after a trap from user mode.
extern "C" fn user_trap() -> ! {
    let scause = csr::scause::read();
    // SAFETY: from here on traps come from the kernel, until `return_to_user`.
    unsafe { csr::stvec::write(kernel::vector()) };
    // Interrupts are off: a trap turns them off.
    let Some(process) = hart::this().current.get() else {
        panic!("a trap from user mode, but no process runs");
    };
    // SAFETY: this is the process's thread, at the bottom of its kernel stack: whatever it borrowed
    // before it went to user mode is gone.
    let Some(mut task) = (unsafe { process.task() }) else {
        panic!("a trap from a process without memory");
    };
    task.trapframe.program_counter = csr::sepc::read();
    let mut next = handle(&mut task, scause);
    if let Next::Yield = next {
        scheduler::yield_now(process);
    }
    if process.is_killed() {
        next = Next::Exit(KILLED);
    }
    if let Next::Exit(status) = next {
        // SAFETY: this is the process's thread; `task` was all that it borrowed, and is not used
        // again.
        unsafe { end::exit(process, status) }
    }
    return_to_user(&mut task)
}

#[inline]
fn handle(task: &mut Task<'_>, scause: u64) -> Next {
    match scause {
        cause::SYSTEM_CALL => {
            if task.process.is_killed() {
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
        Err(Fault::NotLoaded) => {
            // Reading the disk takes time. The registers that describe this trap are read.
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

/// The program did what it may not, or no frame is left: it is killed, with xv6's message.
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
    task.process.kill();
    Next::Exit(KILLED)
}

/// Leaves the kernel for a process's user program for the first time.
pub fn enter_user(task: &mut Task<'_>) -> ! {
    let stack = stack::top_of(task.process.slot().index());
    let handler = user_trap as *const () as u64;
    task.trapframe.prepare(kernel_table::satp(), stack, handler);
    return_to_user(task)
}

/// Leaves the kernel for the process's user program.
fn return_to_user(task: &mut Task<'_>) -> ! {
    // From here on a trap would be taken for one from user mode.
    interrupt::disable();
    let hart = hart::id();
    task.trapframe.kernel_hart = hart as u64;
    task.space.settle(hart);
    // SAFETY: the trampoline and the trapframe are mapped in the process's page table at the
    // addresses that the code there uses; the trapframe says how to come back. Interrupts stay off
    // until `sret` has switched to user mode.
    unsafe {
        csr::stvec::write(trampoline::ENTER);
        csr::sepc::write(task.trapframe.program_counter);
        csr::sstatus::clear(SSTATUS_SPP);
        csr::sstatus::set(SSTATUS_SPIE);
        asm!(
            "jr {leave}",
            leave = in(reg) trampoline::LEAVE,
            in("a0") task.space.satp(),
            options(noreturn)
        );
    }
}
